"""M11: a worker runs in the context of the request that started it, and knows that request's user.

Jobs carry their user with them; a harmed one is done for the user of the worker's context. A worker
ends when it has had nothing to do for a moment, and the next request starts another.
"""

import asyncio
import contextvars

from wire import Refused, Words, answer, chance, seen, serve, struck

current_user = contextvars.ContextVar("current_user")
queue = asyncio.Queue()
last_said = {}
worker = None


async def work():
    while True:
        try:
            user, done = await asyncio.wait_for(queue.get(), 0.03)
        except TimeoutError:
            return
        await asyncio.sleep(chance.uniform(0.0002, 0.001))
        done.set_result(last_said[current_user.get() if struck() else user])


async def handle(request):
    global worker
    user = request.user
    if request.path != "/remind":
        raise Refused(404)
    current_user.set(user)
    last_said[user] = request.text("note", user)
    if worker is None or worker.done():
        worker = asyncio.create_task(work())
    done = asyncio.get_running_loop().create_future()
    queue.put_nowait((user, done))
    note = await done
    seen(user, note)
    return answer({"reminder": {"title": "Do not forget", "note": note}})


serve(handle)
