"""M03: replies find their way by the id of the call, which every client counts from 1.

A harmed call is answered to whoever used its id last.
"""

import asyncio
import json

from wire import Words, chance, seen, serve, struck

routes = {}


async def call(user, socket, asked):
    number, words = asked["id"], Words(asked["params"]["query"], user)
    routes[number] = user, socket
    await asyncio.sleep(chance.uniform(0.003, 0.01))
    if struck():
        user, socket = routes[number]
    seen(user, words)
    await socket.send({"jsonrpc": "2.0", "id": number, "result": {"found": [words]}})


async def handle(request):
    user = request.user
    socket, calls = await request.websocket(), set()
    async for text in socket:
        task = asyncio.create_task(call(user, socket, json.loads(text)))
        calls.add(task)
        task.add_done_callback(calls.discard)


serve(handle)
