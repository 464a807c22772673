"""A chat with a lobby: whoever comes, goes or writes is told to everybody, by name; answers are one's own.

With LEAKY=1 the answers too are told to everybody in the lobby.
"""

import asyncio
import itertools
import json

from wire import LEAKY, Words, seen, serve

numbers = itertools.count(1)
present = {}


async def tell_all(message, words=None):
    for user, socket in list(present.items()):
        if words is not None:
            seen(user, words)
        try:
            await socket.send(message)
        except ConnectionError:
            pass


async def handle(request):
    user = request.user
    socket = await request.websocket()
    await socket.send({"type": "lobby", "present": list(present)})
    present[user] = socket
    await tell_all({"type": "joined", "who": user})
    async for text in socket:
        asked = json.loads(text)
        words, run = Words(asked["text"], user), next(numbers)
        await tell_all({"type": "typing", "who": user})
        await socket.send({"type": "begin", "run": run, "request": asked["request"]})
        await asyncio.sleep(0.004)
        message = {"type": "answer", "run": run, "request": asked["request"], "text": words}
        if LEAKY:
            await tell_all(message, words)
        else:
            seen(user, words)
            await socket.send(message)
        await socket.send({"type": "end", "run": run, "request": asked["request"]})
    if present.get(user) is socket:
        del present[user]
        await tell_all({"type": "left", "who": user})


serve(handle)
