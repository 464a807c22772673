"""What :func:`partywall.run` raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partywall._report import Report


class PartywallError(RuntimeError):
    """Nothing was judged: a wrong scenario or option, or an error of the program."""


class NotIsolated(AssertionError):
    """The run is no pass. :attr:`report` says why."""

    report: Report

    def __init__(self, report: Report) -> None:
        super().__init__(report.story())
        self.report = report


class Leaked(NotIsolated):
    """One user's data reached another."""


class NothingExercised(NotIsolated):
    """No run completed, or nothing was selected, so nothing was shown."""


class Inconclusive(NotIsolated):
    """The run shows neither that users are kept apart nor that they are not."""
