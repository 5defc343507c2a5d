"""(i): what it costs to get a command's bytes from and to a file, through the client and through ssh. The client hands its
descriptors over, or, on a socket that takes none, moves the bytes in base64 events and chunks. The sshd is the benchmark's own."""

import os
import pathlib
import shlex
import shutil
import socket
import subprocess
import time

from server import BIN, Server
from table import Table, percentile

RULE = "descriptors"


class Sshd:
    """An sshd with keys and a port of its own, and how to reach it."""

    def __init__(self, folder):
        self.folder = folder / "ssh"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.folder.mkdir(mode=0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        shutil.copy(self.folder / "user.pub", self.folder / "authorized_keys")
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\nAuthorizedKeysFile {self.folder}/authorized_keys\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
            f"PidFile {self.folder}/pid\n")
        self.process = subprocess.Popen([shutil.which("sshd", path="/usr/sbin:/usr/local/sbin"), "-D", "-e", "-f", config],
                                        stderr=open(self.folder / "log", "w"))
        self.command = ["ssh", "-F", "none", "-i", str(self.folder / "user"), "-p", str(port), "-o", "StrictHostKeyChecking=no",
                        "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "LogLevel=ERROR", "127.0.0.1"]
        deadline = time.monotonic() + 10
        while subprocess.run([*self.command, "true"], stdin=subprocess.DEVNULL).returncode:
            if time.monotonic() > deadline:
                raise SystemExit(f"sshd does not answer: {(self.folder / 'log').read_text()}")
            time.sleep(0.05)

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def used(pid):
    """Seconds of a core that a process and its ended children have used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def run(command, environment, source, target):
    """Seconds, and seconds of a core, that a client took to its end."""
    before = os.times()
    start = time.perf_counter()
    with open(source, "rb") as given, open(target, "wb") as taken:
        subprocess.run(command, env=environment, stdin=given, stdout=taken, check=True)
    seconds = time.perf_counter() - start
    after = os.times()
    return seconds, after.children_user + after.children_system - before.children_user - before.children_system


def measure(quick, folder, program):
    megabytes = 50 if quick else 1000
    rounds = 2 if quick else 5
    client = pathlib.Path(program).with_name("dokku-client")
    big, out = folder / "big", folder / "out"
    with open(big, "wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
    size = big.stat().st_size / 1e6
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    sshd = Sshd(folder)
    table = Table("out of the command", "into the command", "CPU, both", "one `apps:list`")
    settings = dict(DOKKU_DAEMON_MAX_OUTPUT=str(4 << 30), DOKKU_DAEMON_MAX_INPUT=str(4 << 30),
                    DOKKU_DAEMON_MAX_SPOOL=str(16 << 30))
    try:
        with Server(folder, "handed", program, DOKKU_DAEMON_LISTENER=RULE, **settings) as handed, \
                Server(folder, "events", program, **settings) as events:
            ways = [
                ("descriptors", [client, "-S", handed.socket], lambda: handed.cpu()[0]),
                ("base64 events", [client, "-S", events.socket], lambda: events.cpu()[0]),
                ("ssh", [*sshd.command, shlex.quote(str(BIN / "stub"))], lambda: used(sshd.process.pid)),
                ("dokku itself", [BIN / "stub"], lambda: 0),
            ]
            figures = {name: measured(ways_of, cpu, environment, megabytes, rounds, big, out) for name, ways_of, cpu in ways}
    finally:
        sshd.close()
    ssh, alone = figures["ssh"], figures["dokku itself"]
    for name, (got, given, cpu, latency) in figures.items():
        targets = []
        if name == "descriptors":
            targets = [(f"{factor} times ssh", met) for factor, met in [
                ("≥ 20", min(ssh[0] / got, ssh[1] / given) >= 20)]]
            targets += [("CPU < a tenth", cpu < ssh[2] / 10), ("latency ≤ dokku + 3 ms", latency <= alone[3] + 0.003)]
        table.add(f"(i) {name}" if name == "descriptors" else f"    {name}", f"{size / got:.0f} MB/s", f"{size / given:.0f} MB/s",
                  f"{cpu:.2f} s", f"{latency * 1e3:.2f} ms", targets=targets)
    return table


def measured(command, cpu, environment, megabytes, rounds, big, out):
    """The best times of a dump to a file and of one from a file, the CPU time of one of each, and a short command's median."""
    got, given, costs = [], [], []
    for _ in range(rounds):
        before = cpu()
        seconds, own = run([*command, "logs", str(megabytes)], environment, os.devnull, out)
        got.append(seconds)
        more, other = run([*command, "db:import", "db"], environment, big, os.devnull)
        given.append(more)
        costs.append(cpu() - before + own + other)
    times = [run([*command, "apps:list"], environment, os.devnull, out)[0] for _ in range(20 * rounds)]
    return min(got), min(given), min(costs), percentile(times, 0.5)
