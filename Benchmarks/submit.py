"""(h): what it costs to keep a job. A client submits detached jobs one after another, while the lock is held so that none
runs; beside that, the same disk syncs a block of 4 KiB (fdatasync). The answer to a submit comes after one synced commit."""

import fcntl
import os
import socket
import time

from server import Server
from table import Table, percentile

COUNT = 1000


def submits(path, count):
    with socket.socket(socket.AF_UNIX) as client, client.makefile("rb") as replies:
        client.connect(str(path))
        times = []
        for _ in range(count):
            start = time.perf_counter()
            client.sendall(b'{"command":["apps:create","app"],"detach":true}\n')
            if b'"ok":true' not in (reply := replies.readline()):
                raise SystemExit(f"a submit was refused: {reply.decode()}")
            times.append(time.perf_counter() - start)
        return times


def syncs(path, count):
    times = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(count):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return times


def measure(quick, folder, program):
    count = 50 if quick else COUNT
    table = Table("median", "p99")
    with Server(folder, "daemon", program, DOKKU_DAEMON_MAX_QUEUE=str(2 * COUNT),
                DOKKU_DAEMON_MAX_JOBS=str(2 * COUNT)) as server:
        with open(server.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name, times in (("(h) a submit", submits(server.socket, count)),
                                ("    fdatasync of 4 KiB", syncs(folder / "block", count))):
                table.add(name, *(f"{percentile(times, part) * 1e3:.2f} ms" for part in (0.5, 0.99)))
    return table
