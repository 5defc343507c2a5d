"""A booted lab for each test class, and functions to talk to the daemon in it."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
#: Where the packages are that are tested.
PACKAGES = pathlib.Path(os.environ.get("DOKKU_DAEMON_PACKAGES", TOP))
SOCKET = "/run/dokku-daemon/dokku-daemon.sock"
LOG = "/var/log/dokku/dokku-daemon.log"
PATIENCE = 60  # seconds, for any event


def version():
    first = (TOP / "packaging/debian/changelog").read_text().splitlines()[0]
    return first[first.index("(") + 1 : first.index(")")]


def package(name="dokku-daemon"):
    """A package of this tree, as `run` has built it."""
    newest = max(PACKAGES.glob(f"{name}_*.deb"), key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        raise RuntimeError("there is no package: Tests/Systemd/run builds it")
    return newest


def build_package(tree, to):
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree, to], check=True, stdout=subprocess.DEVNULL
    )


def newer_package(to, number):
    """The same package with a later version, for upgrades."""
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, "tree")
        subprocess.run(["dpkg-deb", "-R", package(), tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub("^Version: .*", f"Version: {number}", control.read_text(), flags=re.M))
        build_package(tree, to)


def released_package(to):
    """The package of the first release: its scripts, units and settings, with the program of today."""
    source = HERE / "1.0.0"
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, "tree")
        subprocess.run(["dpkg-deb", "-x", package(), f"{folder}/today"], check=True)
        for file, target in [
            (f"{folder}/today/usr/bin/dokku-daemon", "usr/bin/dokku-daemon"),
            (source / "settle", "usr/lib/dokku-daemon/settle"),
            (source / "dokku-daemon.service", "usr/lib/systemd/system/dokku-daemon.service"),
            (source / "dokku-daemon.socket", "usr/lib/systemd/system/dokku-daemon.socket"),
            (source / "dokku-daemon-read-only.socket", "usr/lib/systemd/system/dokku-daemon-read-only.socket"),
            (source / "tmpfiles.conf", "usr/lib/tmpfiles.d/dokku-daemon.conf"),
            (source / "default", "etc/default/dokku-daemon"),
        ]:
            (tree / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, tree / target)
        shutil.copytree(source / "DEBIAN", tree / "DEBIAN")
        build_package(tree, to)


class Lab:
    """A system that runs until `down`."""

    def __init__(self, *options):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("LAB_BASE", "/run"))
        self.environment = {**os.environ, "LAB_RUN": self.folder}
        self._call("up", *options)
        self._find()

    def _find(self):
        self.leader = int(pathlib.Path(self.folder, "leader").read_text())
        self.root = pathlib.Path(f"/proc/{self.leader}/root")

    def reboot(self):
        self._call("reboot")
        self._find()

    def _call(self, *words):
        done = subprocess.run([HERE / "lab", *words], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"lab {words[0]} failed:\n{done.stdout}{done.stderr}")

    def down(self):
        self._call("down")
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(self.folder)

    def command(self, script):
        """The arguments that run a shell script in the system."""
        return [
            "nsenter",
            f"--target={self.leader}",
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "--cgroup",
            "--",
            "/usr/bin/env",
            "-i",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "LANG=C.UTF-8",
            "DEBIAN_FRONTEND=noninteractive",
            "bash",
            "-c",
            f"cd /; {script}",
        ]

    def run(self, script, **options):
        """The finished process, whatever its status. Standard error is part of the output."""
        options = {"stdin": subprocess.DEVNULL, "timeout": PATIENCE, **options}
        return subprocess.run(
            self.command(script), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )

    def sh(self, script):
        """The output of a script that must succeed, without the last newline."""
        done = self.run(script)
        if done.returncode != 0:
            raise AssertionError(f"{script}\nended with status {done.returncode}:\n{done.stdout}")
        return done.stdout.rstrip("\n")

    def path(self, name):
        """The path at which this host sees a file of the system."""
        return self.root / name.lstrip("/")

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def read(self, name):
        return self.path(name).read_text(errors="replace")

    def copy(self, source, name, mode=0o755):
        shutil.copy(source, self.path(name))
        self.path(name).chmod(mode)

    def properties(self, unit, *names):
        """Properties of a unit by name, as `systemctl show` prints them."""
        lines = self.sh(f"systemctl show {unit} " + " ".join(f"-p {name}" for name in names)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def property(self, unit, name):
        return self.properties(unit, name)[name]

    def wait(self, what, condition):
        """Waits for something that systemd does by itself, and that causes no event outside of the system."""
        deadline = time.monotonic() + PATIENCE
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"waited {PATIENCE} s in vain: {what}\n" + self.run("journalctl -n 40 --no-pager").stdout
                )
            time.sleep(0.05)
        return result

    # ----- the daemon

    def wait_for_another(self, pid):
        """Waits for the daemon after the one with this number, until it serves."""

        def another():
            state = self.properties("dokku-daemon", "MainPID", "ActiveState")
            return state["ActiveState"] == "active" and state["MainPID"] not in ("0", str(pid))

        self.wait("another daemon", another)

    def wait_until_stopping(self):
        """Waits until the daemon takes no more clients. systemd says "deactivating" before the daemon knows of the stop."""
        self.wait("the stop", lambda: self.property("dokku-daemon", "StatusText").startswith("Stopping"))

    def copy_package(self, file=None, name="dokku-daemon.deb"):
        self.copy(file or package(), f"/root/{name}", 0o644)

    def install(self, file=None, name="dokku-daemon.deb"):
        """Installs a package, by default this tree's. Returns the output of dpkg."""
        self.copy_package(file, name)
        return self.sh(f"dpkg --install /root/{name}")

    def stand_in(self, script):
        """Installs a `dokku` that lists a few commands and runs `script` for all of them, with the words as $@."""
        names = ["apps:create", "apps:list", "apps:report", "config:set", "ps:rebuild", "ps:restart", "logs", "version"]
        listing = "".join(f"    {name:<40}Part of the lab\n" for name in names)
        self.write(
            "/usr/bin/dokku",
            f"#!/bin/bash\nif [[ $1 == help ]]; then cat <<'LIST'\n{listing}LIST\nexit\nfi\n{script}\n",
            0o755,
        )

    def connect(self, path=SOCKET):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        # By a short path: paths below /proc are too long for the address of a socket.
        folder = os.open(self.path(os.path.dirname(path)), os.O_PATH | os.O_DIRECTORY)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
        finally:
            os.close(folder)
        return connection

    def ask(self, line, path=SOCKET):
        """The reply to one line, as an object. None if the connection ended without a reply."""
        with self.connect(path) as connection:
            connection.sendall(line.encode() + b"\n")
            with connection.makefile("rb") as lines:
                reply = lines.readline()
        return json.loads(reply) if reply else None

    def inode(self, path=SOCKET):
        return os.stat(self.path(path)).st_ino

    def journal(self, *matches):
        """The daemon's entries, all fields of each."""
        words = " ".join(shlex.quote(match) for match in matches)
        lines = self.sh(
            f"journalctl --sync; journalctl -q -o json -u dokku-daemon {words} || true"
        ).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


class LabTest(unittest.TestCase):
    """A class of tests that share one system. `prepare` sets the system up."""

    maxDiff = None
    #: Options of systemd-nspawn.
    options = []

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(*cls.options)
        cls.addClassCleanup(cls.lab.down)
        cls.prepare()

    @classmethod
    def prepare(cls):
        cls.lab.stand_in('echo ran "$@"')
        cls.lab.install()

    def assertServes(self, path=SOCKET):
        self.assertEqual(self.lab.ask("apps:list", path), {"ok": True, "output": "ran apps:list"})


class Bare(LabTest):
    """Tests that begin on a system without a daemon, and leave none."""

    options = [f"--bind-ro={TOP}:/src"]

    @classmethod
    def prepare(cls):
        cls.lab.stand_in('echo ran "$@"')

    def setUp(self):
        super().setUp()
        self.addCleanup(
            self.lab.sh,
            "systemctl stop dokku-daemon.socket dokku-daemon-read-only.socket dokku-daemon || true;"
            "dpkg --purge dokku-client dokku-daemon; rm -rf /run/dokku-daemon /var/log/dokku/*",
        )
