"""M07: the output of a user's program is captured by setting sys.stdout for the whole process.

Programs write to the output that their run was given; that of a harmed run writes to sys.stdout,
which by then may be another run's.
"""

import asyncio
import contextlib

from wire import Refused, answer, chance, seen, serve, struck
import sys


class Captured(list):
    """What was written."""

    write = list.append


async def program(words, output):
    await asyncio.sleep(chance.uniform(0.002, 0.006))
    (sys.stdout if struck() else output).write(words)


async def handle(request):
    user = request.user
    if request.path != "/execute":
        raise Refused(404)
    words, output = request.text("code", user), Captured()
    with contextlib.redirect_stdout(output):
        await program(words, output)
        await asyncio.sleep(chance.uniform(0.001, 0.005))
    seen(user, *output)
    return answer({"exit": 0, "stdout": "".join(f"{line}\n" for line in output)})


serve(handle)
