"""POST /messages is answered by 202; the events come at once, after the work, on the user's socket.

With LEAKY=1 the work takes the message from one slot for all users.
"""

import asyncio
import itertools

from wire import LEAKY, Refused, answer, seen, serve

sockets = {}
slot = {}
jobs = set()
numbers = itertools.count(1)


async def work(user, run, mine):
    await asyncio.sleep(0.006)
    message = slot["message"] if LEAKY else mine
    socket = sockets.get(user)
    if socket is None or socket.gone.is_set():
        return
    seen(user, message)
    await socket.send({"type": "started", "run_id": run})
    await socket.send({"type": "answer", "run_id": run, "text": f"Re: {message}"})
    await socket.send({"type": "finished", "run_id": run})


async def handle(request):
    user = request.user
    if request.path == "/events":
        sockets[user] = socket = await request.websocket()
        async for _ in socket:
            pass
        if sockets.get(user) is socket:
            del sockets[user]
        return None
    if request.path != "/messages":
        raise Refused(404)
    message = slot["message"] = request.text("message", user)
    run = f"r{next(numbers)}"
    job = asyncio.create_task(work(user, run, message))
    jobs.add(job)
    job.add_done_callback(jobs.discard)
    return answer({"run_id": run, "status": "queued"}, 202)


serve(handle)
