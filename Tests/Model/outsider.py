# Another program that waits for the lock, as flock(1) does.
import fcntl
import os
import platform
import threading
import time

PATIENCE = 10
# The number of flock(2), as /proc/PID/syscall shows it.
FLOCK = {"x86_64": "73", "aarch64": "32"}[platform.machine()]


class Outsider:
    def __init__(self, path):
        self.number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self.thread = threading.Thread(target=self.wait, daemon=True)
        self.thread.start()
        self.has_lock()

    def wait(self):
        fcntl.flock(self.number, fcntl.LOCK_EX)

    def waits(self):
        """Whether it sleeps in flock(2). /proc/locks does not tell in a container, if the process that took the lock has
        ended and left it to its children."""
        try:
            with open(f"/proc/self/task/{self.thread.native_id}/syscall") as file:
                return file.read().startswith(f"{FLOCK} ")
        except OSError:
            return False

    def has_lock(self):
        """Whether it has the lock by now. A lock that was released wakes it at once, but it takes it a moment later."""
        end = time.monotonic() + PATIENCE
        while self.thread.is_alive() and time.monotonic() < end:
            if self.waits():
                return False
            self.thread.join(0.001)
        return not self.thread.is_alive()

    def end(self):
        """Call it when nobody else has the lock."""
        self.thread.join(PATIENCE)
        os.close(self.number)
