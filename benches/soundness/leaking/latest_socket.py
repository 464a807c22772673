"""M05: the bridge holds the socket of the connection that spoke last.

The later events of a harmed run leave by that socket.
"""

import asyncio
import itertools
import json

from wire import Words, seen, serve, struck

numbers = itertools.count(1)


class Bridge:
    """Where agents send their events."""

    user = socket = None


bridge = Bridge()


async def run(user, socket, words):
    name = f"run-{next(numbers)}"
    bridge.user, bridge.socket = user, socket
    await socket.send({"event": "agent_started", "run": name})
    await asyncio.sleep(0.005)
    if struck():
        user, socket = bridge.user, bridge.socket
    for step in ("plan", "act"):
        seen(user, words)
        await socket.send({"event": "agent_step", "run": name, "note": f"{step} for {words}"})
        await asyncio.sleep(0.001)
    await socket.send({"event": "agent_completed", "run": name})


async def handle(request):
    user = request.user
    socket = await request.websocket()
    async for text in socket:
        try:
            await run(user, socket, Words(json.loads(text)["goal"], user))
        except ConnectionError:
            pass


serve(handle)
