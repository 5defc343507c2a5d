"""(f) and (g): how long people wait, with a dokku that costs what the real one costs (dokku.c).

(f) Dashboards poll on kept connections while somebody deploys. A round is `apps:list` and the report of each app, each line
sent after the answer to the one before. A round begins every 10 seconds, or at once if the one before took longer. After
the last begin nobody begins a round, but all finish theirs, so that the longest waits count as well.
(g) Clients deploy one app each, at the same time.

All clients are one thread, which works for milliseconds and shares two cores with the daemon and its commands.
"""

import asyncio
import contextlib
import dataclasses
import json
import statistics
import sys
import time

from server import BIN, Server, client
from table import Table, percentile

DASHBOARDS = 20
APPS = [f"app-{number}" for number in range(1, 9)]
ROUND = ["apps:list", *(f"ps:report {app}" for app in APPS)]
WORKING_PART = 30  # thousandths of a deploy; it sleeps for the rest
PATIENCE = 900  # seconds, for each load


class Times:
    """All times of the loads, in seconds."""

    def __init__(self, quick):
        self.scale = 1 / 40 if quick else 1
        self.listing = 0.03 * self.scale
        self.report = 0.25 * self.scale
        self.long_deploy = 35 * self.scale
        self.short_deploy = 3 * self.scale
        self.deploy_begin = 5 * self.scale
        self.period = 10 * self.scale
        # Dashboards start one after another, but all of them before the first listing has ended.
        self.apart = 0.001 * self.scale
        self.last_begin_beside_deploy = 35 * self.scale
        self.last_begin_alone = 25 * self.scale

    def settings(self, folder, deploy, **settings):
        runs = folder / "runs"
        runs.write_bytes(b"")
        microseconds = [round(seconds * 1e6) for seconds in (self.listing, self.report, deploy)]
        return {
            "DOKKU_DAEMON_DOKKU": str(BIN / "dokku"),
            "STAND_IN_COSTS": " ".join(map(str, [*microseconds, WORKING_PART])),
            "STAND_IN_RUNS": str(runs),
            **{f"DOKKU_DAEMON_{name.upper()}": str(value) for name, value in settings.items()},
        }


@dataclasses.dataclass
class Answer:
    sent: float
    started: float  # when its run did
    received: float


class Person:
    """A kept connection, with one plain line at a time."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def ask(self, line):
        sent = time.monotonic()
        self.writer.write(f"{line}\n".encode())
        reply = await self.reader.readline()
        received = time.monotonic()
        output = json.loads(reply)["output"].split("\n") if reply else [""]
        if output[0] != line:
            sys.exit(f"{line} was answered with {reply}")
        started = int(output[-1]) / 1e9
        if started < sent:
            sys.exit(f"{line} was answered by a run that started {sent - started:.6f} s before the question")
        return Answer(sent, started, received)

    async def ask_later(self, line, moment):
        await sleep_until(moment)
        return await self.ask(line)

    async def watch(self, lines, begin, period, last_begin):
        """The answers of each round."""
        rounds = []
        while begin <= last_begin:
            await sleep_until(begin)
            rounds.append([await self.ask(line) for line in lines])
            begin = max(begin + period, time.monotonic())
        return rounds


def seconds(value):
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


async def sleep_until(moment):
    await asyncio.sleep(moment - time.monotonic())


@contextlib.asynccontextmanager
async def people(server, count):
    async with asyncio.timeout(PATIENCE), contextlib.AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            reader, writer = await asyncio.open_unix_connection(server.socket)
            stack.callback(writer.close)
            found.append(Person(reader, writer))
        yield found


@dataclasses.dataclass
class Load:
    """One row of (f)."""

    what: str
    readers: int
    is_joined: bool = True
    has_deploy: bool = True
    limits: dict = dataclasses.field(default_factory=dict)

    def lines(self, number):
        # dokku ignores the word that makes a dashboard's lines its own, so that no other line equals them.
        return ROUND if self.is_joined else [f"{line} dashboard-{number}" for line in ROUND]

    def target(self, name, value, scale):
        limit = self.limits[name] * (1 if name == "runs" else scale)
        return f"{name} ≤ {limit if name == 'runs' else seconds(limit)}", value <= limit

    async def run(self, server, times):
        """The rounds of all dashboards, and the deploy's answer."""
        async with people(server, DASHBOARDS + 1) as (*dashboards, deployer):
            begin = time.monotonic()
            last_begin = begin + (times.last_begin_beside_deploy if self.has_deploy else times.last_begin_alone)
            watching = [
                dashboard.watch(self.lines(number), begin + number * times.apart, times.period, last_begin)
                for number, dashboard in enumerate(dashboards)
            ]
            if self.has_deploy:
                watching.append(deployer.ask_later(f"ps:rebuild {APPS[0]}", begin + times.deploy_begin))
            found = await asyncio.gather(*watching)
        deploy = found.pop() if self.has_deploy else None
        return [answers for rounds in found for answers in rounds], deploy


