"""A run of a graph as server-sent events whose data are arrays: [message chunk, metadata].

With LEAKY=1 the state of the graph is that of its last run.
"""

import asyncio
import uuid

from wire import LEAKY, Refused, Words, seen, serve

state = {}


async def handle(request):
    user, asked = request.user, request.json()
    if request.path != "/runs/stream":
        raise Refused(404)
    mine = Words(asked["input"]["messages"][0]["content"], user)
    state["input"] = mine
    run, stream = str(uuid.uuid4()), await request.stream()
    await stream.event({"run_id": run, "attempt": 1}, name="metadata")
    for node in ("plan", "write", "review"):
        await asyncio.sleep(0.003)
        text = state["input"] if LEAKY else mine
        seen(user, text)
        chunk = {"type": "AIMessageChunk", "id": f"{run}-{node}", "content": f"{node}: {text}"}
        await stream.event([chunk, {"langgraph_node": node, "run_id": run}], name="messages")
    await stream.event({}, name="end")
    return await stream.end()


serve(handle)
