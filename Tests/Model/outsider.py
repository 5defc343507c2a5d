# Another program that waits for the lock, as flock(1) does.
import fcntl
import os
import threading
import time

PATIENCE = 10


class Outsider:
    def __init__(self, path):
        self.number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self.inode = os.fstat(self.number).st_ino
        self.thread = threading.Thread(target=self.wait, daemon=True)
        self.thread.start()
        self.has_lock()

    def wait(self):
        fcntl.flock(self.number, fcntl.LOCK_EX)

    def has_lock(self):
        """Whether it has the lock by now. A lock that was released wakes it at once, but it takes it a moment later."""
        end = time.monotonic() + PATIENCE
        while self.thread.is_alive() and time.monotonic() < end:
            with open("/proc/locks") as locks:
                if any("->" in line and f":{self.inode} " in line for line in locks):
                    return False
            self.thread.join(0.001)
        return not self.thread.is_alive()

    def end(self):
        """Call it when nobody else has the lock."""
        self.thread.join(PATIENCE)
        os.close(self.number)
