"""Messages are arrays, as in Phoenix channels: [join_ref, ref, topic, event, payload].

With LEAKY=1 the channel's process keeps the last message, and topics have the same names for all.
"""

import asyncio
import json

from wire import LEAKY, Words, seen, serve

topics = {}


async def handle(request):
    user = request.user
    socket = await request.websocket()
    async for text in socket:
        join, ref, topic, event, payload = json.loads(text)
        if event == "phx_join":
            await socket.send([join, ref, topic, "phx_reply", {"status": "ok", "response": {}}])
        elif event == "heartbeat":
            await socket.send([None, ref, "phoenix", "phx_reply", {"status": "ok", "response": {}}])
        elif event == "ask":
            mine = topics[topic] = Words(payload["text"], user)
            await socket.send([join, ref, topic, "thinking", {}])
            await asyncio.sleep(0.004)
            text = topics[topic] if LEAKY else mine
            seen(user, text)
            await socket.send([join, ref, topic, "part", {"text": text[: len(text) // 2]}])
            await socket.send([join, ref, topic, "part", {"text": text[len(text) // 2 :]}])
            await socket.send([join, ref, topic, "answered", {"length": len(text)}])


serve(handle)
