# Talks to a daemon on many connections at once, in right and wrong ways: requests of all kinds, cut anywhere; replies that
# are read late or not at all; connections that are half-closed or dropped. Checks that each complete line gets one answer,
# which is valid JSON with the right content. Checks with the stand-in's journal that each command ran exactly once.
#   soak.py FOLDER SEED SECONDS        FOLDER holds the sockets `socket`, `one-shot`, `read-only`, and `journal`
import base64
import collections
import json
import random
import selectors
import socket
import sys
import time

folder, seed, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
rng = random.Random(seed)
AT_ONCE = 64
counts = collections.Counter()
must_run, may_run = [], set()


def fail(text):
    sys.exit(f"seed {seed}: {text}")


def refused(*codes):
    return lambda reply: reply["ok"] is False and (not codes or reply.get("error") in codes)


def said(text):
    return lambda reply: reply["ok"] is True and reply["output"] == text


def name():
    counts["names"] += 1
    return f"t{seed}-{counts['names']}"


def plain(read_only):
    """A line, the reply that it must get, and the command that it runs."""
    token = name()
    kind = rng.randrange(10)
    if kind < 4:
        words = rng.choice([f"test:args {token}", f"  test:args  '{token}' ", f'--quiet test:args "{token}"\r'])
        return (words, refused(), None) if read_only else (words, said(token), token)
    if kind == 4 and not read_only:
        size = rng.choice([1, 1000, 70000, 400000])
        return f"test:big {size} {token}", said("x" * size), token
    if kind == 5:
        return rng.choice(["daemon:version", "daemon:status", "daemon:queue", "commands"]), lambda r: r["ok"], None
    wrong = ["", " ", "'", "\\", f"nonsense {token}", f"test:args/{token}", "apps:destroy x", "enter x", "x" * 70000,
             "daemon:cancel 99999999", "test:args\0 x", "\xff\xfe", f"test:args > relative/{token}"]
    return rng.choice(wrong), refused(), None


def request(read_only):
    """The same, and the bytes that follow the line, if any."""
    token = name()
    body = None
    keys = {"id": token, "command": ["test:args", token]}
    expected, runs = (refused("denied"), None) if read_only else (said(token), token)
    kind = rng.randrange(12)
    if kind < 4:
        keys["stream"] = rng.random() < 0.5
    elif kind == 4:
        keys |= {"encoding": "base64", "stream": rng.random() < 0.5}
        if not read_only:
            expected = said(base64.b64encode(f"{token}\n".encode()).decode())
    elif kind in (5, 6):
        body = rng.randbytes(rng.choice([0, 1, 10, 5000, 1500000] if rng.random() < 0.1 else [0, 1, 10, 5000]))
        keys |= {"command": ["test:stdin", token], "stdin_length": len(body), "encoding": "base64",
                 "stream": rng.random() < 0.5}
        if not read_only:
            expected = said(base64.b64encode(body).decode())
    elif kind == 7 and not read_only:
        keys["command"] = ["test:signal", token]
        expected = lambda reply: reply["exit_status"] is None and reply["signal"] == "SIGKILL"
    elif kind == 8 and not read_only:
        keys |= {"command": ["test:wait", token], "timeout": 0.01, "stream": rng.random() < 0.5}
        expected, runs = refused("timeout"), None
        # The command may be ended before it has written to the journal.
        may_run.add(token)
    elif kind == 9:
        keys = {"id": token, "command": [rng.choice(["daemon:version", "commands", "daemon:queue"])]}
        expected, runs = lambda reply: reply["ok"] is True, None
    elif kind == 10:
        body = b"test:args never\n" * rng.randrange(3)
        keys |= {"nonsense": 1, "stdin_length": len(body)}
        expected, runs = refused("invalid_request"), None
    elif kind == 11:
        broken = rng.choice(['{"id":%s,"command":["a"],}', '{"id":%s', '{"id":%s,"command":[' + "[" * 50000,
                             '{"id":%s,"id":%s,"command":"x"}', ' {"id":%s,"command":["x"]} x'])
        text = broken.replace("%s", json.dumps(token))
        return text, refused("invalid_request"), None, None
    return json.dumps(keys), expected, runs, body


