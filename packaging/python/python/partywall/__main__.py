"""``python -m partywall``: the program itself."""

import os
import subprocess
import sys

from partywall._binary import find_binary


def main() -> None:
    """Runs the program with the arguments of this process."""
    command = [find_binary(), *sys.argv[1:]]
    if os.name == "posix":
        os.execv(command[0], command)
    sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
