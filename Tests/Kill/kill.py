# KILLs the daemon at random moments, while clients submit detached jobs, and the disk is full or read-only at times. Each
# command leaves a mark on another disk. At the end each job that was accepted has run once or is `interrupted`, what was
# refused or cancelled before it ran has not run, no number was given twice, and each output is its command's.
#   kill.py DAEMON [--kills N] [--clients N] [--seed N]
# The disk is a tmpfs of the test's own. Only root may mount one: other users test KILLs alone, and the last line says so.
import argparse
import collections
import json
import os
import random
import signal
import socket
import sys
import threading
import time

from victim import PATIENCE, Daemon

# How many accepted jobs a client leaves without asking for them.
OPEN_JOBS = 5
# What a reply says that did not start the command.
REFUSED = {"storage_failed", "queue_full", "shutting_down", "spawn_failed", "input_too_long"}


class Job:
    def __init__(self, mark, pause, size):
        self.mark = mark
        self.pause = pause
        self.size = size
        # What became of the request: accepted, refused, or unknown if its answer never came.
        self.fate = "unknown"
        self.number = None
        self.error = None
        # The connection that brought it.
        self.connection = None
        self.result = None
        # The daemon's lives that may have told its end.
        self.lives = set()
        # None, "asked" if the answer never came, or "done".
        self.forgotten = None
        self.cancelled = None
        # Whether its end says that no process began.
        self.is_unbegun = False

    @property
    def words(self):
        return ["test:args", self.mark, str(self.pause), str(self.size)]

    @property
    def output(self):
        return (self.mark * (self.size // len(self.mark) + 1))[:self.size]


class Gone(Exception):
    """The daemon ended the connection, or there is none."""


class Hung(Exception):
    """A request got no answer."""


class Connection:
    counter = 0

    def __init__(self, path):
        Connection.counter += 1
        self.number = Connection.counter
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(path)
        except OSError as error:
            self.socket.close()
            raise Gone from error
        self.lines = self.socket.makefile("rb")

    def ask(self, line):
        try:
            self.socket.sendall(line.encode() + b"\n")
            reply = self.lines.readline()
        except TimeoutError as error:
            raise Hung(line[:200]) from error
        except OSError as error:
            raise Gone from error
        if not reply.endswith(b"\n"):
            raise Gone
        return json.loads(reply)

    def close(self):
        self.lines.close()
        self.socket.close()


class Client(threading.Thread):
    """Submits jobs, cancels some, asks for the others, and forgets some of those. It connects anew whenever the daemon is gone."""

    def __init__(self, number, daemon, seed, findings):
        super().__init__(daemon=True)
        self.number = number
        self.server = daemon
        self.random = random.Random(f"{seed} {number}")
        self.findings = findings
        self.jobs = []
        self.open = collections.deque()
        self.connection = None
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.is_set():
            try:
                self.connection = self.connection or Connection(self.server.path)
                if len(self.open) < OPEN_JOBS and self.random.random() < 0.6:
                    self.submit()
                elif self.open and self.random.random() < 0.1:
                    self.cancel(self.open[-1])
                elif self.open:
                    self.settle(self.open[0])
            except Gone:
                self.disconnect()
                self.is_over.wait(0.001)
            except Hung as request:
                self.findings.append(f"no answer to {request}")
                return

    def disconnect(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def find(self, job, text):
        self.findings.append(f"job {job.number} ({job.mark}): {text}")

    def submit(self):
        mark = f"c{self.number}-{len(self.jobs)}."
        size = self.random.choice([10, 100, 100, 1000, 1000, 5000, 5000, 200_000])
        job = Job(mark, self.random.choice([0, 0, 1, 5]), size)
        job.connection = self.connection.number
        self.jobs.append(job)
        if self.random.random() < 0.5:
            reply = self.connection.ask(json.dumps({"id": 1, "command": job.words, "detach": True}))
            number = reply.get("job")
        else:
            reply = self.connection.ask("daemon:submit " + " ".join(job.words))
            number = reply["output"] if reply["ok"] else None
        if reply["ok"]:
            job.fate, job.number = "accepted", int(number)
            self.open.append(job)
        else:
            job.fate, job.error = "refused", reply.get("error", "storage_failed")
            if job.error not in REFUSED:
                self.find(job, f"refused: {reply}")
            # The disk is full or read-only: not all the time is to go into asking.
            self.is_over.wait(0.002)

    def cancel(self, job):
        job.cancelled = job.cancelled or "asked"
        reply = self.connection.ask(f"daemon:cancel {job.number}")
        if reply["ok"] and reply["output"].startswith("Cancelled"):
            job.cancelled = "done"

    def settle(self, job):
        """Asks for the end of a job. An answer that it has not got yet comes later."""
        life = self.server.life
        reply = self.connection.ask(json.dumps({"id": 2, "command": ["daemon:wait", str(job.number)]}))
        if reply.get("error") == "storage_failed" and "exit_status" not in reply:
            self.is_over.wait(0.005)
            return
        self.judge(job, reply, life)
        self.open.remove(job)
        if self.random.random() < 0.5:
            job.forgotten = "asked"
            reply = self.connection.ask(f"daemon:forget {job.number}")
            job.forgotten = "done" if reply["ok"] else None

    def judge(self, job, reply, life):
        """The same answer must come each time. If the disk was full when the job ended, its end was told, and perhaps never
        written down. `life` is the daemon's from before the question."""
        result = (reply.get("error"), reply.get("exit_status"), reply.get("output"))
        is_same = job.result in (None, result)
        if not is_same and not (result[0] == "interrupted" and job.lives & self.server.full_lives):
            self.find(job, f"first {str(job.result)[:300]}, then {str(result)[:300]}")
        if is_same:
            job.result = result
        # The answer may come from the next daemon, which has read what the one before has written.
        job.lives = set(range(life - 1, self.server.life + 1))
        error, status, output = result
        job.is_unbegun = error == "cancelled" and "exit_status" not in reply
        if job.cancelled == "done" and error not in ("cancelled", "interrupted", "unknown_job"):
            self.find(job, f"was cancelled, and ended with {str(result)[:300]}")
        elif error == "unknown_job":
            self.find(job, "lost")
        elif reply.get("job") != job.number and not job.is_unbegun:
            self.find(job, f"the answer is of another job: {str(reply)[:300]}")
        elif error is None and status == job.size % 3:
            if output != job.output:
                self.find(job, f"wrong output: {output[:100]!r}, {len(output)} bytes of {job.size}")
        elif error is None and status is not None:
            self.find(job, f"status {status}: {output[-300:]!r}")
        elif error in ("interrupted", "output_truncated") or error == "cancelled" and job.cancelled:
            # Everything before the cut, then lines that say why.
            kept = output.split("\n")[0]
            if not job.output.startswith(kept) and not any(word in kept for word in ("daemon ended", "cut", "cancelled")):
                self.find(job, f"output of another: {output[:300]!r}")
        elif error not in REFUSED:
            self.find(job, f"ended with {str(reply)[:300]}")

    def finish(self):
        """Asks for all jobs, also those that were asked for before."""
        self.disconnect()
        self.connection = Connection(self.server.path)
        try:
            self.ask_all()
        except Hung as request:
            self.findings.append(f"no answer to {request}, at the end")
        self.disconnect()

    def ask_all(self):
        for job in self.jobs:
            if job.fate == "accepted" and job.forgotten is None:
                life = self.server.life
                reply = self.connection.ask(json.dumps({"command": ["daemon:wait", str(job.number)]}))
                self.judge(job, reply, life)


def judge(clients, marks, findings):
    """What ran, against what the clients were told."""
    ran = collections.Counter(marks)
    places = {mark: place for place, mark in enumerate(marks)}
    numbers = collections.Counter()
    lines = collections.defaultdict(list)
    for client in clients:
        for job in client.jobs:
            times = ran.pop(job.mark, 0)
            numbers.update([job.number] if job.number else [])
            error, status = job.result[:2] if job.result else (None, None)
            if times > 1:
                client.find(job, f"ran {times} times")
            elif job.fate == "refused" and times:
                client.find(job, f"was refused with {job.error}, and ran")
            elif status is not None and not times:
                client.find(job, "has a status, and never ran")
            elif job.is_unbegun and times:
                client.find(job, "was cancelled before it ran, and ran")
            elif error in REFUSED and times:
                client.find(job, f"ended with {error}, and ran")
            elif job.fate == "accepted" and job.result is None and job.forgotten is None:
                client.find(job, "was never answered")
            if times and job.number:
                lines[job.connection].append((job.number, places[job.mark]))
    findings += [f"number {number} was given {count} times" for number, count in numbers.items() if count > 1]
    findings += [f"{mark} ran, and nobody asked for it" for mark in ran]
    for line in lines.values():
        ordered = [place for _, place in sorted(line)]
        if ordered != sorted(ordered):
            findings.append(f"jobs of one connection ran out of their order: {sorted(line)}")


def live(daemon, dice):
    """A life of the daemon, from its start to a KILL."""
    disk = daemon.disk
    is_read_only = dice.random() < 0.05 and disk.forbid_writing()
    daemon.start()
    # Many end while it starts.
    rest = dice.uniform(0, 0.05) if dice.random() < 0.3 else dice.uniform(0.05, 0.3)
    if is_read_only:
        time.sleep(dice.uniform(0, rest))
        if dice.random() < 0.7:
            disk.allow_writing()
            is_read_only = False
            # It opens the file again after a second.
            rest += dice.choice([0, 1.2])
    elif dice.random() < 0.1:
        time.sleep(dice.uniform(0, rest))
        disk.fill()
        daemon.note_full()
        time.sleep(dice.uniform(0, rest))
        if dice.random() < 0.7:
            disk.free()
    time.sleep(rest)
    daemon.kill()
    if is_read_only:
        disk.allow_writing()
    if dice.random() < 0.7:
        disk.free()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("daemon")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    # What was begun is ended and removed also then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("kill: ended by SIGTERM"))
    print(f"kill: seed {arguments.seed}", flush=True)
    findings = []
    daemon = Daemon(os.path.abspath(arguments.daemon))
    clients = [Client(number, daemon, arguments.seed, findings) for number in range(arguments.clients)]
    try:
        for client in clients:
            client.start()
        for _ in range(arguments.kills):
            live(daemon, dice)
        daemon.disk.free()
        for client in clients:
            client.is_over.set()
        daemon.start()
        for client in clients:
            client.join(2 * PATIENCE)
        for client in clients:
            if not findings:
                client.finish()
        status = daemon.stop()
        if status != 0:
            findings.append(f"the last daemon ended with {status}")
        judge(clients, daemon.ran(), findings)
        report(arguments, daemon, clients, findings)
    finally:
        if daemon.process and daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()
        daemon.remove()
    sys.exit(bool(findings))


def report(arguments, daemon, clients, findings):
    jobs = [job for client in clients for job in client.jobs]
    fates = collections.Counter(job.fate for job in jobs)
    errors = collections.Counter(job.error for job in jobs if job.error)
    results = collections.Counter(job.result[0] or "ran" for job in jobs if job.result)
    print(f"{len(jobs)} requests: {dict(fates)}; refused: {dict(errors)}; jobs: {dict(results)}; "
          f"cancelled: {sum(job.cancelled == 'done' for job in jobs)}; forgotten: {sum(job.forgotten == 'done' for job in jobs)}")
    if daemon.disk.is_own:
        print(f"the disk was full {daemon.disk.full_times} times and read-only {daemon.disk.read_only_times} times")
    else:
        print("SKIPPED: the disk was never full and never read-only, because only root can mount one for the test")
    for text in findings[:50]:
        print(text)
    if findings:
        print(daemon.said()[-2000:])
    print(f"{arguments.kills} KILLs, {len(findings)} findings")


main()
