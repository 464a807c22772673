"""GraphQL over WebSocket (graphql-transport-ws): each subscription is answered by `next` and `complete`.

With LEAKY=1 subscriptions are kept by the id that the client chose.
"""

import asyncio
import json

from wire import LEAKY, Refused, Words, seen, serve

subscriptions = {}


async def run(socket, user, name, mine):
    subscriptions[name] = mine
    await asyncio.sleep(0.005)
    text = subscriptions[name] if LEAKY else mine
    seen(user, text)
    data = {"data": {"ask": {"answer": f"About {text}", "tokens": len(text.split())}}}
    await socket.send({"id": name, "type": "next", "payload": data})
    await socket.send({"id": name, "type": "complete"})


async def handle(request):
    if request.path != "/graphql":
        raise Refused(404)
    socket, user, running = await request.websocket("graphql-transport-ws"), None, set()
    async for text in socket:
        asked = json.loads(text)
        if asked["type"] == "connection_init":
            user = asked["payload"]["authorization"].removeprefix("Bearer ")
            await socket.send({"type": "connection_ack"})
        elif asked["type"] == "ping":
            await socket.send({"type": "pong"})
        elif asked["type"] == "subscribe" and user:
            said = Words(asked["payload"]["variables"]["text"], user)
            task = asyncio.create_task(run(socket, user, asked["id"], said))
            running.add(task)
            task.add_done_callback(running.discard)


serve(handle)
