#!/usr/bin/env bash
# How long it takes from an empty folder to the first leak, without Rust, and how much is written for it:
#
#     packaging/figures.sh WHEEL NPM_FOLDER
#
# NPM_FOLDER is what packaging/npm/build.mjs wrote. What is installed beside them (FastAPI, uvicorn,
# pytest; Express, Vitest) is fetched, and counted.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wheel=$(realpath "$1") npm=$(realpath "$2")
python=$(python3 -c 'import sys; print(sys.executable)')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Nothing of Rust is found from here on.
export PATH=/usr/local/bin:/usr/bin:/bin
for tool in cargo rustc; do
    if command -v "$tool"; then
        echo "$tool is there, so that nothing is shown of a machine without Rust"
        exit 1
    fi
done
# no_longer FILE LINES: what users write.
no_longer() {
    local lines
    lines=$(wc -l <"$here/examples/$1")
    echo "$1: $lines lines, at most $2"
    [ "$lines" -le "$2" ]
}
# timed NAME WORD COMMAND…: the command fails, as a test with a leak does, and says WORD.
timed() {
    local started=$EPOCHREALTIME status=0
    "${@:3}" >"$work/log" 2>&1 || status=$?
    local took
    took=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $started }")
    if [ "$status" = 0 ] || ! grep -q "$2" "$work/log"; then
        tail -40 "$work/log"
        exit 1
    fi
    echo "$1: $took s"
}

by_pytest() (
    "$python" -m venv "$work/python/venv"
    "$work/python/venv/bin/pip" install --quiet --no-cache-dir "$wheel" fastapi uvicorn pytest
    cd "$work/python"
    venv/bin/pytest "$1"
)
by_vitest() (
    cd "$work/node"
    npm install --silent --no-audit --no-fund --cache "$work/cache" \
        "$npm"/partywall-*.tgz express vitest
    npx vitest run
)
cp -r "$here/examples/fastapi" "$work/python"
timed "pip install to the first leak, decorator" LEAKED by_pytest test_isolation.py
rm -rf "$work/python" && cp -r "$here/examples/fastapi" "$work/python"
timed "pip install to the first leak, scenario file" LEAKED by_pytest test_scenario.py
cp -r "$here/examples/express" "$work/node"
timed "npm install to the first leak" LEAKED by_vitest
no_longer fastapi/app.py 20
no_longer fastapi/test_isolation.py 12
no_longer fastapi/test_scenario.py 12
no_longer fastapi/chat.toml 15
no_longer express/server.js 20
no_longer express/isolation.test.js 12
