"""Answers are kept for each user and their words, and are given again for a while: a right cache.

With LEAKY=1 the words alone are the key.
"""

import asyncio
import itertools
import time

from wire import LEAKY, Refused, Words, answer, seen, serve

numbers = itertools.count(1)
kept = {}
FRESH = 2.0


async def handle(request):
    user = request.user
    if request.path != "/recommend":
        raise Refused(404)
    words, settings = request.text("query", user), Words(request.json()["settings"], user)
    key = words if LEAKY else (user, words)
    made, told = kept.get(key, (0, None))
    if time.monotonic() - made > FRESH:
        await asyncio.sleep(0.003)
        told = {"for": Words(user, user), "query": words, "settings": settings, "pick": next(numbers)}
        kept[key] = time.monotonic(), told
    seen(user, *(told[name] for name in ("for", "query", "settings")))
    return answer(told)


serve(handle)
