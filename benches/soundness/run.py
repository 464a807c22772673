#!/usr/bin/env python3
"""Drives the servers beside this file with partywall and holds its verdicts against the truth.

The truth is what each server counted itself. Ends with 1 where a target is missed; README.md has them.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
# The parts: what is driven, and at how many percent of leaking requests.
PARTS = {"clean": 0, "signoff": 0, "leaking-0": 0, "leaking-5": 5, "leaking-0.5": 0.5}
# Seconds for a server of which half a percent of the requests leak.
RARE_SECONDS = 60
# A run that takes longer is ended: partywall hangs.
MOST_SECONDS = 600

Row = collections.namedtuple("Row", "part name seed truth labelled verdict exit reason seconds ok")


def counted(folder):
    """What the servers counted, by side: messages sent and crossings."""
    sums = {"sound": [0, 0], "leaky": [0, 0]}
    for file in folder.iterdir():
        both = struct.unpack("<QQ", file.read_bytes())
        side = sums[file.name.split("-")[0]]
        side[:] = [side[0] + both[0], side[1] + both[1]]
    return sums


def expected(part, sums):
    """The verdict that the server's own count asks for, or none where it does not bear out its label."""
    sound, leaky = sums["sound"], sums["leaky"]
    if part in ("clean", "leaking-0"):
        return "clean" if sound[0] and not sound[1] and not leaky[0] else None
    if part == "signoff":
        return "fixed" if leaky[1] and sound[0] and not sound[1] else None
    return "leaked" if sound[1] else None


def told(part, sums):
    """The count in a few words."""
    sides = [sums["leaky"], sums["sound"]] if part == "signoff" else [sums["sound"]]
    return " then ".join(f"{crossed} of {sent}" for sent, crossed in sides)


def record_of(folder):
    """The record that partywall wrote, if it did."""
    files = list(folder.glob("runs/*/latest/report.json"))
    return json.loads(files[0].read_text()) if files else {}


def crosses(record):
    """Whether a finding is about two users: one's own data at the wrong request is no proof of a leak."""
    findings = [one for level in record.get("levels", []) for one in level["findings"]]
    return any(one["victim"] != one["observer"] for one in findings)


def first_reason(record):
    """The code of the first reason, and its text."""
    levels = [level for level in record.get("levels", []) if level.get("reasons")]
    reasons = (record.get("reasons") or []) + [one for level in levels for one in level["reasons"]]
    if not reasons:
        return "none"
    return f"{reasons[0].get('code', '')}: {reasons[0].get('text', '')}"


def drive(options, out, part, name, seed):
    """Drives one server once."""
    place = out / f"{part}-{name}-{seed}"
    counts = place / "counts"
    counts.mkdir(parents=True)
    folder = "leaking" if part.startswith("leaking") else "clean"
    command = [options.binary, "signoff" if part == "signoff" else "run", f"{folder}/{name}.toml"]
    command += ["--seed", str(seed), "--report-dir", str(place)]
    percent = PARTS[part]
    if percent == 0.5:
        command += ["--rounds", "100000", "--time-limit", str(RARE_SECONDS)]
    env = os.environ | {"SOUNDNESS_COUNTS": str(counts), "SOUNDNESS_SEED": str(seed)}
    env |= {"PYTHONPYCACHEPREFIX": str(out / "compiled"), "LEAK_PERCENT": str(percent)}
    begun = time.monotonic()
    with open(place / "output", "wb") as output:
        process = subprocess.Popen(command, cwd=HERE, env=env, stdout=output, stderr=output)
        try:
            code = process.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()
            code = process.wait()
    seconds = time.monotonic() - begun
    record, sums = record_of(place), counted(counts)
    verdict, should = record.get("verdict", "none"), expected(part, sums)
    ok = verdict == should and (verdict != "leaked" or crosses(record))
    row = Row(part, name, seed, told(part, sums), should is not None, verdict, code,
              first_reason(record), seconds, ok)
    if row.ok and not options.keep:
        shutil.rmtree(place)
    return row


