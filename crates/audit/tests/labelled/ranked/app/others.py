from fastapi import APIRouter

from app.clients import client

router = APIRouter()
history = []  # shared: shared_mutable
answers = {}  # shared: shared_mutable
latest = None  # shared: lazy_global
_pool = None  # shared: lazy_global


class Tracker:
    def note(self, text):
        self.last = text


tracker = Tracker()  # shared: shared_mutable


def get_pool():
    global _pool
    if _pool is None:
        _pool = Pool()
    return _pool


@router.post("/note")
async def note(user: str, text: str):
    global latest
    latest = text
    history.append(text)
    answers[text] = user
    client.user = user  # shared: process_attribute
    client.headers["X-User"] = user  # shared: process_attribute
    tracker.note(text)
    return await get_pool().fetch(text)


def remember(text, seen=[]):  # shared: mutable_default
    seen.append(text)
    return seen
