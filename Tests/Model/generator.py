# Makes conversations from a seed: settings, sockets, and then step after step. Each step depends on the state so far.
import json

from client import HAS_GROUPS
from situations import choose

RULES = ["read-only", "one-shot", "one-shot,raw-words", "raw-words", "keep-ansi", "read-only,one-shot"]
PIECES = ["a", "\n", "\n\n", "line\n", "\xc3", "\xa9", "\xc3\xa9", "\xe2\x82", "\xac\n", "\xf0\x9f", "\x98\x80", "\xff", "\x1b",
          "\x1b[3", "1m", "\x1b]0;t", "\x07", "\x1b]x\n", '"', "\\", "\0", "\r\n", "\x7f", "\xed\xa0\x80", "x" * 60]


class Generator:
    def __init__(self, rng):
        self.rng = rng
        self.tokens = self.names = self.ids = 0
        self.has_anonymous = False
        self.settings = self.choose_settings()
        # Words that several requests have in common, so that they can share a run.
        self.common = [f"s{number}" for number in range(1, rng.choice([1, 2, 4]) + 1)]
        self.listeners = [""] + [rules for rules in RULES if rng.random() < 0.4]
        self.length = rng.choice([4, 8, 15, 30, 60])
        self.situation = choose(rng)
        if self.situation is not None:
            self.situation.prepare(self)
        # Each conversation has a focus: some steps are more frequent in it.
        self.weights = {name: weight * rng.choice([0, 0.3, 1, 1, 3]) for name, weight in self.STEPS.items()}
        for name in ("connect", "send", "finish_run"):
            self.weights[name] = self.STEPS[name]

    STEPS = {
        "connect": 5, "send": 20, "ask": 5, "more": 6, "chunks": 4, "half": 3, "close": 2, "pause": 2, "resume": 1, "take": 0.5,
        "write": 12, "input": 3, "shut": 0.5, "deaf": 1, "fork": 1.5, "left": 2, "finish_run": 8, "inject": 0.5,
        "both": 4, "follower": 0.5, "mob": 0.4, "advance": 4, "term": 0.7, "hup": 0.5, "kill": 0.4, "start": 1, "lock": 0.7, "queue_up": 0.7, "unlock": 1, "plugin": 1, "help": 1,
        "hold": 2, "go": 4, "flood": 0.8, "crowd": 0.15,
    }

    def choose_settings(self):
        rng = self.rng

        def some(chance, name, *values):
            return {f"DOKKU_DAEMON_{name}": str(rng.choice(values))} if rng.random() < chance else {}

        return {"DOKKU_DAEMON_MAX_LINE": "400", "DOKKU_DAEMON_MAX_INPUT": "5000"} | some(
            0.25, "MAX_OUTPUT", 1, 100, 3000, 70000) | some(0.15, "MAX_OPEN", 1, 2) | some(
            0.1, "MAX_QUEUE", 1, 3, 4) | some(0.2, "MAX_FOLLOW", 1, 2) | some(0.08, "MAX_CONNECTIONS", 1, 3, 4) | some(
            0.1, "MAX_BUFFER", 100, 300) | some(0.2, "MAX_SPOOL", 6000, 6000, 150000, 400000) | some(0.1, "TIMEOUT", 5) | some(
            0.3, "STOP_GRACE", 1, 600) | some(0.3, "READERS", 1, 3) | some(0.3, "WORKERS", 2, 4)

    def conversation(self, driver):
        """Yields the steps. Each is made after the one before was carried out."""
        # Mostly at the beginning, when nothing disturbs it.
        moment = self.rng.choice([0, 0, self.rng.randrange(self.length)])
        for number in range(self.length):
            if number == moment and self.situation is not None:
                yield from self.situation.steps(self)
            for _ in range(20):
                name = self.rng.choices(list(self.weights), list(self.weights.values()))[0]
                steps = getattr(self, "make_" + name)(driver)
                if steps:
                    break
            yield from steps or []

    # MARK: Clients

    def make_connect(self, driver):
        self.names += 1
        return [["connect", f"c{self.names}", self.rng.choice([0, 0, self.rng.randrange(len(self.listeners))])]]

    def pick_client(self, driver, fits=lambda client: True):
        able = [name for name, client in driver.clients.items()
                if not client.is_closed and not client.has_end and fits(client)]
        return self.rng.choice(able) if able else None

    def make_send(self, driver):
        name = self.pick_client(driver, lambda client: not client.wants_half)
        if name is None:
            return self.make_connect(driver)
        steps = []
        for _ in range(self.rng.choice([1, 1, 1, 2, 5])):
            request = self.request(driver)
            count = None
            # A part of a path would name a file elsewhere.
            if self.rng.random() < 0.2 and "FOLDER" not in request["line"]:
                count = self.rng.randrange(len(request["line"]) + 60)
            steps.append(["send", name, request, count])
        return steps

    def make_more(self, driver):
        name = self.pick_client(driver, lambda client: client.tail)
        return name and [["more", name, self.rng.choice([None, 1, 2, 10, 100])]]

    def make_chunks(self, driver):
        """The chunks that a request has announced, a part of them, or something that is no chunk."""
        name = self.pick_client(driver, lambda client: client.stream.body_of and client.stream.body_of.is_chunked
                                and client.stream.body_of.events and not client.tail and not client.out and not client.wants_half)
        if name is None:
            return None
        text = ""
        for _ in range(self.rng.randrange(4)):
            size = self.rng.choice([1, 12, 300, 2600])
            text += f"{size}\n" + ("test:run evil2\n" * 200)[:size]
        text += self.rng.choice(["", "0\n", "0\n", "0\n", "0\ndaemon:version\n", "7\nabc", "x\n", "-1\n"])
        cut = self.rng.randrange(len(text) + 1)
        parts = [text[:cut], text[cut:]] if self.rng.random() < 0.4 else [text]
        return [["raw", name, part] for part in parts if part]

    def make_half(self, driver):
        name = self.pick_client(driver, lambda client: not client.wants_half and client.sent_count > 0)
        return name and [["half", name]]

    def make_close(self, driver):
        name = self.pick_client(driver)
        return name and [["close", name]]

    def make_pause(self, driver):
        name = self.pick_client(driver, lambda client: client.reads)
        return name and [["pause", name]]

    def make_resume(self, driver):
        name = self.pick_client(driver, lambda client: not client.reads)
        return name and [["resume", name]]

    def make_take(self, driver):
        name = self.pick_client(driver, lambda client: not client.reads)
        return name and [["take", name, self.rng.choice([1, 100, 100000])]]

    def make_flood(self, driver):
        """Many lines in one turn, often together with an end of the connection or of the daemon."""
        name = self.pick_client(driver, lambda client: not client.wants_half)
        if name is None:
            return None
        line = self.rng.choice(["daemon:version\n", '{"id":"f","command":["daemon:version"]}\n', "daemon:help\n"])
        request = {"line": line * self.rng.choice([200, 900, 3000]), "end": ""}
        tails = [["half", name]], [["term"]], [["close", name]], [["pause", name]]
        if self.rng.random() < 0.4:
            tails = tails[:2]
        steps = [each for tail in tails if self.rng.random() < 0.5 for each in tail]
        if self.rng.random() < 0.2:
            # The client does not read, and the daemon is told to stop.
            return [["pause", name], ["send", name, request, None], ["term"], ["advance", 5100], ["advance", 70000]]
        return [["hold"], ["send", name, request, None], *steps, ["go"]]

    def make_crowd(self, driver):
        """Many short commands. Each may leave a process behind."""
        name = self.pick_client(driver, lambda client: not client.wants_half and not client.rules)
        if name is None:
            return None
        if self.rng.random() < 0.3:
            kinds = [("builds:cancel", ""), ("logs", ',"-t"'), ("test:run", "")]
            kinds = self.rng.choice([kinds, kinds[:1]])
            lines = [f'{{"id":"{self.token()}","command":["{command}","{self.token()}"{flag}],"stream":true}}'
                     for number in range(20) for command, flag in [self.rng.choice(kinds)]]
            return [["send", name, {"line": line}, None] for line in lines]
        steps, leaves = [], self.rng.random() < 0.7
        for _ in range(self.rng.choice([20, 70, 270])):
            token = self.token()
            steps.append(["send", name, {"line": f"test:run {token}"}, None])
            if leaves:
                steps.append(["fork", token])
            steps += [["exit", token, 0]]
            if leaves:
                steps += [["advance", 2500]]
        if leaves:
            steps.append(["leftwrite", steps[0][2]["line"].split()[1], 1, "late"])
        return steps

    # MARK: Requests

    def token(self):
        self.tokens += 1
        return f"t{self.tokens}"

    def request(self, driver):
        rng = self.rng
        end = rng.choice(["\n"] * 12 + ["\r\n", "\n\n"])
        kind = rng.randrange(20)
        if kind < 2:
            return {"line": self.wrong(), "end": end}
        if kind < 4:
            return {"line": rng.choice(["daemon:version", "daemon:status", "daemon:queue", "daemon:help", "commands",
                                        "refresh", "daemon:queue --format json", "daemon:status --format=json",
                                        "daemon:events", '{"command":["daemon:version","--format","json"]}',
                                        '{"id":"b","command":"daemon:version","stream":true}',
                                        '{"id":"a","command":["commands"],"encoding":"base64"}']), "end": end}
        if kind == 4:
            targets = [request.token.decode() for client in driver.clients.values() for request in client.requests
                       if request.token and request.lane != "builtin" and request.answer is None]
            if targets:
                line = rng.choice(["daemon:cancel NUMBER", '{"id":"x","command":["daemon:cancel","NUMBER"]}'])
                return {"line": line, "end": end, "cancels": rng.choice(targets[-3:]), "which": rng.randrange(4)}
        if kind < 10:
            return self.plain(end)
        request = self.json() | {"end": end}
        # After a request that announces chunks, nothing may come before the daemon asks for them.
        return request | {"end": "\n"} if "stdin_chunks" in request["line"] else request

    def make_ask(self, driver):
        """The same words as other requests have. Of one client either all are plain or all are JSON."""
        names = [self.pick_client(driver, lambda client: not client.wants_half) for _ in range(self.rng.choice([1, 1, 2, 4]))]
        return [["send", name, self.asking(name), None] for name in names if name is not None]

    def asking(self, name):
        rng = self.rng
        token = rng.choice(self.common)
        words = rng.choice([["apps:exists", token]] * 3 + [["ps:report", token, "--deployed"]])
        if not HAS_GROUPS:
            # The log could not tell whose command it is.
            words[1] += name
        if int(name[1:]) % 2:
            flags = rng.choice(["", "", "", "--quiet "])
            return {"line": flags + " ".join(words) + rng.choice([""] * 20 + [" > FOLDER/out"])}
        self.ids += 1
        keys = {"id": f"s{self.ids}", "command": words} | rng.choice([{}, {}, {"stream": True}, {"stream": True}, {"encoding": "base64"}])
        chance = rng.random()
        if chance < 0.15:
            keys["timeout"] = rng.choice([5, 10])
        elif chance < 0.3:
            keys["on_disconnect"] = "cancel"
        elif chance < 0.35 and "DOKKU_DAEMON_MAX_SPOOL" not in self.settings:
            keys["stdin"] = "text"
        return {"line": json.dumps(keys)}

    def words(self, name, token):
        """The words of a command that is found by the token. `name` stands for one of several if it is "change"."""
        rng, app = self.rng, self.rng.choice(["one", "two", "three"])
        if name != "change":
            return [*name.split(), token]
        return rng.choice([["ps:rebuild", app, token]] * 3 + [["domains:add", app, token], ["config:set", app, f"{token}=x"]] * 2 + [
            ["config:set", "--no-restart", app, f"{token}=x"], ["--app", app, "ps:rebuild", token], ["test:run", token],
            ["--app", app, "--app", "one", "ps:rebuild", token], ["ps:rebuild", token, "--app", app],
            ["ps:rebuild", "--all", token], ["ps:rebuild", app, "--parallel=2", token], ["ps:rebuild", "-x", app, token],
            ["ps:rebuild", app.upper(), token], ["trace:on", token], ["events:on", token]])

    @property
    def change_count(self):
        return 6 if {"DOKKU_DAEMON_READERS", "DOKKU_DAEMON_WORKERS"} & set(self.settings) else 1

    def wrong(self):
        rng, token = self.rng, self.token()
        long = f"test:run {token} " + "x" * rng.choice([370, 400, 401, 5000])
        return rng.choice([
            "", " ", "\t", "'", '"x', "\\", f"nope:run {token}", f"test:run/{token}", f"apps:destroy {token}",
            f"enter {token}", "shell", f"test:import {token}", f"logs {token} -t", f"test:run {token}\0",
            "daemon:cancel -0", "daemon:cancel +1", "daemon:cancel 99999999", "daemon:version x", long,
            f'{{"command":["test:run","{token}","{"x" * 500}"]}}', "\xff\xfe", f"test:run {token} > out", "{", "{}",
            f'{{"id":{rng.randrange(1000)},"command":["test:run","{token}"],}}',
            f'{{"id":"w{token}","nonsense":1,"command":["test:run","{token}"]}}',
            f'{{"id":"w{token}","id":"w","command":["test:run","{token}"]}}',
            f'{{"id":"w{token}","command":[]}}', f'{{"id":"w{token}","command":"test:run \'{token}","stream":true}}',
            f'{{"id":1.5,"command":["test:run","{token}"]}}', f'{{"id":"w{token}","command":["test:run\\u0000"]}}'])

    def plain(self, end):
        rng, token = self.rng, self.token()
        name = rng.choice(["test:run"] * 6 + ["change"] * self.change_count + [
            "apps:exists", "apps:exists", "apps:destroy --force", "builds:cancel", "builds:output", f"plugin{rng.randrange(3)}:go"])
        if name == "change":
            words = " ".join(self.words(name, token))
            return {"line": rng.choice([words] * 20 + [f"{words} > FOLDER/out", f"{words} < FOLDER/input"]), "end": end}
        line = rng.choice([f"{name} {token}"] * 6 + [
            f"  {name}  '{token}' ", f'--quiet {name} "{token}" "a \\" b"', f"{name} {token} a\\ b c'd e'",
            f"{name} {token} > FOLDER/out", f"{name} {token} < FOLDER/nothing", f"test:run {token} < FOLDER/input",
            f"ssh-keys:add {token} < FOLDER/input", f"config:import {token} /root/variables", f"config:import {token} -",
            f"{name} {token} > FOLDER/fifo", f"{name} {token} \xc3\xa9 {'y' * 300}"])
        if rng.random() < 0.1:
            # Exactly at the limit, or one byte from it.
            line = f"{name} {token} ".ljust(rng.choice([399, 400, 401]), "z")
            return {"line": line, "end": rng.choice(["\n", "\r\n"])}
        return {"line": line, "end": end}

    def json(self):
        rng, token = self.rng, self.token()
        self.ids += 1
        name = rng.choice(["test:run"] * 6 + ["change"] * self.change_count + [
            "apps:exists", "builds:cancel", "builds:output", "test:import", "config:import", "logs", "logs", f"plugin{rng.randrange(3)}:go"])
        words = self.words(name, token) + (["-t"] if name == "logs" else []) + rng.choice([[], [], ["a b", "", "c\nd"]])
        keys = {"id": rng.choice([self.ids, f"i{self.ids}"]), "command": words}
        body = {}
        if name == "logs" or rng.random() < 0.35:
            keys["stream"] = name == "logs" or rng.random() < 0.9
        elif rng.random() < 0.1 and not self.has_anonymous:
            # With two requests without an id, the answers could not be told apart.
            self.has_anonymous = True
            del keys["id"]
        kind = rng.random()
        if kind < 0.2:
            keys["encoding"] = "base64"
        elif kind < 0.35:
            keys["strip_ansi"] = True
        if rng.random() < 0.1:
            keys["timeout"] = rng.choice([0.5, 3, 10])
        if rng.random() < 0.15:
            keys["on_disconnect"] = rng.choice(["cancel", "cancel", "finish"])
        kind = rng.random()
        if kind < 0.08:
            keys["stdin"] = rng.choice(["", "text", "x" * 100])
        elif kind < 0.3:
            size = rng.choice([0, 0, 1, 16, 100, 3000, 5000, 5001, 20000])
            body = {"body": size}
            keys["stdin_length"] = size
        elif kind < 0.36:
            keys["stdin_chunks"] = True
        if rng.random() < 0.05:
            keys["nonsense"] = True
        items = list(keys.items())
        rng.shuffle(items)
        line = json.dumps(dict(items), ensure_ascii=True)
        if body and rng.random() < 0.05:
            line = line[:-1] + ",}"
        return {"line": rng.choice(["", "", "", " "]) + line} | body

    # MARK: Children

    def pick_run(self, driver):
        able = [run for run in driver.model.runs.values() if not run.child.is_dead and not run.child.is_busy]
        return self.rng.choice(able) if able else None

    def make_write(self, driver):
        run = self.pick_run(driver)
        if run is None:
            return None
        token, steps = run.name, []
        shut = getattr(run, "shut", ())
        stream = self.rng.choice([1, 1, 2])
        if stream in shut:
            return None
        size = self.rng.random()
        if size < 0.06:
            limit = int(self.settings.get("DOKKU_DAEMON_MAX_OUTPUT", 65536))
            return [["write", token, stream, self.rng.choice([limit - 1, limit, limit + 1, 65536, 300000, 700000])]]
        for _ in range(self.rng.choice([1, 1, 2, 4])):
            data = "".join(self.rng.choice(PIECES) for _ in range(self.rng.choice([1, 1, 2, 6])))
            stream = self.rng.choice([stream, 3 - stream])
            if stream not in shut:
                steps.append(["write", token, stream, data])
        return steps

    def make_both(self, driver):
        run = self.pick_run(driver)
        if run is None:
            return None
        pieces = PIECES[:-1] + ["\n"] * 5
        parts = [[self.rng.choice([1, 2]), "".join(self.rng.choice(pieces) for _ in range(self.rng.choice([1, 1, 2, 4])))]
                 for _ in range(self.rng.choice([2, 3, 6]))]
        return [["both", run.name, parts]]

    def make_follower(self, driver):
        """A client that follows a log and reads too slowly, or leaves."""
        name = self.pick_client(driver, lambda client: not client.wants_half and not client.rules and not client.tail)
        if name is None:
            return None
        token = self.token()
        line = json.dumps({"id": token, "command": ["logs", token, "-t"], "stream": True})
        steps = [["send", name, {"line": line}, None], ["pause", name]]
        if self.rng.random() < 0.5:
            steps.append(["deaf", token])
        steps.append(["write", token, 1, self.rng.choice([200000, 3000000])])
        steps.append(self.rng.choice([["close", name], ["resume", name], ["advance", 1000]]))
        if self.rng.random() < 0.5:
            steps += [["resume", name], ["write", token, 2, "more\n"]]
        return steps

    def make_mob(self, driver):
        """Many clients of one socket, which use up its share."""
        restricted = [index for index, rules in enumerate(self.listeners) if "read-only" in rules]
        listener = self.rng.choice(restricted + [0])
        steps = []
        for _ in range(6):
            self.names += 1
            steps += [["connect", f"c{self.names}", listener],
                      ["send", f"c{self.names}", {"line": f"apps:exists {self.token()}"}, None]]
        return steps

    def make_input(self, driver):
        run = self.pick_run(driver)
        return run and [["input", run.name, self.rng.choice([1, 1000000, 1000000])]]

    def make_shut(self, driver):
        run = self.pick_run(driver)
        return run and [["shut", run.name, self.rng.choice([1, 2])]]

    def make_deaf(self, driver):
        run = self.pick_run(driver)
        return run and [["deaf", run.name]]

    def make_fork(self, driver):
        run = self.pick_run(driver)
        return run and [["fork", run.name]]

    def make_inject(self, driver):
        run = self.pick_run(driver)
        return run and [["inject", run.name, "injected"]]

    def make_left(self, driver):
        able = [run for run in driver.model.runs.values() if hasattr(run, "left") and not run.left.is_dead
                and not run.left.is_busy]
        if not able:
            return None
        token = self.rng.choice(able).name
        return [self.rng.choice([["leftwrite", token, 1, "late\n"], ["leftwrite", token, 2, "late"],
                                 ["leftexit", token], ["leftinject", token, "injected"]])]

    def make_finish_run(self, driver):
        run = self.pick_run(driver)
        if run is None:
            return None
        token = run.name
        if self.rng.random() < 0.1:
            return [["die", token, self.rng.choice([9, 6, 11, 15])]]
        return [["exit", token, self.rng.choice([0, 0, 0, 1, 20, 255])]]

    # MARK: Other steps

    def make_advance(self, driver):
        return [["advance", self.rng.choice([None, None, 10, 50, 99, 101, 1000, 2100, 5100, 31000, 70000])]]

    def make_term(self, driver):
        return [["term"]]

    def make_hup(self, driver):
        return [["hup"]]

    def make_kill(self, driver):
        return [["kill"], ["start"]]

    def make_start(self, driver):
        return None if driver.daemon.is_alive else [["start"]]

    def make_lock(self, driver):
        return [["lock"]]

    def make_queue_up(self, driver):
        return [["queue_up"]]

    def make_unlock(self, driver):
        return [["unlock"]] if driver.lock is not None else None

    def make_plugin(self, driver):
        name = self.pick_client(driver, lambda client: not client.wants_half and not client.rules)
        if name is not None and self.rng.random() < 0.3:
            # The plugin is installed while the list of commands is being read.
            plugin = f"plugin{self.rng.randrange(3)}"
            line = f'{{"id":"{self.token()}","command":["{plugin}:go","{self.token()}"]}}'
            return [["help", "hold"], ["send", name, {"line": '{"id":"r","command":"refresh"}'}, None],
                    ["plugin", plugin], ["send", name, {"line": line}, None], ["help", "answer"]]
        return [["plugin", f"plugin{self.rng.randrange(3)}"]]

    def make_help(self, driver):
        if driver.readings:
            return [["deafhelp"]]
        return [["help", self.rng.choice(["answer", "hold", "hold", "fail", "nothing"])]]

    def make_hold(self, driver):
        return None if driver.is_held else [["hold"]]

    def make_go(self, driver):
        return [["go"]] if driver.is_held else None
