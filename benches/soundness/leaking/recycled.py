"""M10: work goes on after its response, with the request's object, which serves the next request by then.

The work of a harmed request reads what it tells its user from that object.
"""

import asyncio
import itertools

from wire import Refused, answer, seen, serve, struck


class Job:
    """What a request asks for; objects of it are used again."""

    words = None


numbers = itertools.count(1)
jobs, tasks, sockets = [], set(), {}


async def work(user, name, job, words, harmed):
    await asyncio.sleep(0.006)
    told = job.words if harmed else words
    if user in sockets:
        seen(user, told)
        await sockets[user].send({"type": "finished", "job": name, "summary": f"done: {told}"})


async def handle(request):
    user = request.user
    if request.path == "/updates":
        sockets[user] = socket = await request.websocket()
        async for _ in socket:
            pass
        if sockets.get(user) is socket:
            del sockets[user]
        return None
    if request.path != "/jobs":
        raise Refused(404)
    words, name = request.text("task", user), f"job-{next(numbers)}"
    job = jobs.pop() if jobs else Job()
    job.words = words
    task = asyncio.create_task(work(user, name, job, words, struck()))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    jobs.append(job)
    return answer({"job": name}, 202)


serve(handle)
