"""Where the program is."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from partywall._errors import PartywallError

_NAME = "partywall.exe" if os.name == "nt" else "partywall"


def find_binary() -> str:
    """The path of the program that belongs to this package.

    ``PARTYWALL_BINARY`` names another one. Raises :class:`PartywallError` where there is none.
    """
    named = os.environ.get("PARTYWALL_BINARY")
    if named:
        if not Path(named).is_file():
            raise PartywallError(f"PARTYWALL_BINARY names no file: {named}")
        return named
    user_scheme = "nt_user" if os.name == "nt" else "posix_user"
    folders = [
        Path(sysconfig.get_path("scripts")),
        Path(sysconfig.get_path("scripts", user_scheme)),
        # `pip install --target DIR` puts it beside the package.
        Path(__file__).resolve().parents[1] / "bin",
    ]
    for folder in folders:
        if (folder / _NAME).is_file():
            return str(folder / _NAME)
    found = shutil.which(_NAME)
    # A script of that name would start this function again.
    if found is not None and Path(found).stat().st_size > 1_000_000:
        return found
    raise PartywallError(
        f"the program `{_NAME}` is not installed for {sys.executable}; install the wheel of partywall "
        "again, or name the program in PARTYWALL_BINARY"
    )
