"""CI's entry, .ci/run, with a stand-in for make: its last step, if a half of it fails, and if a signal ends it."""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAKE = """#!/bin/sh
case $1 in
    test-systemd | test-releases)
        echo "$1 said this"
        echo "$1 $$" >"$HALVES/started"
        . "$HALVES/$1"
        ;;
esac
"""


class LastStep(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "make").write_text(MAKE)
        (self.folder / "make").chmod(0o755)
        os.mkfifo(self.folder / "started")
        # So that no half waits for a reader.
        self.started = os.open(self.folder / "started", os.O_RDWR)
        self.addCleanup(os.close, self.started)

    def begin(self, systemd, releases):
        (self.folder / "test-systemd").write_text(systemd)
        (self.folder / "test-releases").write_text(releases)
        path = f"{self.folder}:{os.environ['PATH']}"
        environment = {"PATH": path, "HALVES": str(self.folder), "TMPDIR": str(self.folder)}
        run = subprocess.Popen(
            # Whoever starts this test may ignore signals. A shell cannot trap what is ignored at its start.
            ["env", "--default-signal=HUP,INT,TERM", ROOT / ".ci/run"],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        return run

    def told(self, beginning, count):
        """The next lines of the halves, which must begin so."""
        said = ""
        while said.count("\n") < count:
            said += os.read(self.started, 100).decode()
        for line in said.splitlines():
            self.assertTrue(line.startswith(beginning), said)
        return said.splitlines()

    def ended(self, systemd, releases):
        """The status and the output."""
        run = self.begin(systemd, releases)
        said = run.communicate(timeout=60)[0]
        self.assertEqual([path.name for path in self.folder.glob("tmp.*")], [])
        return run.returncode, said

    def test_both_pass(self):
        self.assertEqual(self.ended("exit 0", "exit 0"), (0, "test-systemd said this\n"))

    def test_one_fails(self):
        self.assertEqual(self.ended("exit 2", "exit 0"), (2, "test-systemd said this\n"))
        status, said = self.ended("exit 0", "exit 2")
        self.assertEqual(status, 1)
        self.assertEqual(sorted(said.splitlines()), ["test-releases said this", "test-systemd said this"])

    def test_a_second_signal_does_not_keep_it_from_cleaning_up(self):
        ends = {}
        for half in ("test-systemd", "test-releases"):
            os.mkfifo(self.folder / f"go.{half}")
            ends[half] = os.open(self.folder / f"go.{half}", os.O_RDWR)
            self.addCleanup(os.close, ends[half])
        slow = """
            trap 'kill $!; echo ending >"$HALVES/started"; read -r word <"$HALVES/go.$1"; exit' TERM
            sleep 120 & wait
        """
        run = self.begin(slow, slow)
        self.told("test-", 2)
        run.send_signal(signal.SIGTERM)
        self.told("ending", 2)
        run.send_signal(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            run.wait(1)
        for end in ends.values():
            os.write(end, b"go\n")
        self.assertEqual(run.wait(60), 130)
        self.assertEqual([path.name for path in self.folder.glob("tmp.*")], [])

    def test_it_ends_both_if_it_is_ended(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                run = self.begin("exec sleep 120", "exec sleep 120")
                halves = [int(line.split()[1]) for line in self.told("test-", 2)]
                run.send_signal(number)
                self.assertEqual(run.wait(60), 130)
                left = [each for each in halves if pathlib.Path(f"/proc/{each}").exists()]
                for each in left:
                    os.kill(each, signal.SIGKILL)
                self.assertEqual(left, [])


if __name__ == "__main__":
    unittest.main()
