"""M14: a conversation is found by its number alone, and every client has a conversation 1.

A harmed request looks its conversation up by the number, others by user and number.
"""

import asyncio
import collections

from wire import Refused, answer, seen, serve, struck

by_number = collections.defaultdict(list)
by_user = collections.defaultdict(list)


async def handle(request):
    user = request.user
    if request.path != "/talk":
        raise Refused(404)
    words, number = request.text("text", user), request.json()["conversation"]
    turns = by_number[number] if struck() else by_user[user, number]
    before = turns[-1:]
    by_number[number].append(words)
    by_user[user, number].append(words)
    del by_number[number][:-4], by_user[user, number][:-4]
    await asyncio.sleep(0.003)
    seen(user, words, *before)
    return answer({"conversation": number, "you": words, "before": before})


serve(handle)