class Conversation:
    def __init__(self):
        listener = rng.choice(["socket"] * 6 + ["one-shot", "read-only"])
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{folder}/{listener}")
        self.socket.setblocking(False)
        self.is_one_shot = listener == "one-shot"
        self.out, self.sent, self.got = b"", 0, b""
        self.plains, self.open, self.data = collections.deque(), {}, collections.defaultdict(str)
        self.ends = []
        self.has_ended = False
        count = 1 if self.is_one_shot else rng.choice([0, 1, 2, 5, 20, 90])
        for _ in range(count):
            self.add(listener == "read-only")
        self.ending = "half" if self.is_one_shot else rng.choice(["read", "read", "half", "drop"])
        if self.ending == "drop":
            self.out = self.out[: rng.randrange(len(self.out) + 1)]
        self.laziness = rng.choice([0, 0, 0, 50])
        counts["connections"] += 1

    def add(self, read_only):
        if rng.random() < 0.5:
            line, expected, runs = plain(read_only)
            if line.startswith("nonsense") and self.is_one_shot:
                expected = lambda reply: "is not a dokku command" in reply["output"]
            body = None
            if self.is_one_shot and len(line) > 30000:
                line, expected = "'", refused()
            self.plains.append((line, expected))
        else:
            line, expected, runs, body = request(read_only)
            if self.is_one_shot and len(line) > 30000:
                line = line[:1000]
            self.open[json.loads(line)["id"] if runs or body is not None else self.id_of(line)] = expected
        self.out += line.encode("latin-1") + b"\n" + (body or b"")
        counts["requests"] += 1
        if runs:
            self.ends.append((len(self.out), runs))

    @staticmethod
    def id_of(line):
        start = line.index('"id":') + 5
        return json.JSONDecoder().raw_decode(line[start:].lstrip())[0]

    def pump(self):
        """Sends and receives as much as possible. True when the conversation is over."""
        try:
            while self.sent < len(self.out):
                # On this socket, the bytes of one write count as a request.
                step = 1 << 20 if self.is_one_shot else rng.choice([1, 7, 100, 65536])
                self.sent += self.socket.send(self.out[self.sent : self.sent + step])
            if self.ending == "drop":
                return self.drop()
            if self.ending == "half" and not self.has_ended:
                self.has_ended = True
                self.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        if self.laziness > 0 and self.sent == len(self.out):
            self.laziness -= 1
            # Now it reads: all replies may be there already, and then no further event comes.
            if self.laziness > 0:
                return False
        try:
            while piece := self.socket.recv(1 << 18):
                self.got += piece
                *lines, self.got = self.got.split(b"\n")
                for line in lines:
                    self.take(line)
        except BlockingIOError:
            if self.ending == "half" or self.plains or self.open or self.sent < len(self.out):
                return False
            return self.finish()
        if self.ending != "half" or self.got:
            fail(f"a connection was ended, with {self.got[:200]} left")
        return self.finish()

    def take(self, line):
        try:
            reply = json.loads(line.decode("utf-8"))
        except ValueError as error:
            fail(f"no JSON in {line[:200]}: {error}")
        if "id" not in reply:
            if not self.plains:
                fail(f"an answer to nothing: {line[:200]}")
            asked, expected = self.plains.popleft()
        else:
            identity = reply["id"]
            if identity not in self.open:
                fail(f"answered twice, or not asked: {line[:200]}")
            if reply.get("event") == "output":
                if reply["stream"] == "stdout":
                    self.data[identity] += reply["data"]
                return
            if reply.get("event") in ("queued", "started"):
                return
            asked, expected = identity, self.open.pop(identity)
            if reply.get("event") == "end" and "output" not in reply:
                data = self.data.pop(identity, "")
                # Each piece of base64 is encoded by itself. The newlines at the end of a text are the command's own.
                pieces = [data[i : i + 4] for i in range(0, len(data), 4)]
                whole = b"".join(base64.b64decode(piece) for piece in pieces) if not data.endswith("\n") else b""
                reply["output"] = data.rstrip("\n") if data.endswith("\n") else base64.b64encode(whole).decode()
        if not expected(reply):
            fail(f"to {str(asked)[:200]}: {line[:300]}")
        counts["answers"] += 1

    def finish(self):
        if self.plains or self.open:
            fail(f"never answered: {list(self.plains)[:1]} {list(self.open)[:1]}")
        must_run.extend(token for _, token in self.ends)
        self.socket.close()
        return True

    def drop(self):
        """Complete requests run all the same, and nothing else runs."""
        must_run.extend(token for end, token in self.ends if end <= self.sent)
        self.socket.close()
        return True


