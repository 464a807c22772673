#!/usr/bin/env bash
# Runs partywall for a job and holds what it finds against a baseline.
# Reads PROGRAM, COMMAND, SCENARIO, ARGUMENTS, NAME, REPORT_DIR and BASELINE; writes `folder` and
# `exit-code` to the step's outputs. It fails only where it cannot do that: what comes after uploads
# the report, and then exits with the code.
set -euo pipefail

if [ -n "${BASELINE:-}" ] && [ "$COMMAND" != run ] && [ "$COMMAND" != explore ]; then
    echo "error: a baseline is for run and explore, not for $COMMAND" >&2
    exit 2
fi
read -r -a arguments <<<"${ARGUMENTS:-}"
# Beside a finding that is accepted there may be another in a later round.
if [ -n "${BASELINE:-}" ]; then
    arguments+=(--no-fail-fast)
fi
before=$(ls "$REPORT_DIR/runs/$NAME" 2>/dev/null || true)
code=0
"$PROGRAM" "$COMMAND" "$SCENARIO" --name "$NAME" --report-dir "$REPORT_DIR" \
    --report html,junit,sarif "${arguments[@]}" || code=$?

# The folder that this run made; none where the scenario or an option was wrong.
folder=
for made in "$REPORT_DIR/runs/$NAME"/*/; do
    made=${made%/}
    own=${made##*/}
    if [ -f "$made/report.json" ] && [ ! -L "$made" ] && ! grep -qxF -- "$own" <<<"$before"; then
        folder=$made
    fi
done

# Accepted findings pass; doubt, errors and an interruption do not.
if [ -n "${BASELINE:-}" ] && [ -n "$folder" ] && { [ "$code" = 0 ] || [ "$code" = 1 ]; }; then
    gate=0
    "$PROGRAM" compare "$folder" --baseline "$BASELINE" --fail-on new || gate=$?
    code=$gate
fi
{
    echo "folder=$folder"
    echo "exit-code=$code"
} >>"$GITHUB_OUTPUT"
