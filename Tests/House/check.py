#!/usr/bin/env python3
"""Checks which files of Sources use types of which others.

Fails on a circle between files, and on a folder that uses a folder below it in the table of docs/design.md. A file uses
another if it names a type that the other declares; uses of members alone do not count. Also fails if
docs/the-way-of-a-line.md names a function that does not exist.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Sources"
DAEMON = SOURCES / "DokkuDaemon"
CLIENT = SOURCES / "DokkuClient"
# Both programs use it, and neither uses the other.
PROTOCOL = "DokkuProtocol"
DECLARATION = re.compile(r"^(?:(?:public|package|@frozen|internal|final|indirect|@\w+)\s+)*(?:struct|class|enum|protocol|typealias|actor)\s+(\w+)", re.M)
PLAN = re.compile(r"^\| `([\w/]+)` \|", re.M)


def code_of(path):
    """The text without comments and without strings, but with the interpolated parts of strings."""
    text = re.sub(r"//[^\n]*", "", path.read_text())
    text = re.sub(r'"""\n.*?"""', lambda match: " ".join(re.findall(r"\\\((.*?)\)", match[0])), text, flags=re.S)
    return re.sub(r'#?"(?:[^"\\\n]|\\.)*"#?', lambda match: " ".join(re.findall(r"\\\((.*?)\)", match[0])), text)


def arrows(files):
    """For each file, the files whose types it names, with one such type each."""
    code = {path: code_of(path) for path in files}
    home = {}
    for path, text in code.items():
        for name in DECLARATION.findall(text):
            home.setdefault(name, path)
    uses = {}
    for path, text in code.items():
        words = set(re.findall(r"\b[A-Z]\w*", text))
        uses[path] = {home[word]: word for word in sorted(words) if word in home and home[word] != path}
    return uses


def circles(uses):
    """The groups of more than one file that depend on each other in a circle (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(path):
        index[path] = low[path] = len(index)
        stack.append(path)
        for other in uses[path]:
            if other not in index:
                visit(other)
                low[path] = min(low[path], low[other])
            elif other in stack:
                low[path] = min(low[path], index[other])
        if low[path] == index[path]:
            circle = []
            while True:
                circle.append(stack.pop())
                if circle[-1] == path:
                    break
            if len(circle) > 1:
                found.append(sorted(circle))

    sys.setrecursionlimit(10_000)
    for path in uses:
        if path not in index:
            visit(path)
    return found


def missing():
    """The functions that docs/the-way-of-a-line.md names and that do not exist."""
    rows = re.findall(r"^\| `([\w/]+\.swift)` \| `(\w+)` \|", (ROOT / "docs" / "the-way-of-a-line.md").read_text(), re.M)
    for name, function in rows:
        path = (SOURCES if name.startswith(PROTOCOL) else DAEMON) / name
        if not path.exists() or not re.search(rf"\bfunc {function}\b", path.read_text()):
            yield f"docs/the-way-of-a-line.md names {function} in {name}, which does not exist"


def folder(path):
    """As the plan names it."""
    return path.parent.relative_to(DAEMON if path.is_relative_to(DAEMON) else SOURCES).as_posix()


def is_root(path):
    """Whether the file starts a program, and may use all of it."""
    return path.parent in (DAEMON, CLIENT)


def main():
    files = sorted(SOURCES.rglob("*.swift"))
    # Each program is a module of its own, so both may give a name to a type of theirs.
    uses = {}
    for program in (DAEMON, CLIENT):
        other = CLIENT if program == DAEMON else DAEMON
        uses |= arrows([path for path in files if not path.is_relative_to(other)])
    faults = []
    for circle in circles(uses):
        faults.append("a circle of " + ", ".join(path.relative_to(SOURCES).as_posix() for path in circle))
        for path in circle:
            for other, name in uses[path].items():
                if other in circle:
                    faults.append(f"    {path.stem} uses {name} of {other.stem}")
    order = [PROTOCOL, *PLAN.findall((ROOT / "docs" / "design.md").read_text())]
    for path in files:
        system = re.findall(r"^import (Glibc|CEpollShim|CClientShim|Foundation)$", path.read_text(), re.M)
        if folder(path) == PROTOCOL and system:
            faults.append(f"{PROTOCOL}/{path.name} imports {system[0]}, which is the system")
    rank = {name: number for number, name in enumerate(order)}
    for path in files:
        if is_root(path):
            continue
        if folder(path) not in rank:
            faults.append(f"{folder(path)} is not in the table of docs/design.md")
            continue
        for other, name in uses[path].items():
            if rank.get(folder(other), len(rank)) > rank[folder(path)]:
                faults.append(f"{folder(path)}/{path.name} uses {name} of {folder(other)}, which docs/design.md lists below it")
    faults += missing()
    print("\n".join(dict.fromkeys(faults)) or f"{len(files)} files, no circle, no arrow upwards")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
