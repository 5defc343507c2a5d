"""Restarts lose nothing: fifty clients, and a daemon that is restarted, upgraded and killed."""

import collections
import json
import re
import subprocess
import tempfile
import time
import unittest

from support import HERE, LOG, SOCKET, LabTest, newer_package

CLIENTS = 50
MOUNTED = "/mnt/container/dokku-daemon.sock"


class Load:
    """Clients that see the socket as a container does: mounted once, before everything else."""

    def __init__(self, lab):
        self.results = tempfile.TemporaryFile("w+")
        script = (
            f"mkdir -p {MOUNTED[:MOUNTED.rindex('/')]}; touch {MOUNTED}; mount --bind {SOCKET} {MOUNTED};"
            f"exec python3 /root/load.py {MOUNTED} {CLIENTS}"
        )
        self.process = subprocess.Popen(
            lab.command(f"exec unshare --mount --propagation private bash -c '{script}'"),
            stdin=subprocess.PIPE,
            stdout=self.results,
        )

    def finish(self):
        """Lets each client end its last request. Returns all results."""
        self.process.stdin.close()
        if self.process.wait(timeout=180) != 0:
            raise AssertionError("the clients failed")
        self.results.seek(0)
        lines = self.results.read().splitlines()
        assert lines[0] == "ready"
        return [json.loads(line) for line in lines[1:]]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
        self.results.close()


class Restarts(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.sh(
            "mkdir /var/lib/witness; mkfifo /var/lib/witness/never; touch /var/lib/witness/trace;"
            " chown -R dokku: /var/lib/witness"
        )
        cls.lab.copy(HERE / "witness", "/usr/bin/dokku")
        cls.lab.copy(HERE / "load.py", "/root/load.py")
        # As in the unit, but short enough for a test.
        cls.lab.write(
            "/etc/systemd/system/dokku-daemon.service.d/soon.conf",
            "[Service]\nWatchdogSec=5\nTimeoutAbortSec=2\n",
        )
        cls.lab.install()
        cls.lab.sh("systemctl start dokku-daemon")

    def pid(self):
        return int(self.lab.property("dokku-daemon", "MainPID"))

    def wait_for_more(self, count=200):
        """Waits until the clients have run some commands."""
        trace = self.lab.path("/var/lib/witness/trace")
        before = trace.read_text().count("\nend ")
        self.lab.wait("commands to run", lambda: trace.read_text().count("\nend ") >= before + count)

    def restart(self):
        """Returns how many seconds it took."""
        begin = time.monotonic()
        self.lab.sh("systemctl restart dokku-daemon")
        return time.monotonic() - begin

    def upgrade(self):
        pid = self.pid()
        with tempfile.TemporaryDirectory() as folder:
            newer_package(f"{folder}/newer.deb", "99.0")
            self.lab.install(f"{folder}/newer.deb", "newer.deb")
        self.lab.wait_for_another(pid)

    def kill(self):
        """Kills the daemon in the middle of a command. Returns whether the command was still running."""
        pid = self.pid()
        trace = self.lab.path("/var/lib/witness/trace")
        running = self.lab.wait(
            "a command that takes long", lambda: re.search(r"^start (\S*7)\n\Z", trace.read_text()[-40:], re.M)
        )[1]
        self.lab.sh(f"kill -KILL {pid}")
        self.lab.wait_for_another(pid)
        self.wait_for_more(20)
        return f"\nend {running}\n" not in trace.read_text()

    def miss_the_watchdog(self):
        pid = self.pid()
        self.lab.sh(f"kill -STOP {pid}")
        self.lab.wait_for_another(pid)

    def test_nothing_is_lost(self):
        inode = self.lab.inode()
        load = Load(self.lab)
        self.addCleanup(load.kill)
        self.wait_for_more()
        took = 0
        for _ in range(20):
            took += self.restart()
            self.wait_for_more(20)
        self.upgrade()
        self.wait_for_more()
        kills = []
        while sum(kills) < 5:
            kills.append(self.kill())
            self.assertLess(len(kills), 20, "commands end before they can be interrupted")
        self.miss_the_watchdog()
        self.wait_for_more()
        results = load.finish()
        # The next start logs the interrupted command.
        self.restart()
        self.assertEqual(self.lab.inode(), inode, "the socket is the same")
        self.assertLess(took, 60, "twenty restarts in a minute")
        # One more death is that of the watchdog.
        self.check(results, deaths=len(kills) + 1)

    def check(self, results, deaths):
        trace = [line.split() for line in self.lab.read("/var/lib/witness/trace").splitlines()]
        started = [words[1] for words in trace if words[0] == "start"]
        ended = {words[1] for words in trace if words[0] == "end"}
        outcomes = collections.Counter(result["outcome"] for result in results)
        refusals = [
            result for result in results if result["outcome"] == "answered" and not result["reply"]["ok"]
        ]
        print(
            f"\n  {len(results)} requests of {CLIENTS} clients: {dict(outcomes)}, {len(refusals)} of them refused; "
            f"{len(started)} ran, {len(set(started) - ended)} interrupted",
            flush=True,
        )

        with self.subTest("every line is answered, or its connection ends; no connect is refused"):
            self.assertEqual(
                set(outcomes) - {"answered", "ended"},
                set(),
                [r for r in results if r["outcome"] not in ("answered", "ended")][:5],
            )
            self.assertGreater(outcomes["answered"], 1000)
            self.assertGreaterEqual(outcomes["ended"], 5)
        with self.subTest("each reply is its command's own"):
            for result in results:
                if result["outcome"] == "answered" and result not in refusals:
                    self.assertEqual(result["reply"]["output"], f"did {result['id']}")
                    self.assertIn(result["id"], ended)
        with self.subTest("what is refused did not run"):
            for result in refusals:
                self.assertNotIn(result["id"], set(started))
                self.assertRegex(result["reply"]["output"], "stopping|shutting|ends|was ended")
        with self.subTest("nothing runs twice"):
            self.assertEqual([word for word, count in collections.Counter(started).items() if count > 1], [])
        with self.subTest("never two at once"):
            self.assertEqual([words for words in trace if words[0] == "overlap"], [])
            running = None
            for what, word, *_ in trace:
                if what == "end":
                    self.assertEqual(word, running)
                running = word if what == "start" else None
        with self.subTest("every command that ran is in the log, the interrupted ones marked"):
            log = self.lab.read(LOG)
            accepted = set(re.findall(r"\[cmd\] #\d+ pid=\d+ uid=\d+ gid=\d+(?: cgroup=\S+)? apps:create (\S+)$", log, re.M))
            marked = set(re.findall(r"\[res\] #\d+ error=interrupted .*: apps:create (\S+)$", log, re.M))
            self.assertEqual(set(started) - accepted, set())
            interrupted = set(started) - ended
            self.assertGreaterEqual(len(interrupted), 5)
            self.assertEqual(interrupted - marked, set())
            # Besides those each death has at most one that had just ended when the daemon did, or was about to begin.
            self.assertLessEqual(len(marked - interrupted), deaths)
        with self.subTest("the journal says the same"):
            said = {
                entry["DOKKU_COMMAND"].split()[1] for entry in self.lab.journal("DOKKU_ERROR=interrupted")
            }
            self.assertEqual(said, marked)


if __name__ == "__main__":
    unittest.main()
