# The file that fault.c and the test share: how often each call was made, and which call is to fail.
import mmap
import struct

KINDS = ["none", "stream", "datagram", "pipe", "file", "other"]
NAME_SIZE = 24
HEADER = struct.Struct("=IIiiiIQQQQ")
ROOM = 1 << 16


class Control:
    def __init__(self, path):
        with open(path, "w+b") as file:
            file.truncate(ROOM)
            self.map = mmap.mmap(file.fileno(), ROOM)

    def _header(self):
        return HEADER.unpack_from(self.map)

    @property
    def names(self):
        """The calls that the library knows, in its order. Empty until the daemon has loaded the library."""
        calls, kinds = self._header()[:2]
        start = HEADER.size + 8 * calls * kinds
        return [self.map[at : at + NAME_SIZE].split(b"\0")[0].decode()
                for at in range(start, start + NAME_SIZE * calls, NAME_SIZE)]

    def counts(self):
        """How often each call was made with each kind of descriptor: {(call, kind): count}."""
        calls, kinds = self._header()[:2]
        numbers = struct.unpack_from(f"={calls * kinds}Q", self.map, HEADER.size)
        return {(name, KINDS[kind]): numbers[index * kinds + kind]
                for index, name in enumerate(self.names) for kind in range(kinds)}

    @property
    def turns(self):
        return self.counts()[("epoll_wait", "none")]

    def arm(self, call, kind, error, first, times=1):
        """Makes `times` calls fail, beginning with the `first` from now on. With error 0 they transfer one byte."""
        self.disarm()
        calls, kinds = self._header()[:2]
        HEADER.pack_into(self.map, 0, calls, kinds, call, KINDS.index(kind), error, 0, first, times, 0, 0)
        struct.pack_into("=I", self.map, 20, 1)

    def disarm(self):
        struct.pack_into("=I", self.map, 20, 0)

    @property
    def failed(self):
        """How many calls have failed since `arm`."""
        return self._header()[9]
