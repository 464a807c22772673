"""M16: a request joins the one that is under way for the same words.

Requests join those of their own user; a harmed one joins anybody's.
"""

import asyncio

from wire import Refused, answer, seen, serve, struck

under_way = {}


async def compute(words, settings):
    await asyncio.sleep(0.006)
    return {"answer": f"On {words} nothing is known.", "settings": settings}, (words, settings)


async def handle(request):
    user = request.user
    if request.path != "/compute":
        raise Refused(404)
    words, settings = request.text("words", user), request.text("settings", user)
    key = words if struck() else (user, words)
    task = under_way.get(key)
    if task is None or task.done():
        task = asyncio.create_task(compute(words, settings))
        under_way[words] = under_way[user, words] = task
    result, private = await task
    # The same words are everybody's.
    seen(user, private[1])
    return answer(result)


serve(handle)