def ask(line):
    client = socket.socket(socket.AF_UNIX)
    client.connect(f"{folder}/socket")
    client.sendall(line.encode() + b"\n")
    return json.loads(client.makefile().readline())["output"]


def follow():
    """Starts an endless command, and leaves."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(f"{folder}/socket")
    client.sendall(json.dumps({"command": ["logs", name(), "-t"], "stream": True}).encode() + b"\n")
    if rng.random() < 0.5:
        reply = json.loads(client.makefile().readline())
        if reply.get("event") != "started" and reply.get("error") != "queue_full":
            fail(f"to follow: {reply}")
    client.close()
    counts["followers"] += 1


# For clients that block: none waits longer than this for an answer.
socket.setdefaulttimeout(60)
selector = selectors.DefaultSelector()
end = time.monotonic() + seconds
living = set()
while living or time.monotonic() < end:
    while len(living) < AT_ONCE and time.monotonic() < end:
        conversation = Conversation()
        living.add(conversation)
        selector.register(conversation.socket, selectors.EVENT_READ, conversation)
        if rng.random() < 0.05:
            follow()
    over = []
    busy = [each for each in living if each.sent < len(each.out) or each.laziness > 0 or each.ending == "drop"
            or not each.out]
    ready = [key.data for key, _ in selector.select(0.001 if busy else 30)]
    if not busy and not ready:
        one = living.pop()
        fail(f"{1 + len(living)} wait in vain, one for {list(one.plains)[:1]} and {list(one.open)[:1]},"
             f" ending {one.ending}, after {one.out[-2000:]}; {ask('daemon:status')}")
    for each in set(busy + ready):
        # Unregistered first, because a closed socket cannot be unregistered.
        selector.unregister(each.socket)
        if each.pump():
            living.discard(each)
        else:
            selector.register(each.socket, selectors.EVENT_READ, each)

# Commands that were left behind run to their end. Endless commands have ended with their clients.
patience = time.monotonic() + 60
while True:
    status = dict(line.split(": ", 1) for line in ask("daemon:status").split("\n"))
    if status["running"] == "0" and status["waiting"] == "0" and status["connections"] == "1":
        break
    if time.monotonic() > patience:
        fail(f"this was not to last: {status} {ask('daemon:queue')}")

ran = collections.Counter()
with open(f"{folder}/journal") as journal:
    for line in journal:
        words = line.split()
        if words[0] == "start" and words[-1].startswith(f"t{seed}-"):
            ran[words[-1]] += 1
for token in must_run:
    if ran.pop(token, 0) != 1:
        fail(f"{token} ran more than once, or never")
for token, times in ran.items():
    if token not in may_run or times > 1:
        fail(f"{token} ran {times} times and should not have")
print(f"{counts['connections']} connections, {counts['requests']} requests, {counts['answers']} answers, "
      f"{len(must_run)} commands, {counts['followers']} left")
