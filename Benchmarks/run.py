#!/usr/bin/env python3
"""Compares the daemon with a C program that does the minimum, in turns, on one core.

Prints a Markdown table of medians and ratios, each with its target. All ratios are medians of the ratios of
neighbouring turns, because a machine that slows down for a while then slows down both sides. It needs only
the standard library and a C compiler ($CC, or cc).
"""

import argparse
import contextlib
import ctypes
import json
import math
import os
import pathlib
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BIN = HERE / "bin"
HOSTED = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror"]
FREESTANDING = HOSTED + ["-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector"]
PROGRAMS = {"baseline": HOSTED, "client": HOSTED, "stub": FREESTANDING}

BATCH = 100  # lines per batch in client.c
COMMAND = "apps:list"
BUILTIN = "daemon:version"
PROBE_PAUSE = 2000  # µs
TIMEOUT = 120  # seconds, for each client


class Size:
    """How much is measured: enough for a stable ratio, or just enough to see that the benchmark works."""

    def __init__(self, quick):
        self.rounds = 2 if quick else 15
        self.commands = 50 if quick else 400
        self.builtins = 200 if quick else 4000
        self.batches = 5 if quick else 100
        self.megabytes = 5 if quick else 100
        self.bulk_rounds = 2 if quick else 9
        self.idle = 50 if quick else 1000
        self.starts = 3 if quick else 20


def build():
    BIN.mkdir(exist_ok=True)
    for name, flags in PROGRAMS.items():
        source, program = HERE / f"{name}.c", BIN / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            subprocess.run([os.environ.get("CC", "cc"), *flags, "-o", program, source], check=True)


def die_with_parent():
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


class Server:
    """One side: a server on a socket, with its own state folder and log."""

    def __init__(self, folder, name, program, *arguments, log=False):
        self.folder = folder / name
        self.folder.mkdir()
        self.socket = self.folder / "socket"
        self.command = [str(program), *arguments]
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "DOKKU_SOCK_PATH": str(self.socket),
            "DOKKU_LOCK_PATH": str(self.folder / "lock"),
            "DOKKU_DAEMON_LOGFILE": str(self.folder / "log") if log else "none",
            "DOKKU_DAEMON_DOKKU": str(BIN / "stub"),
            # As the other side does, even if there is a user dokku.
            "DOKKU_SYSTEM_USER": "root",
            "DOKKU_DAEMON_STATE_DIR": str(self.folder),
            "DOKKU_DAEMON_MAX_CONNECTIONS": "2000",
        }

    def __enter__(self):
        self.errors = open(self.folder / "stderr", "w+")
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            preexec_fn=die_with_parent,
        )
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            # The socket's file may exist before the server listens, so the first client shows when it does.
            if self.socket.exists() and not client("sequential", self, BUILTIN, 1, check=False).returncode:
                return self
            time.sleep(0.01)
        self.__exit__()
        self.errors.seek(0)
        sys.exit(f"{self.command[0]} does not answer: {self.errors.read().strip()}")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kilobytes(self, field, file="status"):
        for line in pathlib.Path(f"/proc/{self.process.pid}/{file}").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise KeyError(field)

    def resident(self):
        return self.kilobytes("Rss", "smaps_rollup")  # exact; VmRSS is not exact on every kernel

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


def client(mode, server, line, *arguments, check=True, **options):
    """Runs a client to its end."""
    command = [BIN / "client", mode, server.socket, line, *map(str, arguments)]
    errors = None if check else subprocess.DEVNULL
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=TIMEOUT, **options
    )
    if check and result.returncode:
        sys.exit(f"the client failed: {' '.join(map(str, command))}")
    return result


def samples(*arguments, **options):
    return [float(line) for line in client(*arguments, **options).stdout.split()]


def median(*arguments, **options):
    return statistics.median(samples(*arguments, **options))


