"""The servers that the benchmark measures, and the C programs of all parts."""

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BIN = HERE / "bin"
HOSTED = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror"]
FREESTANDING = HOSTED + ["-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector"]
PROGRAMS = {"baseline": HOSTED, "client": HOSTED, "stub": FREESTANDING, "dokku": HOSTED + ["-static"]}
BUILTIN = "daemon:version"
TIMEOUT = 120  # seconds, for each client


def build():
    BIN.mkdir(exist_ok=True)
    for name, flags in PROGRAMS.items():
        source, program = HERE / f"{name}.c", BIN / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            subprocess.run([os.environ.get("CC", "cc"), *flags, "-o", program, source], check=True)


def die_with_parent():
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


class Server:
    """One side: a server on a socket, with its own state folder and log."""

    def __init__(self, folder, name, program, *arguments, log=False, **settings):
        self.folder = folder / name
        self.folder.mkdir()
        self.socket = self.folder / "socket"
        self.command = [str(program), *arguments]
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "DOKKU_SOCK_PATH": str(self.socket),
            "DOKKU_LOCK_PATH": str(self.folder / "lock"),
            "DOKKU_DAEMON_LOGFILE": str(self.folder / "log") if log else "none",
            "DOKKU_DAEMON_DOKKU": str(BIN / "stub"),
            # As the other side does, even if there is a user dokku.
            "DOKKU_SYSTEM_USER": "root",
            "DOKKU_DAEMON_STATE_DIR": str(self.folder),
            "DOKKU_DAEMON_MAX_CONNECTIONS": "2000",
            **settings,
        }

    def __enter__(self):
        self.errors = open(self.folder / "stderr", "w+")
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            preexec_fn=die_with_parent,
        )
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            # The socket's file may exist before the server listens, so the first client shows when it does.
            if self.socket.exists() and not client("sequential", self, BUILTIN, 1, check=False).returncode:
                return self
            time.sleep(0.01)
        self.__exit__()
        self.errors.seek(0)
        sys.exit(f"{self.command[0]} does not answer: {self.errors.read().strip()}")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kilobytes(self, field, file="status"):
        for line in pathlib.Path(f"/proc/{self.process.pid}/{file}").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise KeyError(field)

    def cpu(self):
        """Seconds of a core that this server has used, and that its ended commands have used."""
        # What follows the name, which may contain blanks: the state, ten other fields, and then the four times.
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        own, own_kernel, ended, ended_kernel = (int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in fields[11:15])
        return own + own_kernel, ended + ended_kernel

    def resident(self):
        return self.kilobytes("Rss", "smaps_rollup")  # exact; VmRSS is not exact on every kernel

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


def client(mode, server, line, *arguments, check=True, **options):
    """Runs a client to its end."""
    command = [BIN / "client", mode, server.socket, line, *map(str, arguments)]
    errors = None if check else subprocess.DEVNULL
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=TIMEOUT, **options
    )
    if check and result.returncode:
        sys.exit(f"the client failed: {' '.join(map(str, command))}")
    return result
