#!/usr/bin/env bash
# Runs the shell steps of action.yml as a job would: `check.sh PROGRAM WHEEL`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1 wheel=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export RUNNER_TEMP=$work/temp GITHUB_OUTPUT=$work/output GITHUB_STEP_SUMMARY=$work/summary
export GITHUB_ACTIONS=true COMMAND=run NAME=ci REPORT_DIR=reports
mkdir "$RUNNER_TEMP"

BINARY=$program "$here/install.sh"
grep -q "^program=$program$" "$GITHUB_OUTPUT"
: >"$GITHUB_OUTPUT"
WHEEL=$wheel "$here/install.sh"
PROGRAM=$(sed -n 's/^program=//p' "$GITHUB_OUTPUT")
export PROGRAM
[ -x "$PROGRAM" ]

# A chat, clean and leaking, that the program itself serves.
printf '[target]\ncommand = ["%s", "serve", "--migrated", "MIGRATED", "--port", "{{ port }}"]\n' \
    "$PROGRAM" >target
"$PROGRAM" init chat-websocket starter.toml >/dev/null
for migrated in none all; do
    # The tables before `[identity]` say what is driven.
    {
        sed '/^\[/,$d' starter.toml
        sed "s/MIGRATED/$migrated/" target
        sed -n '/^\[identity\]/,$p' starter.toml
    } >"$migrated.toml"
done

# run FILE ARGUMENTS BASELINE: the outputs of the step.
run() {
    : >"$GITHUB_OUTPUT"
    SCENARIO=$1 ARGUMENTS=$2 BASELINE=${3:-} "$here/run.sh" >log 2>&1 || { cat log; exit 1; }
    folder=$(sed -n 's/^folder=//p' "$GITHUB_OUTPUT")
    code=$(sed -n 's/^exit-code=//p' "$GITHUB_OUTPUT")
}
expect() { [ "$code" = "$1" ] || { cat log; echo "exit code $code, not $1"; exit 1; }; }

run all.toml "--users 6 --rounds 1"
expect 0
run none.toml "--users 6 --rounds 1"
expect 1
for file in report.json report.html report.sarif junit.xml; do [ -s "$folder/$file" ]; done
grep -q '"uri":"none.toml"' "$folder/report.sarif"
grep -q '^::error file=none.toml,line=' log
[ -s "$GITHUB_STEP_SUMMARY" ]

# All findings of that run are accepted; then one is not.
{
    echo "version = 1"
    sed -n 's/^ *"fingerprint": "\([0-9a-f]\{16\}\)",*$/\1/p' "$folder/report.json" | sort -u |
        sed 's/.*/[[known]]\nfingerprint = "&"\nreason = "a test"\nexpires = "2999-12-31"/'
} >accepted.toml
"$PROGRAM" compare "$folder" --baseline accepted.toml --fail-on new >/dev/null
# Warnings have fingerprints too, so it is the first that was told as a finding.
finding=$(sed -n 's/.*fingerprint \([0-9a-f]\{16\}\).*/\1/p' log | head -1)
[ -n "$finding" ]
sed "s/$finding/0000000000000000/" accepted.toml >fewer.toml
code=0
"$PROGRAM" compare "$folder" --baseline fewer.toml --fail-on new >/dev/null || code=$?
expect 1
echo 'version = 1' >none-accepted.toml
run none.toml "--users 6 --rounds 1" none-accepted.toml
expect 1
run none.toml "--users 6 --rounds 1" no-such.toml
expect 2

run no-such.toml ""
expect 2
[ -z "$folder" ]
if SCENARIO=all.toml COMMAND=signoff ARGUMENTS='' BASELINE=accepted.toml "$here/run.sh" 2>/dev/null; then
    echo "a baseline was taken for a sign-off"
    exit 1
fi
echo "the steps of the action do what they say"
