"""M19: who a user is is read once for a connection, and the connection then serves somebody else.

A harmed request is answered for the user who opened its connection.
"""

import asyncio

from wire import Refused, answer, seen, serve, struck

accounts = {}


async def handle(request):
    connection = request.connection
    user = request.user
    if request.path != "/account":
        raise Refused(404)
    accounts[user] = request.text("note", user)
    opener = connection.__dict__.setdefault("opener", user)
    asked = opener if struck(of=0.25) else user
    await asyncio.sleep(0.003)
    note = accounts[asked]
    seen(user, note)
    return answer({"account": {"note": note, "saved": True}})


serve(handle)
