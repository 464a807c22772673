"""A report, as far as a test needs it; :attr:`Report.data` has all of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional


@dataclass(frozen=True)
class Finding:
    """One leak, or another wrong that the verdict counts."""

    oracle: str
    """Who found it: ``O1`` to ``O10``; ``partywall explain O1`` says what that means."""
    kind: str
    """``crossing`` where data of one user reached another."""
    victim: str
    """The user whose data it was."""
    observer: str
    """The user who saw it."""
    summary: str
    """One sentence."""
    fingerprint: str
    """Stays the same when the same fault is found again."""
    reproduce_with: Optional[str]
    """The command that reproduces it."""


@dataclass(frozen=True)
class Report:
    """What a run came to."""

    verdict: str
    """``clean``, ``leaked`` or ``inconclusive``."""
    exit_code: str
    """``clean``, ``leaked``, ``nothing_exercised``, ``inconclusive`` or ``interrupted``."""
    reasons: tuple[str, ...]
    """Why the verdict is what it is."""
    findings: tuple[Finding, ...]
    """All findings."""
    text: str
    """The report as the terminal shows it."""
    folder: Path
    """The run folder."""
    data: dict[str, Any]
    """The whole of ``report.json``."""

    @property
    def json(self) -> Path:
        """The report in JSON."""
        return self.folder / "report.json"

    @property
    def html(self) -> Path:
        """The report as a page."""
        return self.folder / "report.html"

    @property
    def is_isolated(self) -> bool:
        """Whether nothing crossed and every control fired."""
        return self.verdict == "clean"

    def story(self) -> str:
        """The report and where it is."""
        where = f"page: {self.html}\nrecord: {self.json}"
        return f"{self.text.strip()}\n\n{where}"


def read_report(folder: Path, text: str) -> Report:
    """The report in that run folder."""
    data: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    levels = data.get("levels", [])
    findings = tuple(_finding(found) for level in levels for found in level.get("findings", []))
    return Report(
        verdict=data["verdict"],
        exit_code=data["exit_code"],
        reasons=tuple(reason["text"] for reason in data["reasons"]),
        findings=findings,
        text=text,
        folder=folder,
        data=data,
    )


def _finding(found: dict[str, Any]) -> Finding:
    return Finding(
        oracle=found["oracle"],
        kind=found["kind"],
        victim=found["victim"],
        observer=found["observer"],
        summary=found["summary"],
        fingerprint=found["fingerprint"],
        reproduce_with=found.get("reproduce_with"),
    )
