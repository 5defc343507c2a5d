# Seven clients that talk to the daemon at once, each in its own way, and the replies that they must get. The conversation is
# always the same.
import hashlib
import itertools
import json
import os
import socket

PATIENCE = 10
NUMBERS = itertools.count(1)
# Errors that say that the command has not been started.
NOT_RUN = {"invalid_request", "invalid_command", "line_too_long", "input_too_long", "queue_full", "spawn_failed",
           "shutting_down"}
LARGE = 1_500_000


class Hung(Exception):
    """Nothing came within `PATIENCE` seconds."""


class Request:
    """One request. `is_right` judges the reply. If the request starts a command, `token` is the command's last word."""

    def __init__(self, text, is_right, token=None, body=b"", files=()):
        # Paths of the files that are handed over with it.
        self.files = files
        self.bytes = text.encode() + b"\n" + body
        self.text = text
        self.is_right = is_right
        self.token = token
        # The reply, once it is there. For a JSON request: the last line, with the output of the events.
        self.reply = None

    def send(self, connection):
        descriptors = [os.open(path, os.O_RDWR) for path in self.files]
        try:
            sent = socket.send_fds(connection, [self.bytes], descriptors) if descriptors else 0
            connection.sendall(self.bytes[sent:])
        finally:
            for number in descriptors:
                os.close(number)

    @property
    def state(self):
        if self.reply is None:
            return "lost"
        return "right" if self.is_right(self.reply) else "failed"


class Client:
    def __init__(self, name, *requests):
        self.name = name
        self.requests = requests
        self.socket = None

    def start(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(path)
            for request in self.requests:
                request.send(self.socket)
        except TimeoutError:
            raise Hung(f"client {self.name} could not send its requests")
        except OSError:
            # The daemon has ended the connection. What it sent before can still be read.
            pass

    def collect(self):
        events = {}
        try:
            lines = self.socket.makefile("rb")
            while any(request.reply is None for request in self.requests):
                line = lines.readline()
                if not line.endswith(b"\n"):
                    break
                self.take(json.loads(line.decode("utf-8")), events)
        except TimeoutError:
            lost = next(request for request in self.requests if request.reply is None)
            raise Hung(f"client {self.name} waits in vain for {lost.text[:80]}")
        except ConnectionError:
            pass
        finally:
            self.socket.close()

    def take(self, line, events):
        identity = line.get("id")
        if line.get("event") in ("queued", "started"):
            return
        if line.get("event") == "output":
            key = (identity, line["stream"])
            events[key] = events.get(key, "") + line["data"]
            return
        if line.get("event") == "end" and "output" not in line:
            line["stdout"] = events.get((identity, "stdout"), "")
            line["stderr"] = events.get((identity, "stderr"), "")
        for request in self.requests:
            if request.reply is None and (identity is None or f'"id":{identity},' in request.text):
                request.reply = line
                return
        raise ValueError(f"an answer to nothing: {line}")


def says(output):
    return lambda reply: reply["ok"] is True and reply["output"] == output


class Conversation:
    """`folder` has the daemon's socket, and is the place for other files."""

    def __init__(self, folder):
        self.folder = folder
        self.source, self.target = f"{folder}/in", f"{folder}/out"
        self.content = ("a line of a file\n" * 2000).encode()
        with open(self.source, "wb") as file:
            file.write(self.content)
        if os.path.exists(self.target):
            os.unlink(self.target)
        self.clients = [
            self.plain(), self.json(), self.streaming(), self.with_input(), self.slow(), self.redirected(),
            self.handing_over()]

    def token(self):
        return f"r{next(NUMBERS)}"

    def plain(self):
        one, two = self.token(), self.token()
        return Client(
            "plain",
            Request(f"test:args {one}", says(one), one),
            Request("daemon:status", lambda reply: reply["ok"] is True and "waiting:" in reply["output"]),
            Request("refresh", says("Refreshed commands")),
            Request(f"test:args {two}", says(two), two))

    def json(self):
        one, two = self.token(), self.token()
        return Client(
            "json",
            Request(f'{{"id":1,"command":["test:args","{one}"]}}', says(one), one),
            Request('{"id":2,"command":["nonsense"]}', lambda reply: reply.get("error") == "invalid_command"),
            Request(f'{{"id":3,"command":["test:args","{two}"]}}', says(two), two))

    def streaming(self):
        token = self.token()
        return Client("stream", Request(
            f'{{"id":1,"command":["test:both","{token}"],"stream":true}}',
            lambda reply: reply["ok"] and reply["stdout"] == f"out {token}\n" and reply["stderr"] == f"err {token}\n",
            token))

    def with_input(self):
        one, two = self.token(), self.token()
        body = (f"some input of {one}\n" * (LARGE // 20)).encode()
        return Client(
            "input",
            Request(f'{{"id":1,"command":["test:stdin","{one}"],"stdin_length":{len(body)}}}',
                    says(body.decode().rstrip("\n")), one, body),
            Request(f'{{"id":2,"command":["test:digest","{two}"],"stdin":"short"}}',
                    says(hashlib.sha256(b"short").hexdigest()), two))

    def slow(self):
        one, two = self.token(), self.token()
        return Client(
            "slow",
            Request(f"test:big {LARGE} {one}", says("x" * LARGE), one),
            Request(f"test:big 200000 {two}", says("x" * 200_000), two))

    def redirected(self):
        one, two = self.token(), self.token()
        return Client(
            "redirected",
            Request(f"test:bytes {self.source} {one} > {self.target}", self.is_written, one),
            Request(f"test:digest {two} < {self.source}", says(hashlib.sha256(self.content).hexdigest()), two))

    def handing_over(self):
        token = self.token()
        output = f"{self.folder}/handed"
        with open(output, "wb"):
            pass

        def is_right(reply):
            with open(output, "rb") as file:
                return reply["ok"] is True and reply["output"] == "" and file.read() == f"{token}\n".encode()

        return Client("handing over", Request(
            f'{{"id":1,"command":["test:args","{token}"],"descriptors":true}}', is_right, token,
            files=("/dev/null", output, output)))

    def is_written(self, reply):
        if reply != {"ok": True, "output": ""}:
            return False
        with open(self.target, "rb") as file:
            return file.read() == self.content

    def run(self):
        for client in self.clients:
            client.start(f"{self.folder}/socket")
        # The slow client reads last, when all of its replies are there.
        for client in sorted(self.clients, key=lambda client: client.name == "slow"):
            client.collect()

    def close(self):
        for client in self.clients:
            if client.socket:
                client.socket.close()
