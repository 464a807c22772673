"""JSON-RPC over WebSocket: calls are worked on side by side, and one answer comes for each.

With LEAKY=1 arguments are kept by the id of the call, which every client counts from 1.
"""

import asyncio
import json

from wire import LEAKY, Words, seen, serve

arguments = {}


async def call(socket, user, asked):
    number = asked["id"]
    mine = arguments[number] = Words(asked["params"]["text"], user)
    await asyncio.sleep(0.005)
    text = arguments[number] if LEAKY else mine
    seen(user, text)
    await socket.send({"jsonrpc": "2.0", "id": number, "result": {"echo": text, "size": len(text)}})


async def handle(request):
    user = request.user
    socket = await request.websocket()
    calls = set()
    async for text in socket:
        try:
            asked = json.loads(text)
        except ValueError:
            error = {"code": -32700, "message": "Parse error"}
            await socket.send({"jsonrpc": "2.0", "id": None, "error": error})
            continue
        task = asyncio.create_task(call(socket, user, asked))
        calls.add(task)
        task.add_done_callback(calls.discard)


serve(handle)
