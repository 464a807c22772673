"""A test of one application object, without a scenario file."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from partywall._run import run

_Test = TypeVar("_Test", bound=Callable[..., Any])


def isolated(**options: Any) -> Callable[[_Test], _Test]:
    """Drives an application before the decorated test runs, which fails where users are not kept apart.

    The options are those of :func:`partywall.run`; ``app`` is the application object, which a child
    process imports by its module and name. A test with a parameter ``report`` is given the report::

        @partywall.isolated(app=app, path="/chat", body={"message": "{{ prompt }}"}, answer="stream")
        def test_chat(report): ...
    """

    def decorate(test: _Test) -> _Test:
        signature = inspect.signature(test)
        wants_report = "report" in signature.parameters

        def with_report(report: Any, fixtures: dict[str, Any]) -> dict[str, Any]:
            return {**fixtures, "report": report} if wants_report else fixtures

        @functools.wraps(test)
        def plain(*args: Any, **fixtures: Any) -> Any:
            __tracebackhide__ = True
            return test(*args, **with_report(run(**options), fixtures))

        @functools.wraps(test)
        async def awaited(*args: Any, **fixtures: Any) -> Any:
            __tracebackhide__ = True
            report = await asyncio.to_thread(functools.partial(run, **options))
            return await test(*args, **with_report(report, fixtures))

        wrapper: Any = awaited if inspect.iscoroutinefunction(test) else plain
        own = [own for name, own in signature.parameters.items() if name != "report"]
        # What a test runner takes for fixtures.
        wrapper.__signature__ = signature.replace(parameters=own)
        return cast(_Test, wrapper)

    return decorate
