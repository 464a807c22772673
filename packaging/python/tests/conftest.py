"""Applications to drive: small ones without a framework."""

from __future__ import annotations

from pathlib import Path

import pytest

from partywall import _run

pytest_plugins = ["pytester"]

#: Answers with the message of whoever came last: a leak.
LEAKY = '''
import asyncio
import json

last = {}


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    mine = {"message": json.loads(body)["message"] if body else ""}
    last.update(mine)
    await asyncio.sleep(0.05)
    answer = json.dumps({"answer": "you said " + (WHOSE)["message"]}).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
'''.replace("WHOSE", "last")

#: Answers with what the user said.
SOUND = LEAKY.replace("(last)", "(mine)")

#: The same leak, in server-sent events.
STREAMING = LEAKY.replace("application/json", "text/event-stream").replace(
    "headers})\n", """headers})
    for piece in ("thinking", answer.decode()):
        event = f"data: {piece}\\n\\n".encode()
        await send({"type": "http.response.body", "body": event, "more_body": True})
        await asyncio.sleep(0.01)
    answer = b"data: [DONE]\\n\\n"
"""
)

SCENARIO = """
version = 1
name = "chat"
title = "Chats that start together"

[identity]
headers = { x-user-id = "{{ user }}" }

[start]
by = "http"
path = "/chat"
answer = "json"
json = { message = "{{ prompt }}" }

[workload]
users = 10
rounds = 2
"""


@pytest.fixture(autouse=True)
def _reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps run folders out of this one."""
    monkeypatch.setattr(_run, "defaults", lambda: {"report_dir": tmp_path / "reports"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a leaky application, a sound one, and a scenario."""
    write_applications(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def write_applications(folder: Path) -> None:
    """Writes them."""
    (folder / "leaky.py").write_text(LEAKY)
    (folder / "streaming.py").write_text(STREAMING)
    (folder / "sound.py").write_text(SOUND)
    (folder / "chat.toml").write_text(SCENARIO)
