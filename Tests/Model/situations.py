# Situations that random steps hardly ever reach: for each, what a conversation needs, and the steps.
from dataclasses import dataclass
from typing import Callable

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


SITUATIONS = [
    Situation(stop_within_input, {}, "one-shot"),
    Situation(crowd_that_only_reads, {"MAX_CONNECTIONS": [4, 8]}, "read-only"),
    Situation(full_spool, {"MAX_SPOOL": [6000]}, ""),
]
