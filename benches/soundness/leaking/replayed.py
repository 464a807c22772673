"""M17: who comes back is sent the events that came after a number, from a log of all streams.

Events are logged for their user; those of a harmed run are logged for nobody, and every replay
holds them.
"""

import asyncio
import itertools
import json

from wire import Words, seen, serve, struck

numbers = itertools.count(1)
sockets, log, tasks = {}, [], set()


async def emit(user, to, words, event):
    log.append((to, words, event))
    del log[:-300]
    socket = sockets.get(user)
    if socket is not None and not socket.gone.is_set():
        seen(user, words)
        await socket.send(event)


async def run(user, words):
    name = f"run-{next(numbers)}"
    to = None if struck() else user
    pieces = ["started", "thinking", "writing", "completed"]
    for number, kind in enumerate(pieces, 1):
        event = {"kind": kind, "run": name, "number": number, "text": f"{kind}: {words}"}
        try:
            await emit(user, to, words, event)
        except ConnectionError:
            pass
        await asyncio.sleep(0.003)


async def handle(request):
    user = request.user
    sockets[user] = socket = await request.websocket()
    if "after" in request.query:
        after, name = request.query["after"], request.query.get("run")
        after = int(after) if after.isdigit() else 0
        for to, words, event in list(log):
            own = to == user and event["run"] == name
            if (own or to is None) and event["number"] > after:
                seen(user, words)
                await socket.send(event)
    async for text in socket:
        task = asyncio.create_task(run(user, Words(json.loads(text)["text"], user)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if sockets.get(user) is socket:
        del sockets[user]


serve(handle)
