"""An ASGI application that a child process imports and serves."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Optional

from partywall._errors import PartywallError


@dataclass(frozen=True)
class Application:
    """Where an application is: ``module:attribute``, and the module's file where it has one."""

    reference: str
    file: Optional[str] = None

    @classmethod
    def of(cls, app: object) -> Application:
        """The place of that application, given by ``"module:attribute"`` or as the object itself."""
        __tracebackhide__ = True
        if importlib.util.find_spec("uvicorn") is None:
            raise PartywallError("`app` is served by uvicorn, which is not installed: pip install uvicorn")
        if isinstance(app, str):
            module, _, attribute = app.partition(":")
            if not module or not attribute:
                raise PartywallError(f"app={app!r} names no application; write 'module:attribute'")
            return cls(app)
        return _place_of(app)

    def command(self) -> list[str]:
        """The command that serves it, with a place for the port."""
        file = [] if self.file is None else ["--file", self.file]
        return [sys.executable, "-m", "partywall._serve", self.reference, *file, "--port", "{{ port }}"]


def _place_of(app: object) -> Application:
    __tracebackhide__ = True
    places: list[tuple[ModuleType, str]] = []
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType) or module.__name__ != name:
            continue
        for attribute, value in list(vars(module).items()):
            if value is app:
                places.append((module, attribute))
    if not places:
        raise PartywallError(
            f"the application {app!r} is no attribute of a module, so the child process that serves it "
            "cannot import it; assign it to a name at the top of a module (it may be local to a "
            "function, or be a closure), or give app='module:attribute'"
        )
    # Others may have imported it; what was imported last is deepest.
    module, attribute = next(
        (place for place in reversed(places) if not _is_test(place[0])), places[-1]
    )
    if module.__name__ == "__main__":
        raise PartywallError("the application is in the program that was started; move it to a module")
    return Application(f"{module.__name__}:{attribute}", getattr(module, "__file__", None))


def _is_test(module: ModuleType) -> bool:
    last = module.__name__.rpartition(".")[2]
    return last.startswith("test_") or last.endswith("_test") or last == "conftest"
