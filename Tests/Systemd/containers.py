"""Containers without systemd, as dokku's own image makes them: runit runs the services, and folders are shared."""

import contextlib
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

from support import HERE, PATIENCE, Lab, package

#: /etc/service is a link. This host cannot follow it, because it is absolute.
SERVICE = "/etc/runit/runsvdir/default/dokku-daemon"


class Layer(Lab):
    """A file system in memory over another one. Its folder is like a lab's, so `run` can clean it up."""

    def __init__(self, below):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("LAB_BASE", "/run")))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab", self.folder], check=True)
        (self.folder / "nspawn").touch()
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir()
        options = f"lowerdir={below},upperdir={self.folder}/upper,workdir={self.folder}/work"
        self.root = self.files = self.folder / "root"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "lab", self.files], check=True)

    def nspawn(self, *options):
        """The arguments that start a program in it."""
        name = f"lab-{self.folder.name.replace('_', 'x')}"
        self.propagation = f"/run/systemd/nspawn/propagate/{name}"
        own = ["--quiet", f"--directory={self.files}", f"--machine={name}", "--register=no"]
        # If this host has no systemd, no scope can be made.
        scope = [] if os.path.isdir("/run/systemd/system") else ["--keep-unit"]
        return ["systemd-nspawn", *own, *scope, *options]

    def remove(self):
        for each in (self.files, self.folder):
            subprocess.run(["umount", each], check=True)
        self.folder.rmdir()
        with contextlib.suppress(OSError):
            os.rmdir(self.propagation)


class Image(Layer):
    """The lab's file system without systemd, with runit, and with what `build` adds. Nothing runs in it meanwhile."""

    def __init__(self):
        rootfs = subprocess.run([HERE / "lab", "rootfs"], check=True, capture_output=True, text=True)
        super().__init__(rootfs.stdout.strip())
        # As the image of dokku does, so that nothing here relies on systemd. From Debian 13 on, systemd-sysv is essential.
        self.build(
            "apt-get remove --quiet --yes --purge --allow-remove-essential systemd systemd-sysv"
            "&& apt-get autoremove --quiet --yes"
        )

    def build(self, script):
        """Runs a shell script in the image, with this host's network, as RUN of a Dockerfile. Returns its output."""
        done = subprocess.run(
            self.nspawn("--pipe", "--setenv=DEBIAN_FRONTEND=noninteractive", "bash", "-ec", script),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=5 * PATIENCE,
        )
        if done.returncode != 0:
            raise AssertionError(f"{script}\nended with status {done.returncode}:\n{done.stdout}")
        return done.stdout

    def copy_packages(self, folder):
        """As COPY of a Dockerfile does."""
        for name in ("dokku-daemon", "dokku-client"):
            shutil.copy(package(name), self.path(folder))


class Container(Layer):
    """A container of the image. `volumes` gives each folder of this host its place, which may end in `:ro`."""

    def __init__(self, image, volumes, environment=(), program="/bin/sleep infinity"):
        super().__init__(image.files)
        self.program = program
        self.console = self.folder / "console"
        shutil.copy(HERE / "container-init", self.files / "usr/sbin")
        options = ["--private-network", "--console=pipe"]
        for path, place in volumes.items():
            options.append(f"--bind{'-ro' if place.endswith(':ro') else ''}={path}:{place.removesuffix(':ro')}")
        options += [f"--setenv={name}={value}" for name, value in dict(environment).items()]
        with open(self.console, "wb") as console:
            self.process = subprocess.Popen(
                self.nspawn(*options, *program.split()),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        (self.folder / "nspawn").write_text(str(self.process.pid))
        self.leader = int(self.wait("the first process", self._first))
        (self.folder / "leader").write_text(str(self.leader))
        self.root = pathlib.Path(f"/proc/{self.leader}/root")

    def _first(self):
        """nspawn's child, once it is the program that was asked for: then everything is mounted."""
        if self.process.poll() is not None:
            raise AssertionError(f"{self.program} did not start:\n{self.said()}")
        name = os.path.basename(self.program.split()[0])
        for number in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{number}/comm").read_text().strip() == name:
                    return number
        return None

    def wait(self, what, condition):
        deadline = time.monotonic() + PATIENCE
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {PATIENCE} s in vain: {what}\n{self.said()}")
            time.sleep(0.05)
        return result

    def said(self):
        """The log of the container."""
        return self.console.read_text(errors="replace")

    def wait_until_said(self, text):
        self.wait(text, lambda: text in self.said())

    def signal(self, number):
        os.kill(self.leader, number)

    def ended(self):
        """Waits until nothing of the container runs any more."""
        self.process.wait(PATIENCE)

    def kill(self):
        """What the engine does when the time for a stop is over."""
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.ended()

    def popen(self, script):
        """A process in the container, whose output and errors are read later."""
        return subprocess.Popen(
            self.command(script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    # ----- the service in it

    def sv(self, *words):
        """The finished process, whatever its status."""
        return self.run("sv " + shlex.join([*words, SERVICE]))

    def expect(self, *words):
        """The output of sv(8), which must succeed in time."""
        return self.sh(f"sv -w {PATIENCE} " + shlex.join([*words, SERVICE]))

    def wait_for(self, status):
        """Waits until `sv status` begins so."""
        self.wait(status, lambda: self.sv("status").stdout.startswith(status))

    def pid(self):
        """The daemon that runsv(8) has started; None if there is none."""
        text = self.read(f"{SERVICE}/supervise/pid").strip()
        return int(text) if text else None
