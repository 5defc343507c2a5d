#!/usr/bin/env python3
"""Measures how long people wait for the daemon, and compares it with a C program that does the minimum.

Prints a Markdown table for each of (f) to (i), and one for (a) to (e), each row with its target. people.py, submit.py,
transport.py and overhead.py say how they are measured. It needs only the standard library and a C compiler ($CC, or cc).
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
import people
import submit
import transport
from server import HERE, build

PARTS = {"f": people.dashboards, "g": people.deploys, "h": submit.measure, "i": transport.measure, "a-e": overhead.measure}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("daemon", nargs="?", default=HERE.parent / ".build/release/dokku-daemon", type=pathlib.Path)
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be repeated")
    parser.add_argument("--quick", action="store_true", help="measure little, to see that the benchmark works")
    parser.add_argument("--check", action="store_true", help="exit with status 1 if a target is missed")
    options = parser.parse_args()
    program = shutil.which(options.daemon.resolve())
    if not program:
        sys.exit(f"{options.daemon} is not there: swift build -c release --static-swift-stdlib")

    build()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended

    missed = []
    cores = sorted(os.sched_getaffinity(0))
    for name in [name for name in PARTS if name in (options.only or PARTS)]:
        # People, daemon and dokku have two cores, as small hosts do. In the comparison both sides, their clients and their
        # commands share one core, so that neither side gains from a second core.
        os.sched_setaffinity(0, cores[-1:] if name == "a-e" else cores[-2:])
        with tempfile.TemporaryDirectory(prefix="dokku-daemon-bench.") as folder:
            table = PARTS[name](options.quick, pathlib.Path(folder), program)
        print(file=sys.stderr)
        table.print()
        print(flush=True)
        missed += table.missed
    if options.check and missed:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
