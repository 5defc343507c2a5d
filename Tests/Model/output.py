# How a command's output appears in a reply, by docs/protocol.md. Written independently of the daemon.
import codecs
import itertools

TEXT, ESCAPE, MIDDLE, CONTROL, LATE, COMMAND, STRING = range(7)


class Escapes:
    """Removes terminal escape sequences from a stream of bytes."""

    def __init__(self):
        self.state = TEXT

    def feed(self, data):
        if self.state == TEXT and b"\x1b" not in data:
            return data
        kept = bytearray()
        for byte in data:
            if self.step(byte):
                kept.append(byte)
        return bytes(kept)

    def step(self, byte):
        """True if the byte is text."""
        if byte == 0x1B:
            self.state = ESCAPE
            return False
        state = self.state
        if state == TEXT:
            return True
        if state in (ESCAPE, MIDDLE):
            if state == ESCAPE and byte in b"[":
                self.state = CONTROL
            elif state == ESCAPE and byte in b"]":
                self.state = COMMAND
            elif state == ESCAPE and byte in b"PX^_":
                self.state = STRING
            elif 0x20 <= byte <= 0x2F:
                self.state = MIDDLE
            else:
                self.state = TEXT
                return not 0x30 <= byte <= 0x7E
            return False
        if state in (CONTROL, LATE):
            if state == CONTROL and 0x30 <= byte <= 0x3F:
                return False
            if 0x20 <= byte <= 0x2F:
                self.state = LATE
                return False
            self.state = TEXT
            return not 0x40 <= byte <= 0x7E
        # In a string, which also ends at a newline.
        if byte == 0x0A:
            self.state = TEXT
            return True
        if state == COMMAND and byte == 0x07:
            self.state = TEXT
        return False


def text(pieces, strips):
    """The pieces (stream, bytes) as text, in their order. A character or sequence may go on in the stream's next piece."""
    decoders, filters, parts = {}, {}, []
    for stream, data in pieces:
        if stream not in decoders:
            decoders[stream] = codecs.getincrementaldecoder("utf-8")("replace")
            filters[stream] = Escapes()
        if strips:
            data = filters[stream].feed(data)
        parts.append(decoders[stream].decode(data))
    for stream in sorted(decoders):
        parts.append(decoders[stream].decode(b"", True))
    return "".join(parts)


def cuts(pieces, limit):
    """Everything that may remain of the pieces (stream, bytes, turn) after a cut at `limit` bytes. Within a turn the order of
    the streams is not defined."""
    kept, rest = [], limit
    for turn, group in itertools.groupby(pieces, key=lambda piece: piece[2]):
        group = list(group)
        size = sum(len(data) for _, data, _ in group)
        if size > rest:
            one, two = (b"".join(data for s, data, _ in group if s == stream) for stream in (1, 2))
            return [kept + [(1, one[:count], turn), (2, two[:rest - count], turn)]
                    for count in range(max(0, rest - len(two)), min(rest, len(one)) + 1)]
        kept += group
        rest -= size
    return [kept]


class Characters:
    """Decodes the bytes of one stream as they come."""

    def __init__(self, strips):
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.escapes = Escapes() if strips else None

    def feed(self, data):
        return self.decoder.decode(self.escapes.feed(data) if self.escapes else data)


def fits(pieces, strips, got, may_lack):
    """Whether a text, without its last newlines, is made of the pieces (stream, bytes, turn), with any order of the streams
    within a turn. With `may_lack` it may be only the beginning of such a text."""
    streams = {stream: Characters(strips) for stream in (1, 2)}
    begun = got.rstrip("\ufffd")
    target = got + "\n" * sum(len(data) for _, data, _ in pieces)
    position = 0
    for _, group in itertools.groupby(pieces, key=lambda piece: piece[2]):
        group = list(group)
        parts = {stream: [data for s, data, _ in group if s == stream] for stream in (1, 2)}
        if parts[1] and parts[2]:
            parts = {stream: [bytes([byte]) for byte in b"".join(each)] for stream, each in parts.items()}
        one, two = ([streams[stream].feed(part) for part in parts[stream]] for stream in (1, 2))
        end = merged(target, position, one, two, begun if may_lack else None)
        if end is None or end is True:
            return end is True
        position = end
    tail = "".join(each.decoder.decode(b"", True) for each in streams.values())
    return target.startswith(tail, position) and position + len(tail) >= len(got) and not got.endswith("\n")


def merged(target, start, one, two, begun):
    """The position in `target` at which the parts of both streams end, merged in some order. None if no order fits. True if
    the parts go on after the end of `begun`."""
    offsets = [[0], [0]]
    for offset, parts in zip(offsets, (one, two)):
        for part in parts:
            offset.append(offset[-1] + len(part))
    above = None
    for i in range(len(one) + 1):
        row = []
        for j in range(len(two) + 1):
            position = start + offsets[0][i] + offsets[1][j]
            is_reached = i == j == 0 or i > 0 and above[j] and target.startswith(
                one[i - 1], position - len(one[i - 1])) or j > 0 and row[j - 1] and target.startswith(
                two[j - 1], position - len(two[j - 1]))
            row.append(is_reached)
            if is_reached and begun is not None and any(
                    part.startswith(begun[position:]) for part in one[i:i + 1] + two[j:j + 1] + [""]):
                return True
        above = row
    return start + offsets[0][-1] + offsets[1][-1] if above[-1] else None


def cut(pieces, limit):
    """The pieces up to `limit` bytes, and whether something is missing."""
    kept, rest = [], limit
    for stream, data in pieces:
        if len(data) > rest:
            return kept + [(stream, data[:rest])], True
        kept.append((stream, data))
        rest -= len(data)
    return kept, False
