# The processes that play dokku, each controlled over a socket (see child.c).
import os
import select
import socket
import struct
import time

from violation import Violation

PATIENCE = 20


class Child:
    def __init__(self, link, words, parent):
        self.link, self.words, self.parent = link, words, parent
        self.pid, _, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        self.is_busy = False
        self.is_deaf = False
        self.is_dead = False
        self.was_answered = None
        # The last answer about standard input.
        self.input_read = None
        try:
            self.pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self.pidfd = None
            self.is_dead = True

    def order(self, message):
        """Sends an order. `poll` gets the answer."""
        assert not self.is_busy
        try:
            self.link.send(message)
        except OSError:
            return
        self.is_busy = True
        self.was_answered = None

    def poll(self, patience=0):
        """Looks for the answer to an order, or for the end of the child. True if there was news."""
        if self.is_dead or not self.is_busy or not select.select([self.link], [], [], patience)[0]:
            return False
        try:
            answer = self.link.recv(256)
        except OSError:
            answer = b""
        self.is_busy = False
        if answer:
            self.was_answered = answer
            if b" " in answer:
                self.input_read = answer
        else:
            self.bury()
        return True

    def sleeps(self):
        return state(self.pid) == "S"

    def ping(self):
        """Notices the end of a child that was told to end."""
        if self.is_busy:
            return False
        self.order(b"P")
        if not self.is_busy:
            self.bury()
            return True
        self.poll(PATIENCE)
        return self.is_dead

    def bury(self):
        """Waits until the child is a zombie. Its link has ended."""
        if self.pidfd is not None:
            select.select([self.pidfd], [], [], PATIENCE)
            os.close(self.pidfd)
            self.pidfd = None
        self.link.close()
        self.is_dead = True


class Children:
    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        self.listener.listen(256)
        self.listener.settimeout(PATIENCE)
        self.all = []
        self.by_pid = {}

    @property
    def living(self):
        return [each for each in self.all if not each.is_dead]

    def meet(self, pid):
        """Waits until a child that was started has connected, or is dead."""
        end = time.monotonic() + PATIENCE
        while pid not in self.by_pid:
            if not os.path.exists(f"/proc/{pid}/exe"):
                return None
            if select.select([self.listener], [], [], 0.02)[0]:
                self.accept()
            elif time.monotonic() > end:
                raise Violation("a process was started that is not the stand-in")
            elif state(pid) in "ZX":
                return None
        return self.by_pid[pid]

    def accept(self):
        link, _ = self.listener.accept()
        link.settimeout(PATIENCE)
        hello = link.recv(256 * 1024)
        parent = int(hello[1:]) if hello[:1] == b"F" else None
        words = hello[3:].split(b"\0")[:-1] if parent is None else []
        child = Child(link, words, parent)
        child.form = hello[1:3].decode() if parent is None else None
        self.all.append(child)
        self.by_pid[child.pid] = child
        return child

    def end(self):
        for each in self.living:
            each.link.close()
            if each.pidfd is not None:
                os.close(each.pidfd)
        self.listener.close()


def state(pid):
    """The state of a process, as in proc(5); X if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "X"