LOADS = [
    Load("(f) readers 4, a deploy", 4, limits={"p99": 2.5, "deploy": 0.5}),
    Load("(f) readers 0, a deploy", 0),
    Load("(f) readers 0, no deploy", 0, has_deploy=False, limits={"p99": 6, "runs": 18}),
    Load("    readers 4, a deploy, no equal lines", 4, is_joined=False),
    Load("    readers 0, a deploy, no equal lines", 0, is_joined=False),
]


def measure_load(table, load, times, folder, program):
    settings = times.settings(folder, times.long_deploy, readers=load.readers)
    with Server(folder, "server", program, **settings) as server:
        client("sequential", server, "commands", 1)  # is answered once the daemon knows dokku's commands
        before, clients_before = server.cpu(), time.process_time()
        rounds, deploy = asyncio.run(load.run(server, times))
        clients = time.process_time() - clients_before
        daemon, dokku = (late - early for late, early in zip(server.cpu(), before))
    waits = [answer.received - answer.sent for answers in rounds for answer in answers]
    runs = (folder / "runs").stat().st_size - (1 if deploy else 0)
    found = {"p99": percentile(waits, 0.99), "runs": runs * DASHBOARDS / len(rounds)}
    if deploy:
        found["deploy"] = deploy.started - deploy.sent
    table.add(
        load.what,
        seconds(statistics.median(waits)),
        seconds(found["p99"]),
        seconds(statistics.median(answers[-1].received - answers[0].sent for answers in rounds)),
        seconds(found["deploy"]) if deploy else "",
        f"{runs} for {len(rounds) / DASHBOARDS:g}",
        f"{round(found['runs'], 1):g}",
        f"{dokku:.1f}, {daemon:.2f}, {clients:.2f} s",
        targets=[load.target(name, found[name], times.scale) for name in load.limits],
    )


async def deploy_all(server):
    """Seconds until the last deploy has ended."""
    async with people(server, len(APPS)) as deployers:
        answers = await asyncio.gather(*(person.ask(f"ps:rebuild {app}") for person, app in zip(deployers, APPS)))
    return max(answer.received for answer in answers) - min(answer.sent for answer in answers)


def dashboards(quick, folder, program):
    table = Table("median", "p99", "a round", "deploy waits", "runs", "runs a round", "CPU: dokku, daemon, clients")
    for number, load in enumerate(LOADS):
        place = folder / f"load-{number}"
        place.mkdir()
        measure_load(table, load, Times(quick), place, program)
    return table


def deploys(quick, folder, program):
    times = Times(quick)
    took = []
    for workers in (4, 1):
        place = folder / f"workers-{workers}"
        place.mkdir()
        settings = times.settings(place, times.short_deploy, workers=workers)
        with Server(place, "server", program, **settings) as server:
            client("sequential", server, "commands", 1)
            took.append(asyncio.run(deploy_all(server)))
    table = Table("workers 4", "workers 1", "ratio")
    what = f"(g) {len(APPS)} deploys of {seconds(times.short_deploy)}, each of another app: the last one ends"
    table.add(what, *map(seconds, took), f"{took[0] / took[1]:.2f}")
    return table
