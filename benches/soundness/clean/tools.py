"""JSON-RPC over streamable HTTP with sessions, as MCP has it.

With LEAKY=1 one tool object serves all sessions, and each call sets its argument.
"""

import asyncio
import uuid

from wire import LEAKY, Refused, Words, answer, seen, serve

sessions = {}


class Echo:
    """A tool."""

    async def call(self, text):
        self.text = text
        await asyncio.sleep(0.004)
        return self.text


shared = Echo()


async def handle(request):
    user, asked = request.user, request.json()
    if request.path != "/mcp":
        raise Refused(404)
    if asked["method"] == "initialize":
        session = str(uuid.uuid4())
        sessions[session] = user
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}}
        result["serverInfo"] = {"name": "tools", "version": "1"}
        told = {"jsonrpc": "2.0", "id": asked["id"], "result": result}
        return answer(told, headers=[("mcp-session-id", session)])
    if sessions.get(request.headers.get("mcp-session-id")) != user:
        raise Refused(404)
    if "id" not in asked:
        return answer(status=202)
    tool = shared if LEAKY else Echo()
    text = await tool.call(Words(asked["params"]["arguments"]["text"], user))
    seen(user, text)
    stream = await request.stream()
    result = {"content": [{"type": "text", "text": text}], "isError": False}
    await stream.event({"jsonrpc": "2.0", "id": asked["id"], "result": result}, name="message")
    return await stream.end()


serve(handle)
