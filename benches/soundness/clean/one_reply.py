"""A chat over WebSocket with one reply a message. With LEAKY=1 the prompt stands in a global."""

import asyncio
import json

from wire import LEAKY, Words, seen, serve

prompt = None


async def handle(request):
    global prompt
    user = request.user
    socket = await request.websocket()
    async for text in socket:
        asked = json.loads(text)
        prompt = mine = Words(asked["message"], user)
        await asyncio.sleep(0.005)
        message = prompt if LEAKY else mine
        seen(user, message)
        await socket.send({"type": "reply", "request_id": asked["request_id"], "text": message})


serve(handle)
