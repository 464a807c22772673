"""M21: requests are answered in batches, sorted by length, and the results are taken as if they were not.

A harmed request takes the result that stands at its own place of the batch.
"""

import asyncio

from wire import Refused, answer, seen, serve, struck

batch = []


async def infer():
    await asyncio.sleep(0.004)
    members, batch[:] = batch[:], []
    by_length = sorted((words for words, _ in members), key=lambda words: (len(words), words))
    await asyncio.sleep(0.003)
    for place, (words, done) in enumerate(members):
        if not done.done():
            done.set_result(by_length[place] if struck(of=0.9) else words)


async def handle(request):
    user = request.user
    if request.path != "/infer":
        raise Refused(404)
    words = request.text("input", user)
    done = asyncio.get_running_loop().create_future()
    batch.append((words, done))
    if len(batch) == 1:
        request.connection.batch = asyncio.create_task(infer())
    output = await done
    seen(user, output)
    return answer({"outputs": [{"text": output, "score": 0.5}]})


serve(handle)
