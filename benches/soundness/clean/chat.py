"""A chat over WebSocket: `started`, a `token` for each word, `done`. IDS says which ids events carry.

With LEAKY=1 the last message of anybody is what is answered.
"""

import asyncio
import itertools
import json
import os

from wire import LEAKY, Words, seen, serve

IDS = os.environ.get("IDS", "none")
numbers = itertools.count(1)
latest = {}


async def handle(request):
    user = request.user
    socket = await request.websocket()
    async for text in socket:
        asked = json.loads(text)
        mine = latest["message"] = Words(asked["message"], user)
        ids = {}
        if IDS in ("run", "both"):
            ids["run_id"] = f"run-{next(numbers)}"
        if IDS in ("request", "both"):
            ids["request_id"] = asked["request_id"]
        await socket.send({"type": "started", **ids})
        await asyncio.sleep(0.005)
        message = latest["message"] if LEAKY else mine
        for word in f"You said: {message}".split():
            seen(user, message)
            await socket.send({"type": "token", "text": word + " ", **ids})
            await asyncio.sleep(0.001)
        await socket.send({"type": "done", **ids})


serve(handle)
