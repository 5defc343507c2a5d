#!/usr/bin/env python3
"""Compares the daemon with a C program that does the minimum, in turns, on one core.

Prints a Markdown table of medians and ratios, each with its target. All ratios are medians of the ratios of
neighbouring turns, because a machine that slows down for a while then slows down both sides. It needs only
the standard library and a C compiler ($CC, or cc).
"""

import argparse
import os
import pathlib
import resource
import shutil
import signal
import sys
import tempfile

import overhead
from server import HERE, build


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("daemon", nargs="?", default=HERE.parent / ".build/release/dokku-daemon", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="measure little, to see that the benchmark works")
    parser.add_argument("--check", action="store_true", help="exit with status 1 if a target is missed")
    options = parser.parse_args()
    program = shutil.which(options.daemon.resolve())
    if not program:
        sys.exit(f"{options.daemon} is not there: swift build -c release --static-swift-stdlib")

    build()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    # Both sides, their clients and their commands share one core, so that neither side gains from a second core.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended

    with tempfile.TemporaryDirectory(prefix="dokku-daemon-bench.") as folder:
        table = overhead.measure(overhead.Size(options.quick), pathlib.Path(folder), program)
    print(file=sys.stderr)
    table.print()
    if options.check and table.missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
