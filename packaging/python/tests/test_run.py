"""``partywall.run`` without pytest's plugin."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import partywall

REQUEST = {"path": "/chat", "body": {"message": "{{ prompt }}"}, "users": 10, "rounds": 2}


def test_a_leak_fails_with_its_story_and_its_files(folder: Path) -> None:
    with pytest.raises(partywall.Leaked) as raised:
        partywall.run("chat.toml", app="leaky:app", report_dir=folder / "reports")
    report = raised.value.report
    assert report.verdict == "leaked" and not report.is_isolated
    assert report.json.is_file() and report.html.is_file()
    assert report.folder.is_relative_to(folder / "reports")
    found = report.findings[0]
    assert found.victim != found.observer or found.kind != "crossing"
    assert found.reproduce_with is not None and "partywall replay" in found.reproduce_with
    assert found.summary in " ".join(str(raised.value).split())


def test_a_sound_application_passes(folder: Path) -> None:
    report = partywall.run(app="sound:app", **REQUEST)
    assert report.is_isolated and report.findings == ()


def test_without_check_a_leak_is_returned(folder: Path) -> None:
    report = partywall.run(app="leaky:app", check=False, **REQUEST)
    assert report.verdict == "leaked"


def test_a_stream_is_read(folder: Path) -> None:
    with pytest.raises(partywall.Leaked):
        partywall.run(app="streaming:app", answer="stream", **REQUEST)


def test_an_application_object_is_found_in_its_module(folder: Path) -> None:
    import leaky

    report = partywall.run(app=leaky.app, check=False, **REQUEST)
    assert report.verdict == "leaked"


def test_a_closure_cannot_be_served() -> None:
    def make() -> object:
        async def app(scope: object, receive: object, send: object) -> None: ...

        return app

    with pytest.raises(partywall.PartywallError, match="no attribute of a module"):
        partywall.run(app=make(), **REQUEST)


def test_a_server_that_does_not_start_is_no_pass(folder: Path) -> None:
    dead = [sys.executable, "-c", "print('no such model'); raise SystemExit(3)", "{{ port }}"]
    with pytest.raises(partywall.Inconclusive) as raised:
        partywall.run("chat.toml", command=dead)
    assert "no such model" in str(raised.value)
    assert raised.value.report.json.is_file()


def test_nothing_exercised_is_no_pass(folder: Path) -> None:
    refuses = folder / "refuses.py"
    refuses.write_text(
        "import sys\n"
        "from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer\n"
        "class Refuse(BaseHTTPRequestHandler):\n"
        "    def do_POST(self):\n"
        "        self.send_error(500)\n"
        "    def log_message(self, *words): pass\n"
        "ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Refuse).serve_forever()\n"
    )
    with pytest.raises(partywall.NothingExercised) as raised:
        partywall.run(command=[sys.executable, str(refuses), "{{ port }}"], **REQUEST)
    assert raised.value.report.exit_code == "nothing_exercised"


def test_who_cannot_be_reached_is_no_pass_even_where_doubt_is_let_pass(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTYWALL_INCONCLUSIVE", "warn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(partywall.Inconclusive):
        partywall.run(url=f"http://127.0.0.1:{port}", **REQUEST)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"app": "leaky:app", "url": "http://127.0.0.1:1", **REQUEST}, "one of app"),
        ({**REQUEST}, "what is driven"),
        ({"app": "leaky:app"}, "scenario file"),
        ({"app": "leaky", **REQUEST}, "module:attribute"),
        ({"app": "leaky:app", **REQUEST, "body": {}}, "prompt"),
        ({"app": "leaky:app", **REQUEST, "answer": "smoke"}, "answer"),
        ({"app": "leaky:app", **REQUEST, "users": 1}, "--users"),
        ({"scenario": "no-such.toml", "app": "leaky:app"}, "no-such.toml"),
    ],
)
def test_what_cannot_be_driven_is_an_error(folder: Path, options: dict[str, object], why: str) -> None:
    with pytest.raises(partywall.PartywallError, match=why):
        partywall.run(**options)  # type: ignore[arg-type]


def test_as_a_module_it_is_the_program() -> None:
    command = [sys.executable, "-m", "partywall", "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("partywall 0.")
    wrong = subprocess.run([*command[:-1], "--no-such"], capture_output=True, check=False)
    assert wrong.returncode == 2
