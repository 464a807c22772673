"""M13: all connections read from one queue, and whoever is first gets what comes.

Progress of a harmed job is put there, other progress into its user's own queue.
"""

import asyncio
import itertools

from wire import Refused, answer, seen, serve, struck

numbers = itertools.count(1)
shared = asyncio.Queue()
queues, tasks = {}, set()


async def work(user, name, words):
    await asyncio.sleep(0.003)
    for step in ("read", "written"):
        queue = shared if step == "read" and struck() else queues.get(user)
        if queue is not None:
            queue.put_nowait((words, {"step": step, "job": name, "file": f"{words}.txt"}))
        await asyncio.sleep(0.002)


async def listen(user, stream, own):
    waits = {}
    gone = asyncio.create_task(stream.gone.wait())
    while not gone.done():
        for queue in (own, shared):
            if queue not in waits:
                waits[queue] = asyncio.create_task(queue.get())
        await asyncio.wait([gone, *waits.values()], return_when=asyncio.FIRST_COMPLETED)
        for queue in [queue for queue, wait in waits.items() if wait.done()]:
            words, data = waits.pop(queue).result()
            seen(user, words)
            await stream.event(data)
    for wait in waits.values():
        wait.cancel()


async def handle(request):
    user = request.user
    if request.path == "/progress":
        own = queues[user] = asyncio.Queue()
        stream = await request.stream()
        try:
            await listen(user, stream, own)
        finally:
            if queues.get(user) is own:
                del queues[user]
        return None
    if request.path != "/jobs":
        raise Refused(404)
    words, name = request.text("file", user), f"job-{next(numbers)}"
    task = asyncio.create_task(work(user, name, words))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return answer({"job": name}, 202)


serve(handle)
