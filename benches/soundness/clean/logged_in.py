"""A log-in gives a session cookie, and the session remembers what its user asked before.

With LEAKY=1 what was asked before is read from a global that every request sets.
"""

import asyncio
import secrets

from wire import LEAKY, Refused, answer, seen, serve

sessions = {}
before = {"asked": None}


async def handle(request):
    if request.path == "/login":
        user = request.json()["name"]
        session = secrets.token_urlsafe(24)
        sessions[session] = {"user": user, "asked": None}
        cookie = f"session={session}; Path=/; HttpOnly; SameSite=Lax"
        return answer({"welcome": user}, headers=[("set-cookie", cookie)])
    session = sessions.get(request.cookies.get("session"))
    if session is None:
        raise Refused(401)
    if request.path != "/ask":
        raise Refused(404)
    user = session["user"]
    asked = request.text("question", user)
    known = before if LEAKY else session
    await asyncio.sleep(0.004)
    earlier, known["asked"] = known["asked"], asked
    seen(user, asked, *([earlier] if earlier else []))
    return answer({"user": user, "question": asked, "earlier": earlier, "answer": "It depends."})


serve(handle)
