"""The plugin, as pytest runs it in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from conftest import write_applications

LEAKS = """
import partywall

def test_leaks():
    partywall.run("chat.toml", app="leaky:app")
"""


Found = TypeVar("Found")


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with applications to drive."""
    write_applications(pytester.path)
    pytester.makeini("[pytest]\npythonpath = .\n")
    return pytester


def reports(project: pytest.Pytester, folder: str = "reports") -> list[dict[str, object]]:
    """The reports of all runs."""
    files = sorted((project.path / folder / "runs").glob("*/2*/report.json"))
    return [json.loads(file.read_text()) for file in files]


def until(holds: Callable[[], Found]) -> Found:
    """Waits for something, and gives it."""
    limit = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < limit
        time.sleep(0.05)
    return found


def processes() -> set[int]:
    """All that live; those that only wait to be taken note of do not."""
    table = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in table.stdout.splitlines()]
    return {int(pid) for pid, state in rows if not state.startswith("Z")}


def parent_of(process: int) -> int:
    """The process that started it; 0 where it has ended."""
    row = subprocess.run(["ps", "-o", "ppid=", "-p", str(process)], capture_output=True, text=True)
    return int(row.stdout.strip() or 0)


def test_a_leak_fails_the_test_with_its_story(project: pytest.Pytester) -> None:
    project.makepyfile(LEAKS)
    result = project.runpytest_subprocess("--junitxml=junit.xml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*LEAKED: one user's data reached another*", "*report.html*"])
    # Nothing of the plugin's own frames.
    assert "_run.py" not in result.stdout.str()
    properties = ElementTree.parse(project.path / "junit.xml").iter("property")
    named = {own.get("name"): own.get("value") for own in properties}
    assert named["partywall_verdict"] == "leaked"
    assert Path(named["partywall_html"] or "").is_file()
    assert Path(named["partywall_json"] or "").is_file()


def test_options_of_the_command_line_win(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import partywall

        def test_sound():
            report = partywall.run("chat.toml", app="sound:app", users=6, seed=3)
            assert report.data["seed"] == "7"
            assert report.data["levels"][0]["users"] == [8, 8]
        """
    )
    options = ("--partywall-users=8", "--partywall-seed=7", "--partywall-report-dir=elsewhere")
    project.runpytest_subprocess(*options).assert_outcomes(passed=1)
    assert len(reports(project, "elsewhere")) == 1 and not (project.path / "reports").exists()


def test_the_marker_says_what_the_fixture_does_not(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.partywall(app="sound:app", users=6, seed=5)
        def test_sound(partywall):
            report = partywall.run("chat.toml", users=7)
            assert report.data["seed"] == "5"
            assert report.data["levels"][0]["users"] == [7, 7]
        """
    )
    project.runpytest_subprocess("--strict-markers").assert_outcomes(passed=1)


def test_the_decorator_needs_no_file_and_keeps_fixtures(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import asyncio
        import partywall
        import pytest
        import sound
        from leaky import app

        REQUEST = {"path": "/chat", "body": {"message": "{{ prompt }}"}, "users": 10, "rounds": 2}

        @partywall.isolated(app=sound.app, **REQUEST)
        def test_sound(report, tmp_path):
            assert report.is_isolated and tmp_path.is_dir()

        @partywall.isolated(app=app, **REQUEST)
        def test_leaks():
            raise AssertionError("its body is not run")

        @partywall.isolated(app=sound.app, **REQUEST)
        async def awaited(report):
            return report.verdict

        def test_an_async_one():
            assert asyncio.run(awaited()) == "clean"
        """
    )
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*LEAKED*"])
    assert "its body is not run" not in result.stdout.str().split("LEAKED")[1]


def test_an_application_in_the_test_itself_is_served(project: pytest.Pytester) -> None:
    body = (project.path / "sound.py").read_text()
    (project.path / "deep").mkdir()
    test = """
import partywall

@partywall.isolated(app=app, path="/chat", body={"message": "{{ prompt }}"}, users=10, rounds=2)
def test_sound(): ...
"""
    (project.path / "deep" / "test_own.py").write_text(body + test)
    # There the folder of the test is on no path.
    project.runpytest_subprocess("--import-mode=importlib", "deep").assert_outcomes(passed=1)


def test_no_verdict_but_clean_passes_or_is_skipped(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys
        import partywall

        def test_dead():
            partywall.run("chat.toml", command=[sys.executable, "-c", "exit(3)", "{{ port }}"])

        def test_unmatched():
            partywall.run(app="sound:app", path="/chat", body={"other": "{{ prompt }}"}, users=6, rounds=1)
        """
    )
    project.runpytest_subprocess().assert_outcomes(failed=2)
    assert {report["exit_code"] for report in reports(project)} == {"inconclusive", "nothing_exercised"}


def test_what_kills_pytest_leaves_nothing_behind(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import partywall

        def test_long():
            partywall.run("chat.toml", app="sound:app", rounds=5000)
        """
    )
    started = project.popen([sys.executable, "-m", "pytest"], stdout=subprocess.DEVNULL)
    runs = project.path / "reports" / "runs"
    # The first connections: the server is there, and is driven.
    campaign = until(lambda: [own.parent for own in runs.glob("*/2*/histories")])[0] / "campaign.json"
    process = json.loads(campaign.read_text())["process"]
    servers = [own for own in processes() if parent_of(own) == process]
    assert servers and process in processes()
    started.kill()
    started.wait()
    until(lambda: not {process, *servers} & processes())
    # What was seen until then is there.
    assert [report["exit_code"] for report in reports(project)] == ["interrupted"]


def test_two_test_runs_at_once_read_their_own_reports(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_both="""
        import partywall

        def test_seed(request):
            seed = request.config.getoption("partywall_seed")
            report = partywall.run("chat.toml", app="sound:app")
            assert report.data["seed"] == str(seed)
        """
    )
    runs = [
        project.popen(
            [sys.executable, "-m", "pytest", f"--partywall-seed={seed}"], stdout=subprocess.DEVNULL
        )
        for seed in (3, 4)
    ]
    assert [run.wait() for run in runs] == [0, 0]
    assert {report["seed"] for report in reports(project)} == {"3", "4"}


def test_workers_of_xdist_do_not_meet(project: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    project.makepyfile(
        """
        import partywall
        import pytest

        @pytest.mark.parametrize("which", range(4))
        def test_sound(which):
            partywall.run("chat.toml", app="sound:app", seed=which)

        def test_leaks():
            partywall.run("chat.toml", app="leaky:app")
        """
    )
    result = project.runpytest_subprocess("-n", "2", "--junitxml=junit.xml")
    result.assert_outcomes(passed=4, failed=1)
    properties = ElementTree.parse(project.path / "junit.xml").iter("property")
    pages = {own.get("value") for own in properties if own.get("name") == "partywall_html"}
    assert len(pages) == len(reports(project)) == 5
