"""A chat in Socket.IO's frames: a namespace is joined with a token, and events are arrays.

With LEAKY=1 the message is kept by its room, and all users write in rooms of the same name.
"""

import asyncio
import itertools
import json
import secrets

from wire import LEAKY, Words, seen, serve

numbers = itertools.count(1)
rooms = {}


async def chat(socket, user, asked):
    run, request = f"run-{next(numbers)}", asked["id"]
    mine = rooms[asked["room"]] = Words(asked["text"], user)
    await tell(socket, "started", {"run": run, "id": request})
    await asyncio.sleep(0.004)
    text = rooms[asked["room"]] if LEAKY else mine
    pieces = text.split()
    for number, piece in enumerate(pieces, 1):
        seen(user, text)
        await tell(socket, "token", {"run": run, "id": request, "seq": number, "text": piece})
    await tell(socket, "done", {"run": run, "id": request, "seq": len(pieces) + 1})


async def tell(socket, name, data):
    await socket.send("42" + json.dumps([name, data]))


async def handle(request):
    socket, user = await request.websocket(), None
    opening = {"sid": secrets.token_hex(10), "upgrades": [], "pingInterval": 25000}
    await socket.send("0" + json.dumps({**opening, "pingTimeout": 20000, "maxPayload": 1000000}))
    async for text in socket:
        if text.startswith("40"):
            user = json.loads(text[2:])["token"].removeprefix("key-of-")
            await socket.send("40" + json.dumps({"sid": secrets.token_hex(10)}))
        elif text == "2":
            await socket.send("3")
        elif text.startswith("42") and user:
            name, asked = json.loads(text[2:])
            if name == "chat":
                await chat(socket, user, asked)


serve(handle)