def show(row, out):
    """Prints a row, and adds it to the table."""
    fields = [row.part, row.name, row.seed, row.truth, row.verdict, row.exit, f"{row.seconds:.1f}"]
    with open(out / "table.tsv", "a") as table:
        print(*fields, row.reason, sep="\t", file=table)
    mark = "   " if row.ok else "-> "
    reason = "" if row.ok else "  " + row.reason[:160]
    print(f"{mark}{row.part:11} {row.name:20} seed {row.seed:<10} {row.truth:24} {row.verdict:13} "
          f"{row.exit} {row.seconds:5.1f} s{reason}", flush=True)


def missed(rows):
    """The targets that are missed, in words."""
    problems = [f"{row.part} {row.name}: not as labelled, crossings in {row.truth} messages"
                for row in rows if not row.labelled]
    of = {part: [row for row in rows if row.part == part and row.labelled] for part in PARTS}
    wrong = [row for row in of["clean"] if not row.ok]
    problems += [f"{row.name}: {row.verdict} (seed {row.seed}), although sound" for row in wrong
                 if row.verdict != "inconclusive"]
    doubtful = [row for row in wrong if row.verdict == "inconclusive"]
    if len(doubtful) * 100 > len(of["clean"]):
        names = ", ".join(sorted({row.name for row in doubtful}))
        problems.append(f"{len(doubtful)} of {len(of['clean'])} runs of sound servers are "
                        f"inconclusive, more than 1 %: {names}")
    problems += [f"{row.name}: {row.verdict} at sign-off, although fixed" for row in of["signoff"]
                 if not row.ok]
    problems += [f"{row.name}: {row.verdict} where no request is harmed" for row in of["leaking-0"]
                 if not row.ok]
    problems += [f"{row.name}: {row.verdict} at 5 %, although it leaks, or for another reason"
                 for row in of["leaking-5"] if not row.ok]
    rare = [row for row in of["leaking-0.5"] if not row.ok]
    if len(rare) * 20 > len(of["leaking-0.5"]):
        names = ", ".join(row.name for row in rare)
        problems.append(f"not found at 0.5 % within {RARE_SECONDS} s: {names}")
    return problems


def options_of():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(HERE.parents[1] / "target/release/partywall"),
                        help="the partywall that is measured [default: target/release/partywall]")
    parser.add_argument("--seeds", type=int, default=25, metavar="N",
                        help="runs of each clean server, each with a seed of its own [default: 25]")
    parser.add_argument("--first-seed", type=int, metavar="N",
                        help="the first of these seeds [default: drawn, and printed]")
    parser.add_argument("--part", choices=list(PARTS), action="append", help="only that part")
    parser.add_argument("--only", metavar="NAME", action="append", help="only that server")
    parser.add_argument("--jobs", type=int, default=2, metavar="N",
                        help="servers that are driven at a time [default: 2]")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="an empty folder for the table, and for the reports of what is wrong")
    parser.add_argument("--keep", action="store_true", help="keep all reports")
    return parser.parse_args()


def main():
    options = options_of()
    options.binary = os.path.abspath(options.binary)
    out = options.out or pathlib.Path(tempfile.mkdtemp(prefix="soundness-"))
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    first = options.first_seed or random.SystemRandom().randrange(1, 1 << 30)
    work = []
    for part in options.part or PARTS:
        folder = "leaking" if part.startswith("leaking") else "clean"
        names = sorted(file.stem for file in (HERE / folder).glob("*.toml"))
        seeds = range(first, first + (options.seeds if part == "clean" else 1))
        work += [(part, name, seed) for seed in seeds for name in names
                 if not options.only or name in options.only]
    if not work:
        sys.exit("no server has that name")
    print(f"{len(work)} drives, first seed {first}; everything is in {out}", flush=True)
    begun, rows = time.monotonic(), []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = [pool.submit(drive, options, out, *one) for one in work]
        for done in concurrent.futures.as_completed(waiting):
            rows.append(done.result())
            show(rows[-1], out)
    problems = missed(rows)
    right = sum(row.ok for row in rows)
    slowest = max((row.seconds for row in rows if row.part == "clean"), default=0)
    print(f"\n{right} of {len(rows)} verdicts are right; {time.monotonic() - begun:.0f} s in all, "
          f"a run of a clean server at most {slowest:.1f} s")
    print(*problems or ["every target is met"], sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
