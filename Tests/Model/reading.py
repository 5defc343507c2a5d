# The meaning of a client's bytes, by docs/protocol.md: lines, words and requests. Written independently of the daemon.
import json
import re
import zlib
from dataclasses import dataclass, field

from scopes import NOTHING, scope

# The commands of the stand-in, as `help --all` lists them, and what the daemon must know about them.
LISTED = ["apps:destroy", "apps:exists", "apps:list", "builds:cancel", "builds:output", "config:import", "config:set", "domains:add",
          "events:on", "logs", "ps:rebuild", "ps:report", "ssh-keys:add", "test:import", "test:run", "trace:on"]
# Commands that dokku has and its help leaves out.
UNLISTED = {"apps", "builds"}
READ_ONLY = {"apps:exists", "apps:list", "apps", "builds", "ps:report"}
BUILTINS = {"commands", "refresh", "daemon:version", "daemon:status", "daemon:queue", "daemon:help", "daemon:cancel",
            "daemon:events"}
FLAGS = {b"--quiet", b"--trace", b"--force", b"--rm", b"--rm-container", b"--detach"}
KEYS = {"id", "command", "stream", "stdin", "stdin_length", "stdin_chunks", "encoding", "strip_ansi", "timeout", "on_disconnect"}
# The word by which a step names a command. Several requests may have the same `s` word.
TOKEN = re.compile(rb"(?:t|s|evil)\d+")


class Refused(Exception):
    """Its arguments are error words. Each of them is right."""


@dataclass(eq=False)
class Request:
    line: bytes
    is_json: bool = False
    id: object = None
    # False if the line is broken, and the id may be none.
    is_id_certain: bool = True
    is_streamed: bool = False
    is_base64: bool = False
    strips: bool = True
    timeout: float = None
    ends_with_client: bool = False
    words: list = field(default_factory=list)
    name: str = ""
    token: bytes = None
    # "queue", "builtin", a lane beside the queue ("follow", "beside", "output"), or None if it must be refused.
    lane: str = None
    # If it must be refused: the possible errors.
    refusals: frozenset = frozenset()
    # The length of the input after its line, and the part that has come. None if there is none.
    body_length: int = None
    body: bytearray = None
    # Its input comes in chunks, once the daemon asks for it.
    is_chunked: bool = False
    has_input: bool = False
    input_size: int = 0
    input_sum: int = 0
    redirection: tuple = None
    is_whole: bool = True
    # What happens to it. Times are turns.
    arrived: int = 0
    answer: dict = None
    # When its answer came.
    answered: int = 0
    events: list = field(default_factory=list)
    run: object = None
    # Its number in the log, and when its line came there.
    job: int = None
    accepted: int = 0
    # When its result came to the log.
    over: int = 0
    # A cancel was sent, and it was sent after the command had exited.
    cancel_asked: bool = False
    is_cancelled_late: bool = False
    # The number of its results in the log.
    results: int = 0
    # The log says that it was refused.
    is_turned_away: bool = False
    # A client was told that it is cancelled.
    was_cancelled: bool = False
    # What it changes (scopes.py).
    scope: object = NOTHING
    # The runs that it may share.
    maybe: list = field(default_factory=list)
    # The rounds of the loop in which its command and its result came to the log, and in which its answer came.
    accepted_round: int = 0
    over_round: int = 0
    answered_round: int = 0

    @property
    def is_common(self):
        """Whether other requests may have the same token."""
        return self.token is not None and self.token[:1] == b"s"

    def __str__(self):
        return f"{self.line[:100]!r}"


def is_json(line):
    return line.lstrip(b" \t")[:1] == b"{"