@contextlib.contextmanager
def beside(mode, server, line, argument):
    """A client that works until the block ends. Then its samples are in the list."""
    command = [BIN / "client", mode, server.socket, line, str(argument)]
    found = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if not process.stdout.readline():
            sys.exit(f"the client failed: {' '.join(map(str, command))}")
        try:
            yield found
        finally:
            found += [float(line) for line in process.communicate(timeout=TIMEOUT)[0].split()]


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, math.ceil(len(values) * part) - 1)]


def by_turns(rounds, ours, theirs):
    """The medians of both sides, and of their ratio, the daemon over the C program."""
    pairs = []
    for turn in range(rounds):
        if turn % 2:
            right = theirs()
            left = ours()
        else:
            left = ours()
            right = theirs()
        pairs.append((left, right))
    return [statistics.median(column) for column in zip(*((left, right, left / right) for left, right in pairs))]


class Table:
    def __init__(self):
        self.rows = []
        self.missed = []

    def add(self, what, ours, theirs="", ratio=None, target="", met=None):
        print(".", end="", file=sys.stderr, flush=True)
        verdict = "" if met is None else "yes" if met else "**no**"
        self.rows.append([what, ours, theirs, "" if ratio is None else f"{ratio:.2f}", target, verdict])
        if met is False:
            self.missed.append(what)

    def at_most(self, what, value, limit, unit, note=""):
        self.add(what, f"{value:.{2 if limit < 100 else 0}f} {unit}", note, None, f"≤ {limit} {unit}", value <= limit)

    def print(self):
        print(file=sys.stderr)
        head = ["", "daemon", "C program", "ratio", "target", "met"]
        widths = [max(len(row[column]) for row in [head, *self.rows]) for column in range(len(head))]
        for row in [head, ["-" * width for width in widths], *self.rows]:
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def measure_commands(table, size, ours, theirs, what, limit=1.10):
    def turn(server):
        return lambda: median("sequential", server, COMMAND, size.commands)

    left, right, ratio = by_turns(size.rounds, turn(ours), turn(theirs))
    target = limit and f"≤ {limit:.2f}"
    table.add(what, f"{left:.1f} µs", f"{right:.1f} µs", ratio, target or "", ratio <= limit if limit else None)


def measure_echo(table, size, ours, echo):
    def single(server):
        return lambda: median("sequential", server, BUILTIN, size.builtins)

    def batch(server):
        return lambda: BATCH / median("pipelined", server, BUILTIN, size.batches)

    left, right, ratio = by_turns(size.rounds, single(ours), single(echo))
    table.add(f"(b) `{BUILTIN}` against an echo", f"{left:.2f} µs", f"{right:.2f} µs", ratio, "≤ 1.20", ratio <= 1.2)
    left, right, ratio = by_turns(size.rounds, batch(ours), batch(echo))
    what = f"(b) the same, {BATCH} pipelined"
    table.add(what, f"{left * 1e3:.0f} k/s", f"{right * 1e3:.0f} k/s", ratio, "≥ 0.50", ratio >= 0.5)


