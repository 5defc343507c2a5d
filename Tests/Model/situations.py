# Situations that random steps hardly ever reach: for each, what a conversation needs, and the steps.
import json
from dataclasses import dataclass
from typing import Callable

from client import HAS_GROUPS

# The probability of each situation in a conversation.
CHANCE = 0.03


@dataclass
class Situation:
    make: Callable
    # The possible values of each setting.
    settings: dict
    # The rules of its socket.
    rules: str

    def prepare(self, generator):
        """Sets the settings and sockets that the situation needs."""
        for name, values in self.settings.items():
            generator.settings[f"DOKKU_DAEMON_{name}"] = str(generator.rng.choice(values))
        if self.rules not in generator.listeners:
            generator.listeners.append(self.rules)

    def steps(self, generator):
        return self.make(generator, generator.listeners.index(self.rules))


def choose(rng):
    """A situation, or mostly None."""
    drawn = rng.random() / CHANCE
    return SITUATIONS[int(drawn)] if drawn < len(SITUATIONS) else None


def connect(generator, listener):
    """The name of a new client, and the step that connects it."""
    generator.names += 1
    return f"c{generator.names}", [["connect", f"c{generator.names}", listener]]


def stop_within_input(generator, listener):
    """The daemon is told to stop while a one-shot client is sending its input."""
    name, steps = connect(generator, listener)
    size = generator.rng.choice([16, 3000])
    line = f'{{"id":"{name}","command":["test:run","{generator.token()}"],"stdin_length":{size}}}'
    steps += [["send", name, {"line": line, "end": "\n", "body": size}, len(line) + 1 + generator.rng.choice([0, 1, size - 1])],
              ["term"]]
    # The daemon must not wait for a client that sends a byte now and then, either.
    for _ in range(generator.rng.choice([0, 1, 4])):
        steps += [["advance", 30000], ["more", name, 1]]
    return steps


def crowd_that_only_reads(generator, listener):
    """As many clients of a read-only socket as all sockets together may have, and then one client of the main socket."""
    steps = []
    for each in [listener] * int(generator.settings["DOKKU_DAEMON_MAX_CONNECTIONS"]) + [0]:
        name, came = connect(generator, each)
        steps += came + [["send", name, {"line": "daemon:version"}, None]]
    return [["hold"], *steps, ["go"]] if generator.rng.random() < 0.3 else steps


def full_spool(generator, listener):
    """Waiting inputs take almost all of the room, so small replies find none."""
    steps, tokens, size = [], [], 2999
    for _ in range(generator.rng.choice([2, 4, 8])):
        name, came = connect(generator, listener)
        tokens.append(generator.token())
        line = f'{{"id":"{name}","command":["test:run","{tokens[-1]}"],"stdin_length":{size}}}'
        steps += came + [["send", name, {"line": line, "body": size}, None]]
        size //= 2
    for token in tokens:
        # Short enough that the reply is small for certain, even with escapes.
        steps += [["write", token, generator.rng.choice([1, 2]), generator.rng.choice([100, 4000, 9000])], ["exit", token, 0]]
    return steps


def ask(generator, name, words, **keys):
    """A step with which a client asks for a command that only reads: plain, or as JSON if it has keys."""
    if not keys:
        return ["send", name, {"line": " ".join(words)}, None]
    generator.ids += 1
    return ["send", name, {"line": json.dumps({"id": f"s{generator.ids}", "command": words} | keys)}, None]


def many_ask_the_same(generator, listener):
    """Clients ask the same while a command holds the queue. Some cancel. Then others ask."""
    rng, steps, names = generator.rng, [], []
    first, came = connect(generator, 0)
    token, words = generator.token(), ["apps:exists", generator.common[0]]
    steps += came + [["send", first, {"line": f"test:run {token}"}, None]]
    # The log cannot tell the clients of a host apart if the test is not root.
    for _ in range(rng.choice([2, 4, 6, 70]) if HAS_GROUPS else 0):
        name, came = connect(generator, rng.choice([0, 0, 0, listener]))
        kinds = [{"stream": False}, {"stream": True}, {"encoding": "base64"}, {"stream": True, "on_disconnect": "cancel"},
                 {"timeout": 5}]
        steps += came + [ask(generator, name, words, **({} if int(name[1:]) % 2 else rng.choice(kinds)))]
        names.append(name)
    if rng.random() < 0.3:
        steps = [["hold"], *steps, ["go"]]
    cancel = '{"id":"x","command":["daemon:cancel","NUMBER"]}'
    cancels = [["send", first, {"line": cancel, "cancels": words[1], "which": rng.randrange(8)}, None]
               for _ in range(rng.choice([0, 0, 1, 3, 6]))]
    leaves = [["close", name] for name in names if rng.random() < 0.1]
    late = [ask(generator, name, words, **({} if int(name[1:]) % 2 else {"stream": True})) for name in names[:3]]
    writes = [["write", words[1], rng.choice([1, 2]), "one\n"], ["write", words[1], 1, "two"]]
    ends = [["exit", token, 0]]
    return steps + rng.choice([cancels + ends + writes, ends + cancels + writes, ends + writes[:1] + cancels + late + writes,
                               ends + late + leaves + writes, leaves + ends + writes]) + [["exit", words[1], 0]]


def several_apps(generator, listener):
    """Deploys of several apps, a command of the host between them, and reads of the clients that deploy."""
    rng, steps, tokens = generator.rng, [], []
    for _ in range(rng.choice([3, 5, 8])):
        name, came = connect(generator, listener)
        steps += came
        for _ in range(rng.choice([1, 2, 3])):
            token = generator.token()
            words = rng.choice([["ps:rebuild", rng.choice(["one", "two", "three", "four"]), token]] * 4 + [
                ["test:run", token], ["trace:on", token], ["apps:exists", token], ["apps:exists", token]])
            generator.ids += 1
            keys = {"id": f"d{generator.ids}", "command": words, "stream": rng.random() < 0.5}
            steps.append(["send", name, {"line": json.dumps(keys)}, None])
            tokens.append(token)
    rng.shuffle(tokens)
    return steps + [["exit", token, 0] for token in tokens if rng.random() < 0.8]


SITUATIONS = [
    Situation(stop_within_input, {}, "one-shot"),
    Situation(crowd_that_only_reads, {"MAX_CONNECTIONS": [4, 8]}, "read-only"),
    Situation(full_spool, {"MAX_SPOOL": [6000]}, ""),
    Situation(many_ask_the_same, {"READERS": [0, 0, 1, 3]}, ""),
    Situation(many_ask_the_same, {"READERS": [0, 0, 1, 3]}, "read-only"),
    Situation(several_apps, {"READERS": [0, 1, 3], "WORKERS": [1, 2, 4]}, ""),
]
