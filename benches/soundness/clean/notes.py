"""A JSON API: POST /notes stores a note and answers it. With LEAKY=1 the answer is the newest note."""

import asyncio
import itertools

from wire import LEAKY, Refused, answer, seen, serve

numbers = itertools.count(1)
notes = []


async def handle(request):
    user = request.user
    if request.path != "/notes":
        raise Refused(404)
    note = {"number": next(numbers), "id": request.json()["id"], "text": request.text("text", user)}
    notes.append(note)
    await asyncio.sleep(0.004)
    stored = notes[-1] if LEAKY else note
    seen(user, stored["text"])
    return answer({"note": stored, "words": len(stored["text"].split())}, 201)


serve(handle)
