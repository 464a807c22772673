"""M01: a request that is abandoned gives its store connection back with the reply unread.

Connections with unread replies are set aside; a harmed request takes one of them, and reads first
what was meant for the one before.
"""

import asyncio

from wire import Refused, answer, chance, seen, serve, struck


class StoreConnection:
    """A connection to a store, which answers in the order in which it is asked."""

    def __init__(self):
        self.replies = asyncio.Queue()

    def ask(self, words):
        delay = chance.uniform(0.002, 0.008)
        asyncio.get_running_loop().call_later(delay, self.replies.put_nowait, words)


idle, unread = [], []


async def handle(request):
    user = request.user
    if request.path != "/lookup":
        raise Refused(404)
    words = request.text("key", user)
    if unread and struck():
        store = unread.pop()
    else:
        store = idle.pop() if idle else StoreConnection()
    store.ask(words)
    reply = asyncio.create_task(store.replies.get())
    gone = asyncio.create_task(request.connection.gone.wait())
    await asyncio.wait([reply, gone], return_when=asyncio.FIRST_COMPLETED)
    if not reply.done():
        reply.cancel()
        unread.append(store)
        del unread[:-4]
        raise ConnectionResetError
    gone.cancel()
    found = reply.result()
    (idle if found is words else unread).append(store)
    seen(user, found)
    return answer({"key": words, "value": f"value of {found}"})


serve(handle)
