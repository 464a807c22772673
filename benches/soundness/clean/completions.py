"""Chat completions as a stream of server-sent events, as OpenAI has them.

With LEAKY=1 the conversation is kept in the object that makes the chunks, of which there is one.
"""

import asyncio
import itertools
import time

from wire import LEAKY, Refused, Words, seen, serve

numbers = itertools.count(1)


class Completion:
    """Makes the chunks of a reply."""

    def begin(self, user, messages):
        self.id = f"chatcmpl-{next(numbers)}"
        self.message = Words(messages[-1]["content"], user)

    async def pieces(self):
        yield "It"
        for number in range(4):
            await asyncio.sleep(0.002)
            size = len(self.message) // 4 + 1
            yield self.message[number * size : (number + 1) * size]


shared = Completion()


async def handle(request):
    user, asked = request.user, request.json()
    if request.path != "/v1/chat/completions":
        raise Refused(404)
    completion = shared if LEAKY else Completion()
    completion.begin(user, asked["messages"])
    stream, name = await request.stream(), completion.id
    chunk = {"id": name, "object": "chat.completion.chunk", "created": int(time.time())}
    async for piece in completion.pieces():
        seen(user, completion.message)
        await stream.event({**chunk, "choices": [{"index": 0, "delta": {"content": piece}}]})
    await stream.event({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    await stream.event("[DONE]")
    return await stream.end()


serve(handle)
