# More clients and more requests than a daemon should ever meet. Every reply must be right. Meanwhile a working client
# measures how long it waits for its answers. Afterwards memory and descriptors must be what they were before. Prints a table
# for Benchmarks/README.md.
#   load.py DAEMON [SCALE]     SCALE: the part of the full load, default 1; a smaller one also shortens the pauses
import collections
import json
import multiprocessing
import os
import resource
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time

STAND_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "StandIn", "quick-dokku")
PATIENCE = 120
# How much memory a load may leave, in bytes: the allocator keeps some of it, and the tables keep a place for each
# connection that was open at once. A second load of the same kind adds nothing.
MEMORY_LEFT = 2 << 20
PLACE_LEFT = 512
VERSION = b"daemon:version\n"


class Daemon:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="dokku-daemon-load-")
        for name in ("state", "plugins", "plugins/enabled"):
            os.mkdir(f"{self.folder}/{name}")
        self.path = f"{self.folder}/socket"
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(f"{self.folder}/notify")
        manager.settimeout(PATIENCE)
        self.process = subprocess.Popen([program], env={
            "PATH": os.environ["PATH"], "NOTIFY_SOCKET": f"{self.folder}/notify",
            "DOKKU_SOCK_PATH": self.path, "DOKKU_LOCK_PATH": f"{self.folder}/lock",
            "DOKKU_DAEMON_LOGFILE": f"{self.folder}/log", "DOKKU_DAEMON_STATE_DIR": f"{self.folder}/state",
            "DOKKU_DAEMON_DOKKU": STAND_IN, "DOKKU_SYSTEM_USER": "root",
            "PLUGIN_PATH": f"{self.folder}/plugins",
            "STAND_IN_JOURNAL": f"{self.folder}/journal", "DOKKU_DAEMON_MAX_CONNECTIONS": "100000",
            "DOKKU_DAEMON_MAX_QUEUE": "100000",
        }, stdin=subprocess.DEVNULL)
        while not manager.recv(4096).startswith(b"READY=1"):
            pass
        # Nobody reads its messages to the service manager from here on.
        manager.close()
        # The answer comes when the daemon has read the list of commands.
        with self.connect() as client:
            client.sendall(b"commands\n")
            client.makefile("rb").readline()

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS:"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(self.path)
        return client

    def settle(self, descriptors=None):
        """Waits until all clients of the load are gone, nothing runs, and as many descriptors are open as before.
        Returns their number."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with self.connect() as client:
                client.sendall(b"daemon:status\n")
                status = json.loads(client.makefile("rb").readline())["output"]
                found = dict(line.split(": ", 1) for line in status.split("\n")), self.descriptors()
            if (found[0]["connections"], found[0]["running"], found[0]["waiting"]) == ("1", "0", "0"):
                if descriptors in (None, found[1]):
                    return found[1]
            require(time.monotonic() < deadline, f"this was not to last: {found}, instead of {descriptors} descriptors")
            time.sleep(0.01)

    def remove(self):
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        shutil.rmtree(self.folder)
        require(status == 0, f"the daemon ended with {status}")


def require(condition, text):
    if not condition:
        sys.exit(f"load: {text}")


def read_version(daemon):
    with daemon.connect() as client:
        client.sendall(VERSION)
        return client.makefile("rb").readline()


class Worker:
    """A process that asks for the version a thousand times a second, and waits for each answer."""

    def __init__(self, daemon):
        self.ours, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=self.work, args=(daemon, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.ours.recv()

    @staticmethod
    def work(daemon, pipe):
        right = read_version(daemon)
        client = daemon.connect()
        lines = client.makefile("rb")
        waits = []
        pipe.send("ready")
        while not pipe.poll(0.001):
            start = time.perf_counter()
            client.sendall(VERSION)
            line = lines.readline()
            waits.append(time.perf_counter() - start)
            if line != right:
                pipe.send(f"the working client got {line}")
                return
        pipe.send(waits)

    def stop(self):
        self.ours.send("stop")
        waits = self.ours.recv()
        self.process.join()
        require(isinstance(waits, list), waits)
        waits.sort()
        return waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1]


class Talk:
    """A client that does not block: the bytes to send, and the lines that must come back, in order."""

    def __init__(self, daemon, out, lines, piece=1 << 16):
        self.socket = daemon.connect()
        self.socket.setblocking(False)
        self.out = memoryview(out)
        self.expected = collections.deque(lines)
        self.piece = piece
        self.got = b""

    @property
    def is_over(self):
        return not self.expected

    def send(self):
        try:
            self.out = self.out[self.socket.send(self.out[: self.piece]):]
        except BlockingIOError:
            pass

    def receive(self):
        try:
            piece = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        require(piece, f"a connection was ended, with {len(self.expected)} answers to come")
        *lines, self.got = (self.got + piece).split(b"\n")
        for line in lines:
            expected = self.expected.popleft() if self.expected else None
            require(line == expected, f"{line[:200]} instead of {expected}")


def serve(talks):
    """Serves all clients until each has its answers, and then closes them."""
    selector = selectors.DefaultSelector()
    for talk in talks:
        selector.register(talk.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, talk)
    left = len(talks)
    while left:
        ready = selector.select(PATIENCE)
        require(ready, f"{left} clients wait in vain")
        for key, events in ready:
            talk = key.data
            if events & selectors.EVENT_WRITE:
                talk.send()
                if not talk.out:
                    selector.modify(talk.socket, selectors.EVENT_READ, talk)
            if events & selectors.EVENT_READ:
                talk.receive()
            if talk.is_over:
                selector.unregister(talk.socket)
                talk.socket.close()
                left -= 1
    selector.close()


def plain_reply(output):
    return json.dumps({"ok": True, "output": output}, separators=(",", ":")).encode()


# The loads. Each returns the number of right answers. `pace` is the length of a pause that would be a second in full size.

def idle(daemon, count, pace):
    """Connections that send nothing, and at the end one request each."""
    clients = [daemon.connect() for _ in range(count)]
    time.sleep(pace)
    right = read_version(daemon)
    for client in clients:
        client.sendall(VERSION)
        require(client.recv(1000) == right, "a wrong answer")
        client.close()
    return count


def crowd(daemon, count, pace):
    """Clients that send twenty commands each, all at once."""
    talks = []
    for client in range(count):
        words = [f"c{client}-{number}" for number in range(20)]
        out = "".join(f"test:args {word}\n" for word in words).encode()
        talks.append(Talk(daemon, out, [plain_reply(word) for word in words]))
    serve(talks)
    with open(f"{daemon.folder}/journal") as journal:
        ran = collections.Counter(line.split()[-1] for line in journal)
    require(len(ran) == 20 * count and set(ran.values()) == {1}, "a command did not run exactly once")
    return 20 * count


def pipeline(daemon, count, pace):
    """All requests on one connection, as fast as the daemon takes them: plain lines and JSON in turns."""
    version = read_version(daemon).rstrip(b"\n")
    output = json.loads(version)["output"]
    out, lines = [], []
    for number in range(count // 2):
        out.append(VERSION + b'{"id":%d,"command":["daemon:help"]}\n' % number)
    with daemon.connect() as client:
        client.sendall(b'{"id":"N","command":["daemon:help"]}\n')
        help_line = client.makefile("rb").readline().rstrip(b"\n")
    for number in range(count // 2):
        lines += [version, help_line.replace(b'"N"', b"%d" % number)]
    require(output, "no version")
    serve([Talk(daemon, b"".join(out), lines)])
    return len(lines)


def comings_and_goings(daemon, count, pace):
    """A connection for each request. In between, connections that send nothing or leave before the answer."""
    right = read_version(daemon)
    for number in range(count):
        client = daemon.connect()
        if number % 4 == 1:
            client.sendall(VERSION)
        if number % 2 == 0:
            client.sendall(VERSION)
            require(client.recv(1000) == right, "a wrong answer")
        client.close()
    return count // 2


def trickle(daemon, count, pace):
    """Clients that send a byte a second."""
    right = read_version(daemon).rstrip(b"\n")
    talks = [Talk(daemon, VERSION, [right], piece=1) for _ in range(count)]
    for _ in range(len(VERSION)):
        start = time.monotonic()
        for talk in talks:
            talk.send()
        time.sleep(max(0, pace - (time.monotonic() - start)))
    serve(talks)
    return count


# For each load: the number of requests or clients, and of connections at once.
LOADS = [
    ("{:,} idle connections", idle, 10_000, 10_000),
    ("{:,} clients with 20 commands each", crowd, 1_000, 1_000),
    ("{:,} requests on one connection", pipeline, 100_000, 1),
    ("{:,} connections that come and go", comings_and_goings, 100_000, 1),
    ("{:,} clients that send a byte a second", trickle, 1_000, 1_000),
]


def milliseconds(seconds):
    return f"{seconds * 1000:.2f}"


def raise_descriptor_limit():
    """Raises the limit of descriptors as far as possible; root can raise it to what 10,000 connections need. Returns it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        wanted = max(hard, 32_768)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    except (ValueError, PermissionError):
        wanted = hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return wanted


