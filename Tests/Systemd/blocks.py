#!/usr/bin/env python3
"""The commands that README.md shows: `blocks.py LINE` prints the block that begins with that line.

So a test runs what the page says, and not what somebody has typed after it.
"""

import collections
import pathlib
import re
import sys

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"

#: `kind` is the word after the fence: `sh` for commands, `console` for commands with what they print.
Block = collections.namedtuple("Block", "kind lines")


def blocks(page=README):
    """All blocks of the page, in their order. It must have no indented ones, because these have no kind."""
    found, block = [], None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if fence := re.match(r" *```(.*)", line):
            if block is None:
                block = Block(fence[1], [])
            else:
                found.append(block)
                block = None
        elif block is not None:
            block.lines.append(line)
        elif line.startswith(("    ", "\t")):
            raise ValueError(f"{page.name}:{number} is indented as a block; write it between fences")
    if block is not None:
        raise ValueError(f"{page.name}: the last block has no end")
    return found


def beginning_with(first):
    """The lines of the one block that begins with that line."""
    found = [block.lines for block in blocks() if block.lines[:1] == [first]]
    if len(found) != 1:
        raise ValueError(f"{README.name} has {len(found)} blocks that begin with: {first}")
    return found[0]


def conversation(block):
    """The commands of a console block, each with the lines that it prints."""
    turns = []
    for line in block.lines:
        if line.startswith("$ "):
            turns.append((line[2:], []))
        else:
            turns[-1][1].append(line)
    return turns


if __name__ == "__main__":
    try:
        print("\n".join(beginning_with(sys.argv[1])))
    except ValueError as error:
        sys.exit(str(error))