class Stream:
    """Turns the bytes of one connection into requests."""

    def __init__(self, rules, settings):
        self.rules, self.settings = rules, settings
        self.buffer = bytearray()
        self.body_of = None
        self.skipping = self.chunk_rest = 0
        # `is_over`: nothing more is taken. `is_broken`: because it is not known where the next request begins.
        self.is_over = self.is_broken = False

    def feed(self, data):
        self.buffer += data
        return self.take(False)

    def end(self, is_gone=False):
        """Nothing more comes. An unfinished line is still a request, unless the client is gone."""
        requests = self.take(not is_gone)
        self.cut_body()
        self.is_over = True
        return requests

    def cut_body(self):
        """The rest of the input will not come."""
        if self.body_of is not None:
            self.body_of.is_whole = False
            self.refuse(self.body_of, "invalid_request", "input_too_long")
            self.body_of = None

    def give_up(self):
        """An input brought nothing for too long: its request is refused, and what still comes of it is skipped."""
        self.body_of.is_whole = False
        self.refuse(self.body_of, "invalid_request", "input_too_long")

    def pause(self):
        """A one-shot client has sent nothing for a while: an unfinished line counts as complete."""
        if "one-shot" not in self.rules or self.body_of is not None:
            return []
        requests = self.take(True)
        self.cut_body()
        return requests

    def stop(self):
        """The daemon stops: on a one-shot socket, a line that has begun gets an answer without its newline."""
        if "one-shot" not in self.rules or not self.has_part:
            return []
        requests = self.take(True)
        for request in requests:
            self.refuse(request, "shutting_down", *request.refusals)
            request.is_whole = request.is_id_certain = False
        self.body_of, self.is_over = None, True
        return requests

    @property
    def has_part(self):
        return len(self.buffer) > 0 and self.body_of is None and not self.is_over

    def take(self, at_end):
        requests = []
        while not self.is_over:
            if self.skipping:
                count = min(self.skipping, len(self.buffer))
                del self.buffer[:count]
                self.skipping -= count
                if self.skipping:
                    break
                self.settle_one_shot()
                continue
            if self.body_of is not None and self.body_of.is_chunked:
                if not self.take_chunk(self.body_of):
                    break
                continue
            if self.body_of is not None:
                body = self.body_of
                count = min(body.body_length - len(body.body), len(self.buffer))
                body.body += self.buffer[:count]
                del self.buffer[:count]
                if len(body.body) < body.body_length:
                    break
                self.finish_body(body)
                continue
            end = self.buffer.find(b"\n")
            if end < 0:
                if not at_end or not self.buffer:
                    break
                end = len(self.buffer)
            line = bytes(self.buffer[:end])
            del self.buffer[:end + 1]
            requests.append(self.read(line))
        return requests

    def take_chunk(self, request):
        """Takes one size or one chunk. False if more bytes must come first."""
        if self.chunk_rest:
            part = self.buffer[:self.chunk_rest]
            request.body += part
            self.chunk_rest -= len(part)
            del self.buffer[:len(part)]
            return self.chunk_rest == 0
        end = self.buffer.find(b"\n")
        size = bytes(self.buffer if end < 0 else self.buffer[:end])
        if not re.fullmatch(rb"\d{1,15}", size) and (end >= 0 or size and not size.isdigit()):
            self.cut_body()
            self.is_broken = self.is_over = True
            return False
        if end < 0:
            return False
        del self.buffer[:end + 1]
        self.chunk_rest = int(size)
        if self.chunk_rest == 0:
            self.finish_body(request)
            if request.is_whole and len(request.body) > int(self.settings["DOKKU_DAEMON_MAX_INPUT"]):
                self.refuse(request, "input_too_long")
        return True

    def finish_body(self, request):
        self.body_of = None
        request.input_size, request.input_sum = len(request.body), zlib.crc32(request.body)
        request.has_input = True
        self.settle_one_shot()

    def settle_one_shot(self):
        if "one-shot" in self.rules:
            self.is_over = True

    def refuse(self, request, *codes):
        request.lane = None
        request.refusals = frozenset(codes)

    def read(self, line):
        if line.endswith(b"\r"):
            line = line[:-1]
        request = Request(line, is_json=is_json(line))
        if len(line) > int(self.settings["DOKKU_DAEMON_MAX_LINE"]):
            self.refuse(request, "line_too_long")
            request.is_streamed = False
            self.settle_one_shot()
            if request.is_json:
                # It may have announced an input.
                self.is_broken = self.is_over = True
            return request
        try:
            read_json(request, self) if request.is_json else read_plain(request, self)
        except Refused as refusal:
            self.refuse(request, *refusal.args)
        if request.is_chunked and request.lane is not None:
            request.body = bytearray()
            self.body_of = request
        elif request.body_length is None or request.body_length == 0 and request.lane is None:
            self.settle_one_shot()
        elif request.lane is None:
            self.skipping = request.body_length
        else:
            request.body = bytearray()
            self.body_of = request
        return request


# MARK: Plain lines


def read_plain(request, stream):
    request.strips = "keep-ansi" not in stream.rules
    words, request.redirection = split(request.line, "raw-words" in stream.rules)
    request.has_input = request.redirection is not None and request.redirection[0] == b"<"
    judge(request, words, stream)