def main():
    program = os.path.abspath(sys.argv[1])
    scale = float(sys.argv[2]) if len(sys.argv) > 2 else 1
    hard = raise_descriptor_limit()
    rows = []
    for title, load, full, at_once in LOADS:
        count = max(20, int(full * scale))
        # If descriptors are few, the daemon gives five eighths of them to connections. The table says how many
        # connections there were.
        if load is idle:
            count = min(count, hard * 5 // 8 - 400)
        daemon = Daemon(program)
        descriptors = daemon.settle()
        memory = daemon.memory()
        worker = Worker(daemon)
        start = time.monotonic()
        answers = load(daemon, count, 1 if scale == 1 else 0.05)
        took = time.monotonic() - start
        median, almost_all, longest = worker.stop()
        daemon.settle(descriptors)
        left = daemon.memory() - memory
        require(left < MEMORY_LEFT + PLACE_LEFT * min(count, at_once), f"{title.format(count)}: {left} bytes of memory were not given back")
        daemon.remove()
        rows.append((title.format(count), f"{answers:,}", f"{took:.1f} s",
                     " / ".join(map(milliseconds, (median, almost_all, longest))), f"{left / 1024:+,.0f} KiB"))
    head = ("", "right answers", "in", "the working client waits, ms: median / 99 % / longest", "memory left")
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for index, row in enumerate(table):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
        if index == 0:
            print("| " + " | ".join("-" * width for width in widths) + " |")
    print(f"\n{len(rows)} loads")


main()
