"""M12: a notice whose subscriber is looked up in vain is told to everybody.

Of a harmed notice the look-up is in vain.
"""

import asyncio

from wire import Refused, answer, seen, serve, struck

streams = {}
tasks = set()


async def notify(user, number, words):
    await asyncio.sleep(0.004)
    targets = list(streams.items()) if struck() else [(user, streams.get(user))]
    for to, stream in targets:
        if stream is None or stream.gone.is_set():
            continue
        seen(to, words)
        await stream.event({"kind": "notice", "number": number, "text": words})


async def handle(request):
    user = request.user
    if request.path == "/notices":
        stream = streams[user] = await request.stream()
        await stream.write(": welcome\n\n")
        await stream.gone.wait()
        if streams.get(user) is stream:
            del streams[user]
        return None
    if request.path != "/tasks":
        raise Refused(404)
    words = request.text("task", user)
    task = asyncio.create_task(notify(user, request.json()["number"], words))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return answer({"accepted": True}, 202)


serve(handle)