def split(line, is_raw=False, may_redirect=True):
    """The words of a line, and the redirection at its end."""
    words, operators, index = [], [], 0
    while index < len(line):
        if line[index] in b" \t":
            index += 1
            continue
        start, word = index, bytearray()
        while index < len(line) and line[index] not in b" \t":
            byte = line[index:index + 1]
            index += 1
            if byte == b"\0" or byte == b"\n" and not is_raw:
                raise Refused("invalid_request")
            if is_raw:
                word += byte
            elif byte == b"\\":
                if index == len(line) or line[index] == 0:
                    raise Refused("invalid_request")
                word += line[index:index + 1].replace(b"\n", b"")
                index += 1
            elif byte == b"'":
                end = line.find(b"'", index)
                if end < 0 or b"\0" in line[index:end]:
                    raise Refused("invalid_request")
                word += line[index:end]
                index = end + 1
            elif byte == b'"':
                index = double_quoted(line, index, word)
            else:
                word += byte
        words.append(bytes(word))
        operators.append(line[start:index] in (b"<", b">"))
    if may_redirect and len(words) >= 2 and operators[-2]:
        if not words[-1].startswith(b"/"):
            raise Refused("invalid_request")
        return words[:-2], (words[-2], words[-1])
    return words, None


def double_quoted(line, index, word):
    while True:
        byte = line[index:index + 1]
        if byte in (b"", b"\0"):
            raise Refused("invalid_request")
        index += 1
        if byte == b'"':
            return index
        if byte == b"\\":
            follower = line[index:index + 1]
            if follower in (b"", b"\0"):
                raise Refused("invalid_request")
            word += follower.replace(b"\n", b"") if follower in b'"\\$`\n' else byte + follower
            index += 1
        else:
            word += byte


# MARK: JSON


def unique(pairs):
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def parse(data):
    def constant(_):
        raise ValueError("no JSON")

    return json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=constant)


def salvage(request, pattern):
    """The value of a key in a line that is no valid JSON, if the value is complete; and whether that is certain."""
    found = list(re.finditer(rb'"' + pattern + rb'"\s*:\s*("[^"\\]*"|-?\d+|true|false)\s*([,}]|$)', request.line))
    # If a key occurs twice, the last one counts.
    return (json.loads(found[-1][1]), found[-1][2] != b"") if found else (None, True)


def read_json(request, stream):
    request.strips = False
    try:
        keys = parse(request.line)
    except ValueError:
        request.id, request.is_id_certain = salvage(request, b"id")
        request.is_streamed = salvage(request, b"stream")[0] is True
        note_length(request, stream, salvage(request, b"stdin_length")[0], b"stdin_l" in request.line)
        raise Refused("invalid_request") from None
    request.id = keys.get("id")
    if type(request.id) not in (int, str):
        request.id = None
    request.is_streamed = keys.get("stream") is True
    length = keys.get("stdin_length")
    note_length(request, stream, length, length is not None)
    if any(key.startswith("stdin") for key in set(keys) - KEYS):
        stream.is_broken = stream.is_over = True
    check_types(keys)
    request.is_base64 = keys.get("encoding") == "base64"
    request.strips = keys.get("strip_ansi", False)
    request.timeout = keys.get("timeout")
    request.ends_with_client = keys.get("on_disconnect") == "cancel"
    if "stdin" in keys:
        data = keys["stdin"].encode()
        request.input_size, request.input_sum = len(data), zlib.crc32(data)
        if len(data) > int(stream.settings["DOKKU_DAEMON_MAX_INPUT"]):
            raise Refused("input_too_long")
    if length is not None and length > int(stream.settings["DOKKU_DAEMON_MAX_INPUT"]):
        raise Refused("input_too_long")
    request.is_chunked = keys.get("stdin_chunks", False)
    request.has_input = "stdin" in keys or "stdin_length" in keys or request.is_chunked
    words = keys["command"]
    if isinstance(words, str):
        words, _ = split(words.encode(), may_redirect=False)
    else:
        words = [word.encode() for word in words]
    if not words or any(b"\0" in word for word in words):
        raise Refused("invalid_request")
    judge(request, words, stream)


def note_length(request, stream, length, is_announced):
    """Notes the length of the input that follows. If it is not known, no further line is read."""
    if type(length) is int and length >= 0:
        request.body_length = length
    elif is_announced:
        stream.is_broken = stream.is_over = True


