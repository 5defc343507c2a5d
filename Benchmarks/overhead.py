"""(a) to (e): what the daemon itself costs, next to a C program that does the minimum, in turns, on one core.

All ratios are medians of the ratios of neighbouring turns, because a machine that slows down for a while then slows down
both sides.
"""

import contextlib
import json
import statistics
import subprocess
import sys

from server import BIN, BUILTIN, TIMEOUT, Server, client
from table import Table, percentile

BATCH = 100  # lines per batch in client.c
COMMAND = "apps:list"
PROBE_PAUSE = 2000  # µs


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


class Comparison(Table):
    """The daemon beside the C program."""

    def __init__(self):
        super().__init__("daemon", "C program", "ratio")

    def ratio(self, what, ours, theirs, ratio, targets=()):
        self.add(what, ours, theirs, f"{ratio:.2f}", targets=targets)

    def at_most(self, what, value, limit, unit, note=""):
        value_text = f"{value:.{2 if limit < 100 else 0}f} {unit}"
        self.add(what, value_text, note, "", targets=[(f"≤ {limit} {unit}", value <= limit)])


def measure_commands(table, size, ours, theirs, what, limit=1.10):
    def turn(server):
        return lambda: median("sequential", server, COMMAND, size.commands)

    left, right, ratio = by_turns(size.rounds, turn(ours), turn(theirs))
    targets = [(f"≤ {limit:.2f}", ratio <= limit)] if limit else []
    table.ratio(what, f"{left:.1f} µs", f"{right:.1f} µs", ratio, targets)


def measure_echo(table, size, ours, echo):
    def single(server):
        return lambda: median("sequential", server, BUILTIN, size.builtins)

    def batch(server):
        return lambda: BATCH / median("pipelined", server, BUILTIN, size.batches)

    left, right, ratio = by_turns(size.rounds, single(ours), single(echo))
    what = f"(b) `{BUILTIN}` against an echo"
    table.ratio(what, f"{left:.2f} µs", f"{right:.2f} µs", ratio, [("≤ 1.20", ratio <= 1.2)])
    left, right, ratio = by_turns(size.rounds, batch(ours), batch(echo))
    what = f"(b) the same, {BATCH} pipelined"
    table.ratio(what, f"{left * 1e3:.0f} k/s", f"{right * 1e3:.0f} k/s", ratio, [("≥ 0.50", ratio >= 0.5)])


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
    table.ratio(what, f"{left:.0f} MB/s", f"{right:.0f} MB/s", ratio, [("≥ 1.50", ratio >= 1.5)])
    table.at_most("(c) memory over idle meanwhile", grown, 4, "MB", f"{growth(theirs):.0f} MB")
    (middle, high, worst), count = stalls(ours)
    table.at_most(f"(c) another client's `{BUILTIN}` meanwhile, p99", high, 3, "ms")
    (_, echo_high, echo_worst), _ = stalls(echo)
    note = f"p99 {echo_high:.2f}, max {echo_worst:.2f} ms"
    table.add(f"    median and maximum of {count}; an echo beside it", f"{middle:.2f}, {worst:.2f} ms", note, "")


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


def measure(quick, folder, program):
    size = Size(quick)
    table = Comparison()
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
        table.ratio("the log's cost for a command", f"{left - right:+.1f} µs", "(daemon without it)", ratio)
    return table
