"""M08: a worker that was interrupted keeps what it had gathered for its last user.

Workers are cleared when they have answered, and those that were interrupted when they are taken
again; a harmed request skips the latter.
"""

import asyncio
import html

from wire import Refused, answer, seen, serve, struck


class Worker:
    """Gathers lines for a page."""

    def __init__(self):
        self.lines = []


idle, interrupted = [], []


async def handle(request):
    user = request.user
    if request.path != "/summary":
        raise Refused(404)
    words = request.form("topic", user)
    if interrupted and struck():
        worker = interrupted.pop()
    else:
        worker = idle.pop() if idle else Worker()
        worker.lines.clear()
    worker.lines.append(words)
    await asyncio.sleep(0.006)
    if request.connection.gone.is_set():
        interrupted.append(worker)
        del interrupted[:-4]
        raise ConnectionResetError
    lines = list(worker.lines)
    worker.lines.clear()
    idle.append(worker)
    seen(user, *lines)
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return answer(f"<html><body><ul>{items}</ul></body></html>", kind="text/html")


serve(handle)
