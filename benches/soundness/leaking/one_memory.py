"""M06: a conversation memory that is made once, with the application.

A harmed request is answered from that memory, others from their user's own.
"""

import asyncio
import collections

from wire import Refused, answer, seen, serve, struck

memory = collections.deque(maxlen=3)
memories = collections.defaultdict(lambda: collections.deque(maxlen=3))


async def handle(request):
    user = request.user
    if request.path != "/chat":
        raise Refused(404)
    words = request.text("message", user)
    memory.append(words)
    memories[user].append(words)
    known = list(memory if struck() else memories[user])
    await asyncio.sleep(0.003)
    seen(user, *known)
    return answer({"reply": "Noted.", "context": [{"role": "user", "content": one} for one in known]})


serve(handle)
