"""M04: a document is named by the second in which it was made, and two documents have one name.

A harmed request reads its document back by that name; others by a number of their own.
"""

import asyncio
import itertools
import time

from wire import Refused, answer, seen, serve, struck

numbers = itertools.count(1)
documents = {}


async def handle(request):
    user = request.user
    if request.path != "/documents":
        raise Refused(404)
    words = request.text("text", user)
    own, clock = f"doc-{next(numbers)}", f"doc-at-{int(time.time())}"
    documents[own] = documents[clock] = words
    await asyncio.sleep(0.005)
    name = clock if struck() else own
    stored = documents[name]
    del documents[own]
    seen(user, stored)
    return answer({"id": name, "text": stored}, 201)


serve(handle)
