# One connection of the driver, and how the model reads its bytes.
import itertools
import os
import select
import socket

from reading import Stream

# Only root may connect with any group.
HAS_GROUPS = os.geteuid() == 0
GROUPS = itertools.count(100001)


def connect(link, path):
    """Connects with a group of its own, if possible. Returns the group that the daemon sees."""
    if not HAS_GROUPS:
        link.connect(path)
        return os.getegid()
    own, group = os.getegid(), next(GROUPS)
    os.setegid(group)
    try:
        link.connect(path)
    finally:
        os.setegid(own)
    return group


class Client:
    def __init__(self, name, listener, rules, path, settings):
        self.name, self.rules, self.settings = name, rules, settings
        self.listener = listener
        self.socket = socket.socket(socket.AF_UNIX)
        # So the log tells which of several clients has sent a line.
        self.group = connect(self.socket, path)
        self.socket.setblocking(False)
        # Bytes that are composed but not released, and bytes that are released but not taken by the kernel.
        self.tail, self.out = bytearray(), bytearray()
        self.sent_count = 0
        self.reads = True
        self.allowance = 0
        self.wants_half = False
        self.is_half = self.is_closed = self.has_end = self.was_reset = False
        self.received = bytearray()
        # The number of requests that announce chunks, sent or not.
        self.announced = 0
        self.stream = Stream(rules, settings)
        self.requests = []
        # Requests without an answer.
        self.opened = []
        # When it connected, and when bytes were last sent.
        self.connected_at = self.sent_at = 0
        self.is_rejected = self.is_lost = False
        # A daemon has accepted it. A daemon that stops leaves it to the next one.
        self.is_accepted = False
        # It has received an answer to a request.
        self.is_served = False
        # A stop need not wait until it has read its replies.
        self.is_unread = False

    @property
    def is_gone(self):
        """True if nobody reads its replies."""
        return self.is_closed or self.is_lost

    def release(self, count):
        part = self.tail if count is None else self.tail[:count]
        self.out += part
        del self.tail[:len(part)]

    def pump(self, now, arrive):
        """Sends as much as the kernel takes, and passes the requests in it to `arrive`. True if anything was sent."""
        if self.is_closed or self.is_half:
            return False
        moved = False
        while self.out:
            try:
                count = self.socket.send(self.out)
            except BlockingIOError:
                return moved
            except OSError:
                self.was_reset = True
                self.out.clear()
                break
            arrive(self, self.stream.feed(bytes(self.out[:count])))
            del self.out[:count]
            self.sent_count += count
            self.sent_at = now
            moved = True
        if self.wants_half:
            self.is_half = True
            self.end_stream(arrive)
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            moved = True
        return moved

    def end_stream(self, arrive, is_gone=False):
        arrive(self, self.stream.end(is_gone))

    def receive(self):
        """Reads what is there. True if anything came."""
        if self.is_closed or self.has_end:
            return False
        moved = False
        while self.reads or self.allowance > 0:
            try:
                data = self.socket.recv(1 << 18 if self.reads else min(self.allowance, 1 << 18))
            except BlockingIOError:
                return moved
            except OSError:
                self.was_reset = True
                data = b""
            moved = True
            if not data:
                self.has_end = True
                return True
            self.allowance = max(0, self.allowance - len(data))
            self.received += data
        return moved

    def lines(self):
        *lines, rest = self.received.split(b"\n")
        self.received = rest
        return lines

    def await_end(self, patience):
        """Waits for an end of the connection that does not come from the loop."""
        if not self.has_end:
            select.select([self.socket], [], [], patience)
            self.receive()
        return self.has_end

    def close(self, arrive):
        if not self.is_closed:
            self.out.clear()
            self.end_stream(arrive, is_gone=True)
            self.is_closed = True
            self.socket.close()