def measure_bulk(table, size, ours, theirs, echo):
    line = f"logs {size.megabytes}"
    text = subprocess.run([BIN / "stub", *line.split()], stdout=subprocess.PIPE, text=True).stdout.rstrip("\n")
    length = len(json.dumps({"ok": True, "output": text}, separators=(",", ":"))) + 1
    del text

    def turn(server):
        return lambda: size.megabytes * 1e6 / median("bulk", server, line, length)

    def growth(server):
        before = server.resident()
        server.forget_peak()
        client("bulk", server, line, length)
        return (server.kilobytes("VmHWM") - before) / 1024

    def stalls(server):
        found = []
        for _ in range(size.bulk_rounds):
            with beside("probe", server, BUILTIN, PROBE_PAUSE) as waits:
                client("bulk", ours, line, length)
            found += waits
        return [part / 1000 for part in (percentile(found, 0.5), percentile(found, 0.99), max(found))], len(found)

    grown = max(growth(ours) for _ in range(3))
    left, right, ratio = by_turns(size.bulk_rounds, turn(ours), turn(theirs))
    what = f"(c) {size.megabytes} MB of log text in a reply"
    table.add(what, f"{left:.0f} MB/s", f"{right:.0f} MB/s", ratio, "≥ 1.50", ratio >= 1.5)
    table.at_most("(c) memory over idle meanwhile", grown, 4, "MB", f"{growth(theirs):.0f} MB")
    (middle, high, worst), count = stalls(ours)
    table.at_most(f"(c) another client's `{BUILTIN}` meanwhile, p99", high, 3, "ms")
    (_, echo_high, echo_worst), _ = stalls(echo)
    note = f"p99 {echo_high:.2f}, max {echo_worst:.2f} ms"
    table.add(f"    median and maximum of {count}; an echo beside it", f"{middle:.2f}, {worst:.2f} ms", note)


def measure_memory(table, size, folder, program):
    with Server(folder, "memory", program) as server:
        client("sequential", server, COMMAND, size.commands)
        client("sequential", server, BUILTIN, size.commands)
        before = server.resident()
        table.at_most("(d) memory when idle", before / 1024, 8, "MB")
        for line, name in ((BUILTIN, "used once"), ("", "unused")):
            with beside("idle", server, line, size.idle):
                client("sequential", server, BUILTIN, 10)
                each = max(0, server.resident() - before) * 1024 / size.idle
            table.at_most(f"(d) for each of {size.idle} idle connections, {name}", each, 512, "bytes")
            client("sequential", server, BUILTIN, 10)
            before = server.resident()


def measure_start(table, size, folder, program):
    with Server(folder, "start", program) as server:
        client("sequential", server, COMMAND, 1)  # makes the daemon save the catalogue for the next start

    def start(*command):
        return median("first", server, "commands", *command, env=server.environment) / 1000

    times = [start(program) for _ in range(size.starts)]
    least = [start(BIN / "baseline", "echo") for _ in range(size.starts)]
    note = f"{statistics.median(least):.2f} ms"
    table.at_most("(e) from start to the first reply", statistics.median(times), 10, "ms", note)


def measure(table, size, folder, program):
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(Server(folder, "ours", program))
        theirs = stack.enter_context(Server(folder, "theirs", BIN / "baseline"))
        bound = stack.enter_context(Server(folder, "bound", BIN / "baseline", "bound"))
        echo = stack.enter_context(Server(folder, "echo", BIN / "baseline", "echo"))
        for server in (ours, theirs):
            client("sequential", server, COMMAND, 10)
        measure_commands(table, size, ours, theirs, "(a) a command")
        what = "    against C that promises its children the same"
        measure_commands(table, size, ours, bound, what, limit=None)
        with beside("idle", ours, "", size.idle), beside("idle", theirs, "", size.idle):
            measure_commands(table, size, ours, theirs, f"(a) with {size.idle} idle connections")
        measure_echo(table, size, ours, echo)
        measure_bulk(table, size, ours, theirs, echo)
    measure_memory(table, size, folder, program)
    measure_start(table, size, folder, program)
    with Server(folder, "unlogged", program) as plain, Server(folder, "logged", program, log=True) as logged:
        left, right, ratio = by_turns(
            size.rounds,
            lambda: median("sequential", logged, COMMAND, size.commands),
            lambda: median("sequential", plain, COMMAND, size.commands),
        )
        table.add("the log's cost for a command", f"{left - right:+.1f} µs", "(daemon without it)", ratio)


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

    table = Table()
    with tempfile.TemporaryDirectory(prefix="dokku-daemon-bench.") as folder:
        measure(table, Size(options.quick), pathlib.Path(folder), program)
    table.print()
    if options.check and table.missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