def check_types(keys):
    number = keys.get("timeout", 1)
    strings = isinstance(keys.get("command"), str) or isinstance(keys.get("command"), list) and all(
        isinstance(word, str) for word in keys["command"])
    if not (set(keys) <= KEYS and strings and type(keys.get("id", 0)) in (int, str)
            and type(keys.get("stream", True)) is bool and type(keys.get("strip_ansi", True)) is bool
            and ("stdin" in keys) + ("stdin_length" in keys) + (keys.get("stdin_chunks") is True) <= 1
            and type(keys.get("stdin_chunks", True)) is bool and isinstance(keys.get("stdin", ""), str)
            and type(keys.get("stdin_length", 0)) is int and keys.get("stdin_length", 0) >= 0
            and keys.get("encoding", "utf-8") in ("utf-8", "base64")
            and keys.get("on_disconnect", "finish") in ("finish", "cancel")
            and not (keys.get("strip_ansi") and keys.get("encoding") == "base64")
            and type(number) in (int, float) and number > 0):
        raise Refused("invalid_request")


# MARK: Which commands


def judge(request, words, stream):
    request.words = words
    found = [TOKEN.search(word) for word in words]
    request.token = next((match[0] for match in found if match), None)
    index = 0
    while index < len(words) and (words[index] in FLAGS or words[index] == b"--app"):
        index += 1 + (words[index] == b"--app")
    if index >= len(words):
        raise Refused("invalid_command")
    request.name = name = words[index].decode("utf-8", "replace")
    arguments = words[index + 1:]
    is_read_only = "read-only" in stream.rules
    if name in BUILTINS:
        return judge_builtin(request, arguments, is_read_only, b"--trace" in words)
    if not re.fullmatch(r"[a-z0-9_][a-z0-9_.-]*(:[a-z0-9_][a-z0-9_.-]*)*", name, re.I) or name.startswith("daemon:"):
        raise Refused("invalid_command")
    is_help = re.fullmatch(r"[a-z0-9_:.-]*:help", name) is not None
    is_known = name in LISTED or name in UNLISTED or is_help
    has_followed = name == "logs" and b"-t" in arguments
    if is_read_only:
        is_plain_read = (name in READ_ONLY and reads_plainly(name, arguments) or is_help and not arguments) and all(
            word == b"--quiet" for word in words[:index]) and not request.has_input and request.redirection is None
        if not is_plain_read:
            # An unknown name is no command. If it belongs to a plugin, the command is denied here.
            raise Refused("denied") if is_known else Refused("invalid_command", "denied")
    if name in ("enter", "shell"):
        raise Refused("not_supported")
    if name == "apps:destroy" and b"--force" not in words:
        raise Refused("requires_force")
    # The second argument of config:import is a file.
    takes_input = name == "test:import" or name == "config:import" and (arguments + [b""] * 2)[1] in (b"", b"-")
    if takes_input and not request.has_input:
        raise Refused("requires_stdin")
    if has_followed and not request.is_streamed:
        raise Refused("not_supported")
    if not is_known and not name.startswith("plugin"):
        raise Refused("invalid_command")
    request.scope = scope(words, index, request.redirection)
    lanes = {"builds:cancel": "beside", "builds:output": "follow" if request.is_streamed else "output"}
    request.lane = "follow" if has_followed else lanes.get(name, "queue")


def reads_plainly(name, arguments):
    """Whether a read-only socket runs the command with these words: all are harmless, and the flags are allowed."""
    flags = {"apps:list": [b"--format"], "ps:report": [b"--deployed"]}.get(name, [])
    if name == "ps:report" and (arguments.count(b"--deployed") != 1 or len(arguments) > 2):
        return False
    return all(re.fullmatch(rb"[A-Za-z0-9_:,=@+][-A-Za-z0-9_.:,=@+]*|", word)
               or word.split(b"=")[0] in flags and re.fullmatch(rb"[-a-z]+(=([A-Za-z0-9_.:,=@+][-A-Za-z0-9_.:,=@+]*)?)?", word)
               for word in arguments)


def judge_builtin(request, arguments, is_read_only, is_traced):
    if request.name == "daemon:cancel":
        if len(arguments) != 1 or not re.fullmatch(rb"\d{1,20}", arguments[0]) or int(arguments[0]) >= 1 << 64:
            raise Refused("invalid_request")
    elif request.name in ("daemon:version", "daemon:status", "daemon:queue"):
        if b" ".join(arguments) not in (b"", b"--format json", b"--format=json", b"--format stdout", b"--format=stdout"):
            raise Refused("invalid_request")
    elif arguments:
        raise Refused("invalid_request")
    if is_read_only and (request.name in ("refresh", "daemon:cancel") or request.has_input
                         or request.redirection is not None or is_traced):
        raise Refused("denied")
    if request.redirection is not None:
        raise Refused("invalid_request")
    if request.name == "daemon:events":
        # No step sends one that runs.
        raise Refused("not_supported")
    request.lane = "builtin"
