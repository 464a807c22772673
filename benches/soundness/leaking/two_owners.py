"""M09: a buffer goes back to the pool before what stands in it was sent.

A harmed request takes such a buffer and writes over it.
"""

import asyncio

from wire import Refused, answer, chance, seen, serve, struck


class Buffer:
    """A block of bytes, with whose they are."""

    def __init__(self):
        self.data, self.words, self.size, self.busy = bytearray(1 << 20), None, 0, False

    def fill(self, words):
        data = words.encode()[: len(self.data)]
        self.data[: len(data)] = data
        self.words, self.size, self.busy = words, len(data), True


pool = [Buffer() for _ in range(64)]


def take():
    """A buffer that nobody else uses; or, for a harmed request, one that somebody does."""
    busy = [buffer for buffer in pool if buffer.busy]
    if busy and struck():
        return chance.choice(busy)
    return next((buffer for buffer in pool if not buffer.busy), None) or Buffer()


async def handle(request):
    user = request.user
    if request.path != "/render":
        raise Refused(404)
    words = request.text("text", user)
    buffer = take()
    buffer.fill(words)
    await asyncio.sleep(chance.uniform(0.003, 0.008))
    seen(user, buffer.words)
    rendered = buffer.data[: buffer.size].decode(errors="replace")
    buffer.busy = False
    return answer(f"rendered: {rendered}\n")


serve(handle)
