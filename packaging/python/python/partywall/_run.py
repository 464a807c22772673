"""Starts the program and reads what it reports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

from partywall._application import Application
from partywall._binary import find_binary
from partywall._errors import Inconclusive, Leaked, NotIsolated, NothingExercised, PartywallError
from partywall._report import Report, read_report
from partywall._scenario import request_scenario

#: What a run is given where the call does not say: by the marker of a test.
defaults: Callable[[], Mapping[str, Any]] = dict
#: What a run is given whatever the call says: by options of the command line.
overrides: Callable[[], Mapping[str, Any]] = dict
#: Who is told of every report.
listeners: list[Callable[[Report], None]] = []

_VERDICTS: dict[str, type[NotIsolated]] = {
    "leaked": Leaked,
    "nothing_exercised": NothingExercised,
}


def run(
    scenario: Union[str, os.PathLike[str], None] = None,
    *,
    app: Union[str, object, None] = None,
    command: Optional[Sequence[str]] = None,
    url: Optional[str] = None,
    path: Optional[str] = None,
    body: Optional[Mapping[str, Any]] = None,
    method: Optional[str] = None,
    answer: Optional[str] = None,
    headers: Optional[Mapping[str, str]] = None,
    users: Optional[int] = None,
    rounds: Optional[int] = None,
    seed: Optional[int] = None,
    time_limit: Optional[int] = None,
    report_dir: Union[str, os.PathLike[str], None] = None,
    name: Optional[str] = None,
    check: bool = True,
) -> Report:
    """Drives a server with many simulated users at once.

    ``scenario`` is a scenario file. Without one, ``path``, ``method`` (POST) and ``body`` say what each
    user asks, ``answer`` (``json`` or ``stream``) how that is answered, and ``headers`` how users are
    told apart.

    The server is what ``[target]`` of the scenario says, or one of these: ``app``, an ASGI
    application as ``"module:attribute"`` or the object itself, served by uvicorn; ``command``, which
    starts it and has ``{{ port }}`` among its words; ``url``, where it runs already.

    Raises :class:`Leaked`, :class:`NothingExercised` or :class:`Inconclusive` where the run is no
    pass, unless ``check`` is false; :class:`PartywallError` where nothing was judged.
    """
    __tracebackhide__ = True
    own = ("check", "__tracebackhide__")
    options = {key: value for key, value in locals().items() if value is not None and key not in own}
    merged = {**defaults(), **options, **overrides()}
    report = _run(merged)
    for listener in listeners:
        listener(report)
    if check and not report.is_isolated:
        raise _VERDICTS.get(report.exit_code, Inconclusive)(report)
    return report


def _run(options: dict[str, Any]) -> Report:
    __tracebackhide__ = True
    targets = [key for key in ("app", "command", "url") if options.get(key) is not None]
    if len(targets) > 1:
        raise PartywallError(f"give one of app, command and url, not {' and '.join(targets)}")
    if (options.get("scenario") is None) == (options.get("path") is None):
        raise PartywallError("give a scenario file, or `path` and `body` of a request")
    environment = dict(os.environ)
    arguments: list[str] = []
    if options.get("app") is not None:
        application = Application.of(options["app"])
        arguments += ["--command", json.dumps(application.command())]
        environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    elif options.get("command") is not None:
        arguments += ["--command", json.dumps(list(options["command"]))]
    elif options.get("url") is not None:
        arguments += ["--target", options["url"]]
    elif options.get("scenario") is None:
        raise PartywallError("say what is driven: give app, command or url")
    for key, flag in (
        ("users", "--users"),
        ("rounds", "--rounds"),
        ("seed", "--seed"),
        ("time_limit", "--time-limit"),
    ):
        if options.get(key) is not None:
            arguments += [flag, str(options[key])]
    with tempfile.TemporaryDirectory(prefix="partywall-") as folder:
        scenario = options.get("scenario")
        if scenario is None:
            scenario = Path(folder) / "request.toml"
            text = request_scenario(options)
            scenario.write_text(text, encoding="utf-8")
        return _start([os.fspath(scenario), *arguments], options, environment)


def _start(arguments: list[str], options: dict[str, Any], environment: dict[str, str]) -> Report:
    __tracebackhide__ = True
    reports = Path(options.get("report_dir") or "reports").absolute()
    name = _plain(options.get("name") or "python")
    series = reports / "runs" / name
    earlier = _folders(series)
    own = ["--report-dir", str(reports), "--name", name, "--report", "html", "--until-stdin-closes"]
    shown = ["--color", "never", "--annotations", "none"]
    # Its input stays open as long as this process lives, and the program ends with it.
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [find_binary(), "run", *arguments, *own, *shown],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=reading,
            env=environment,
        )
        try:
            out, errors = process.communicate()
        except BaseException:
            # It was interrupted as well, and ends the server that it started.
            process.terminate()
            process.wait()
            raise
    finally:
        os.close(reading)
        os.close(writing)
    text = out.decode("utf-8", "replace")
    told = errors.decode("utf-8", "replace").strip()
    made = _made_by(process.pid, _folders(series) - earlier)
    if process.returncode in (2, 3) or made is None or not (made / "report.json").is_file():
        raise PartywallError(told or f"partywall ended with {process.returncode} and no report")
    return read_report(made, text)


def _made_by(process: int, made: set[Path]) -> Optional[Path]:
    """The run folder of that process: another test run may write beside it."""
    for folder in made:
        try:
            campaign = json.loads((folder / "campaign.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if campaign.get("process") == process:
            return folder
    return None


def _folders(series: Path) -> set[Path]:
    if not series.is_dir():
        return set()
    return {entry for entry in series.iterdir() if entry.is_dir() and not entry.is_symlink()}


def _plain(name: str) -> str:
    """The name with what may stand in the name of a run folder."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")
    return plain[-100:].lstrip("-.") or "python"
