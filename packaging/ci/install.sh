#!/usr/bin/env bash
# Installs partywall for a job: from a program, a wheel, or the newest or a named version.
# Reads BINARY, WHEEL and VERSION; writes `program` to the step's outputs.
set -euo pipefail

if [ -n "${BINARY:-}" ]; then
    program=$(realpath "$BINARY")
else
    folder=${RUNNER_TEMP:-/tmp}/partywall
    python3 -m venv "$folder"
    scripts=$folder/bin
    [ -d "$scripts" ] || scripts=$folder/Scripts
    "$scripts/python" -m pip install --quiet --disable-pip-version-check \
        "${WHEEL:-partywall${VERSION:+==$VERSION}}"
    program=$scripts/partywall
fi
"$program" --version
echo "program=$program" >>"$GITHUB_OUTPUT"
