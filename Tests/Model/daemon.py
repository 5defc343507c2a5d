# The daemon under test: a process whose clock and turns the test controls (see clock.c).
import fcntl
import os
import select
import signal
import socket
import struct

from violation import Violation

REST = struct.Struct("<qii64i")
NEVER = (1 << 63) - 1
START = 1000 * 10**9
# The real seconds in which the daemon must come to rest.
PATIENCE = 20
# The most turns of the loop until it comes to rest. More mean that it spins.
TURNS = 30000
CONTROL = 200


class Daemon:
    def __init__(self, binary, tools, folder, listeners, settings):
        """`listeners` are the (rules, socket) pairs to hand over. `tools` is the folder of clock.so and child."""
        self.binary, self.tools, self.folder = binary, tools, folder
        # Blanks separate the paths in LD_PRELOAD, ld.so(8). This path has none.
        if not os.path.lexists(f"{folder}/clock.so"):
            os.symlink(f"{tools}/clock.so", f"{folder}/clock.so")
        self.listeners, self.settings = listeners, settings
        self.pid = None
        self.now = START
        self.deadline = NEVER
        # It did something the last time that it was allowed to run.
        self.was_busy = False
        self.exit = None

    @property
    def is_alive(self):
        return self.pid is not None

    def start(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(PATIENCE)
        environment = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LD_PRELOAD": f"{self.folder}/clock.so",
            "MODEL_CONTROL": str(CONTROL), "MODEL_NOW": str(self.now), "MODEL_CHILDREN": f"{self.folder}/children",
            "DOKKU_LOCK_PATH": f"{self.folder}/lock", "DOKKU_DAEMON_LOGFILE": f"{self.folder}/log",
            "DOKKU_DAEMON_STATE_DIR": f"{self.folder}/state", "DOKKU_DAEMON_DOKKU": f"{self.tools}/child",
            "PLUGIN_PATH": f"{self.folder}/plugins", "PLUGIN_CORE_PATH": f"{self.folder}/core",
            "DOKKU_LIB_ROOT": f"{self.folder}/library",
            # The stand-in runs as the test's user.
            "DOKKU_SYSTEM_USER": "root",
            "LISTEN_FDS": str(len(self.listeners)), "LISTEN_FDNAMES": ":".join(rules for rules, _ in self.listeners),
        } | self.settings
        # The options of a build with a sanitizer.
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        # The descriptors to hand over are first copied to high numbers, so that none is overwritten before it is in place.
        moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 300) for each in [theirs] + [s for _, s in self.listeners]]
        actions = [(os.POSIX_SPAWN_DUP2, moved[0], CONTROL)]
        actions += [(os.POSIX_SPAWN_DUP2, number, 3 + index) for index, number in enumerate(moved[1:])]
        actions += [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
                    (os.POSIX_SPAWN_OPEN, 2, f"{self.folder}/stderr", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                    (os.POSIX_SPAWN_DUP2, 0, 1)]
        self.pid = os.posix_spawn(self.binary, [self.binary], environment, file_actions=actions,
                                  setsigmask=[], setsigdef=[signal.SIGPIPE, signal.SIGTERM])
        for number in moved:
            os.close(number)
        theirs.close()
        self.control = ours
        self.exit = None

    def rest(self):
        """Lets the daemon run until nothing is left to do. Returns the children that it has started."""
        try:
            self.control.send(struct.pack("<q", self.now))
            message = self.control.recv(REST.size)
        except TimeoutError:
            raise Violation("the daemon does not come to rest") from None
        except (BrokenPipeError, ConnectionResetError):
            message = b""
        if not message:
            self.reap()
            return []
        self.deadline, turns, count, *pids = REST.unpack(message)
        self.was_busy = turns > 0
        if turns > TURNS:
            with open(f"{self.folder}/stderr") as errors:
                raise Violation(f"the loop spins\n{turns} times: {errors.read()[-500:]}")
        return pids[:count]

    def reap(self):
        _, status = os.waitpid(self.pid, 0)
        self.exit = os.waitstatus_to_exitcode(status)
        self.pid = None
        self.deadline = NEVER
        self.control.close()

    def signal(self, number):
        os.kill(self.pid, number)
        if number == signal.SIGKILL:
            self.reap()

    def descriptors(self):
        """The number of open descriptors by kind, without the control socket."""
        counts = {}
        for number in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                target = os.readlink(f"/proc/{self.pid}/fd/{number}")
            except OSError:
                continue
            kind = target.split(":")[0] if target[0] != "/" else target
            if kind == "anon_inode":
                kind = target
            if int(number) != CONTROL:
                counts[kind] = counts.get(kind, 0) + 1
        return counts

    def memory(self):
        """The most memory that it has had, in KiB."""
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def end(self):
        if self.pid is not None:
            self.signal(signal.SIGKILL)


def is_dead(pidfd):
    return bool(select.select([pidfd], [], [], 0)[0])
