"""The pytest plugin: options, a marker, a fixture, and the report of every run beside its test."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from typing import Any, Optional

import pytest

from partywall import _run
from partywall._report import Report

_MARKER = "partywall(**options): what partywall.run is given in this test where the call does not say"


class PartywallRunner:
    """What the fixture ``partywall`` is: :func:`partywall.run` with the options of the marker."""

    def run(self, scenario: Any = None, **options: Any) -> Report:
        """The same as :func:`partywall.run`."""
        __tracebackhide__ = True
        return _run.run(scenario, **options)


class _Current:
    """The test that runs now; a process runs one at a time."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.item: Optional[pytest.Item] = None

    def defaults(self) -> Mapping[str, Any]:
        options: dict[str, Any] = {"report_dir": self.config.rootpath / "reports"}
        if self.item is not None:
            worker = os.environ.get("PYTEST_XDIST_WORKER", "")
            options["name"] = f"{worker}-{self.item.nodeid}" if worker else self.item.nodeid
            for marker in reversed(list(self.item.iter_markers("partywall"))):
                options.update(marker.kwargs)
        return options

    def overrides(self) -> Mapping[str, Any]:
        named = {key: self.config.getoption(f"partywall_{key}") for key in ("users", "seed", "report_dir")}
        return {key: value for key, value in named.items() if value is not None}

    def attach(self, report: Report) -> None:
        if self.item is None:
            return
        self.item.user_properties.append(("partywall_verdict", report.verdict))
        self.item.user_properties.append(("partywall_html", str(report.html)))
        self.item.user_properties.append(("partywall_json", str(report.json)))
        text = f"{report.verdict}\npage: {report.html}\nrecord: {report.json}"
        self.item.add_report_section("call", "partywall", text)


_CURRENT = pytest.StashKey[_Current]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options."""
    group = parser.getgroup("partywall", "isolation of concurrent users")
    group.addoption("--partywall-users", type=int, metavar="N", help="Simulated users of every run")
    group.addoption("--partywall-seed", type=int, metavar="N", help="Random seed of every run")
    group.addoption("--partywall-report-dir", metavar="DIR", help="Where run folders go [default: reports]")


def pytest_configure(config: pytest.Config) -> None:
    """Tells runs of this process which test they are in."""
    config.addinivalue_line("markers", _MARKER)
    current = _Current(config)
    config.stash[_CURRENT] = current
    before = (_run.defaults, _run.overrides)
    attach = current.attach

    def restore() -> None:
        _run.defaults, _run.overrides = before
        _run.listeners.remove(attach)

    config.add_cleanup(restore)
    _run.defaults, _run.overrides = current.defaults, current.overrides
    _run.listeners.append(attach)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, None, None]:
    """Remembers the test for as long as it runs, its fixtures included."""
    current = item.config.stash[_CURRENT]
    current.item = item
    try:
        yield
    finally:
        current.item = None


@pytest.fixture
def partywall() -> PartywallRunner:
    """Drives a server: ``partywall.run("chat.toml", app="app:app")``."""
    return PartywallRunner()
