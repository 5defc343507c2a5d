# What becomes of a command's output in a reply, by docs/protocol.md: an implementation of its own.
import codecs

TEXT, ESCAPE, MIDDLE, CONTROL, LATE, COMMAND, STRING = range(7)


class Escapes:
    """Takes terminal escape sequences out of a stream of bytes."""

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
        """True where the byte is text."""
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
        # In a string: a newline ends one that nobody ended.
        if byte == 0x0A:
            self.state = TEXT
            return True
        if state == COMMAND and byte == 0x07:
            self.state = TEXT
        return False


def text(pieces, strips):
    """The pieces (stream, bytes) in the order they came, as text; each stream goes on where it left off."""
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


def cut(pieces, limit):
    """The pieces up to a number of bytes, and whether something is missing."""
    kept, rest = [], limit
    for stream, data in pieces:
        if len(data) > rest:
            return kept + [(stream, data[:rest])], True
        kept.append((stream, data))
        rest -= len(data)
    return kept, False
