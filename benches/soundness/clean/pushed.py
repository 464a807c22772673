"""Orders are placed by POST, and what came of them is pushed on a stream of server-sent events.

With LEAKY=1 an order is pushed to whoever opened a stream last before the order.
"""

import asyncio
import itertools

from wire import LEAKY, Refused, answer, seen, serve

numbers = itertools.count(1)
inboxes = {}


async def place(user, name, item):
    await asyncio.sleep(0.005)
    told = user
    if LEAKY and inboxes:
        told = list(inboxes)[next(numbers) % len(inboxes)]
    if told in inboxes:
        inboxes[told].put_nowait((item, {"order": name, "status": "confirmed", "item": item}))


async def handle(request):
    user = request.user
    if request.path == "/stream":
        inbox = inboxes[user] = asyncio.Queue()
        stream = await request.stream()
        gone = asyncio.create_task(request.connection.gone.wait())
        while not gone.done():
            item = asyncio.create_task(inbox.get())
            await asyncio.wait([item, gone], return_when=asyncio.FIRST_COMPLETED)
            if item.done():
                words, data = item.result()
                seen(user, words)
                await stream.event(data, name="order")
            else:
                item.cancel()
        if inboxes.get(user) is inbox:
            del inboxes[user]
        return None
    if request.path != "/orders":
        raise Refused(404)
    name, item = request.json()["order"], request.text("item", user)
    request.connection.job = asyncio.create_task(place(user, name, item))
    return answer(status=204)


serve(handle)
