#!/usr/bin/env python3
"""Counts a checkout's lines of Rust code: no blank lines, comments or test modules, nothing under tests/,
benches/ or examples/. Usage: benches/cost/lines.py [ROOT]"""
import collections
import os
import subprocess
import sys


def end_of_item(lines, start):
    """The line after the item that begins at `start`, found by its braces or its semicolon."""
    depth, opened = 0, False
    for at in range(start, len(lines)):
        depth += lines[at].count("{") - lines[at].count("}")
        opened |= "{" in lines[at]
        if (opened and depth <= 0) or (not opened and lines[at].rstrip().endswith(";")):
            return at + 1
    return len(lines)


def code_lines(text):
    lines, count, at = text.split("\n"), 0, 0
    while at < len(lines):
        line = lines[at].strip()
        if line == "#[cfg(test)]":
            at += 1
            while lines[at].strip().startswith("#["):
                at += 1
            at = end_of_item(lines, at)
            continue
        count += bool(line) and not line.startswith("//")
        at += 1
    return count


root = sys.argv[1] if len(sys.argv) > 1 else "."
files = subprocess.run(["git", "ls-files", "*.rs"], cwd=root, capture_output=True, text=True, check=True)
counts = collections.Counter()
for name in files.stdout.split():
    folders = name.split("/")[:-1]
    if not {"tests", "benches", "examples"} & set(folders):
        with open(os.path.join(root, name), encoding="utf8") as file:
            counts["/".join(name.split("/")[:2])] += code_lines(file.read())
for name in sorted(counts):
    print(f"{counts[name]:6} {name}")
print(f"{sum(counts.values()):6} in all")
