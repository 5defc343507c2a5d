# What the KILLs hit: a daemon with a socket from the test, and the disk of its state.
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LISTING = os.path.join(HERE, "..", "StandIn", "test-dokku")
# How long a stop may take, in seconds.
PATIENCE = 120
# Bytes; all that is kept must fit.
DISK = 512 << 20


class Disk:
    """The state folder. For root, a file system that can be full or read-only."""

    def __init__(self, folder):
        self.folder = folder
        self.is_own = False
        os.mkdir(folder)
        if os.geteuid() == 0:
            self.is_own = self.mount("-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", folder)
        self.filler = f"{folder}/filler"
        self.full_times = self.read_only_times = 0
        self.is_full = False

    @staticmethod
    def mount(*words):
        return subprocess.run(["mount", *words], stderr=subprocess.DEVNULL).returncode == 0

    def fill(self):
        """Leaves no room, or less than a page's worth of it."""
        if not self.is_own:
            return
        self.full_times += 1
        self.is_full = True
        with open(self.filler, "wb", buffering=0) as file:
            room = os.statvfs(self.folder)
            try:
                os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_frsize))
                file.seek(0, os.SEEK_END)
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        if self.is_own and os.path.exists(self.filler):
            os.unlink(self.filler)
        self.is_full = False

    def forbid_writing(self):
        """Only while no daemon has a file open for writing."""
        if self.is_own and self.mount("-o", "remount,ro", self.folder):
            self.read_only_times += 1
            return True
        return False

    def allow_writing(self):
        if not self.mount("-o", "remount,rw", self.folder):
            sys.exit("kill: the disk stays read-only")

    def remove(self):
        if self.is_own:
            subprocess.run(["umount", "-l", self.folder])


class Daemon:
    """A daemon that gets its socket from the test, as from systemd: clients wait there while it is away."""

    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="dokku-daemon-kill-")
        self.disk = Disk(f"{self.folder}/state")
        os.makedirs(f"{self.folder}/plugins/enabled")
        stand_in = f"{self.folder}/mark"
        subprocess.run(
            [os.environ.get("CC", "cc"), "-Wall", "-Wextra", "-Werror", "-O2", "-o", stand_in, f"{HERE}/mark.c"], check=True)
        self.path = f"{self.folder}/socket"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(128)
        # sd_listen_fds(3): the first one has this number.
        os.dup2(self.listener.fileno(), 3)
        self.marks = f"{self.folder}/marks"
        open(self.marks, "w").close()
        self.program = program
        self.environment = {
            "PATH": os.environ["PATH"], "LISTEN_FDS": "1", "DOKKU_LOCK_PATH": f"{self.folder}/lock",
            "DOKKU_DAEMON_LOGFILE": f"{self.folder}/log", "DOKKU_DAEMON_STATE_DIR": f"{self.folder}/state",
            "DOKKU_DAEMON_DOKKU": stand_in, "DOKKU_SYSTEM_USER": "root", "PLUGIN_PATH": f"{self.folder}/plugins",
            "MARKS": self.marks, "LISTING": LISTING, "DOKKU_DAEMON_MAX_JOBS": "1000000",
            "DOKKU_DAEMON_JOURNAL": "no",
        }
        self.errors = open(f"{self.folder}/stderr", "ab")
        self.process = None
        # How often it was started, and the starts during which the disk was full.
        self.life = 0
        self.full_lives = set()

    def start(self):
        self.life += 1
        self.note_full()
        self.process = subprocess.Popen(
            ["sh", "-c", 'LISTEN_PID=$$ exec "$0"', self.program], env=self.environment, stdin=subprocess.DEVNULL,
            stderr=self.errors, pass_fds=[3])

    def note_full(self):
        if self.disk.is_full:
            self.full_lives.add(self.life)

    def kill(self):
        if self.process.poll() is not None:
            sys.exit(f"kill: the daemon ended by itself, with {self.process.returncode}:\n{self.said()[-2000:]}")
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def said(self):
        with open(f"{self.folder}/stderr", errors="replace") as file:
            return file.read()

    def ran(self):
        with open(self.marks) as file:
            return file.read().split()

    def remove(self):
        self.disk.remove()
        shutil.rmtree(self.folder, ignore_errors=True)
