"""M02: a channel to a model gives the number of a request that timed out to the next one.

The late reply then comes to the new owner of the number. Sound requests leave such numbers alone
until their reply has come.
"""

import asyncio
import itertools
import json

from wire import Refused, chance, seen, serve, struck

fresh = itertools.count(1)
waiting = {}
orphaned = []


def reply(number, words):
    future = waiting.pop(number, None)
    if number in orphaned:
        orphaned.remove(number)
    if future and not future.done():
        future.set_result(words)


async def ask(words):
    while True:
        number = orphaned.pop() if orphaned and struck(of=0.3) else next(fresh)
        loop = asyncio.get_running_loop()
        future = waiting[number] = loop.create_future()
        delay = 0.014 if chance.random() < 0.25 else chance.uniform(0.003, 0.008)
        loop.call_later(delay, reply, number, words)
        try:
            return await asyncio.wait_for(future, 0.01)
        except TimeoutError:
            waiting.pop(number, None)
            orphaned.append(number)


async def handle(request):
    user = request.user
    if request.path != "/generate":
        raise Refused(404)
    words = request.text("prompt", user)
    stream = await request.stream("application/x-ndjson")
    await stream.write(json.dumps({"event": "begin"}) + "\n")
    made = await ask(words)
    seen(user, made)
    await stream.write(json.dumps({"event": "text", "text": made}) + "\n")
    await stream.write(json.dumps({"event": "end"}) + "\n")
    return await stream.end()


serve(handle)
