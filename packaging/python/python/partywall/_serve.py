"""``python -m partywall._serve module:attribute --port N``: serves an application."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import threading
import time
from types import ModuleType
from typing import Any, Optional


def load(reference: str, file: Optional[str]) -> Any:
    """The application of that name; from the file where the module cannot be imported by name."""
    name, _, attribute = reference.partition(":")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Some test runners import files whose folders are on no path.
        if file is None or error.name is None or not (name + ".").startswith(error.name + "."):
            raise
        module = _from_file(name, file)
    found: Any = module
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def _from_file(name: str, file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _end_with_parent() -> None:
    """Ends this process once the one that started it has gone."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=look, daemon=True).start()


def main() -> None:
    """Serves until it is ended."""
    import uvicorn

    if os.name == "posix":
        _end_with_parent()

    parser = argparse.ArgumentParser()
    parser.add_argument("reference")
    parser.add_argument("--file")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    app = load(given.reference, given.file)
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
