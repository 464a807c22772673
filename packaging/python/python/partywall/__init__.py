"""Finds where one user's data reaches another.

:func:`run` drives a server with many simulated users and fails where data of one of them reaches
another. :func:`isolated` does so for one application object, without a scenario file.
"""

from partywall._decorator import isolated
from partywall._errors import Inconclusive, Leaked, NotIsolated, NothingExercised, PartywallError
from partywall._report import Finding, Report
from partywall._run import run

__all__ = [
    "Finding",
    "Inconclusive",
    "Leaked",
    "NotIsolated",
    "NothingExercised",
    "PartywallError",
    "Report",
    "isolated",
    "run",
]
