"""What packages are built with: what a build needs, the Swift of whoever calls, and what the source package holds."""

import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


class Dependencies(unittest.TestCase):
    def test_the_build_dependencies_are_those_that_make_installs(self):
        control = (PACKAGING / "debian/control").read_text()
        listed = re.search(r"^Build-Depends:((?:\n .*)+)", control, re.M)[1]
        # dpkg-buildpackage wants the last one of every machine.
        wanted = {re.split(r"[\s(]", line.strip())[0] for line in listed.split(",")} | {"build-essential"}
        wanted = {"debhelper" if name == "debhelper-compat" else name for name in wanted}
        sets = dict(re.findall(r'^    \[(\S+)\]="(.*)"$', (PACKAGING / "deps").read_text(), re.M))
        installed = {need.partition(":")[2] for name in ("build", "deb") for need in sets[name].split()}
        self.assertEqual(wanted - installed, set())


class WithSwift(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program("swift", "echo Swift version 99.0")

    def program(self, name, script):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def call(self, *words, said=""):
        environment = {name: value for name, value in os.environ.items() if name != "SUDO_USER"}
        return subprocess.run(
            [PACKAGING / "with-swift", *words],
            env={**environment, "PATH": f"{self.folder}:{os.environ['PATH']}"},
            input=said,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )

    def test_the_command_reads_the_standard_input_of_the_caller(self):
        done = self.call("cat", said="a line\n")
        self.assertEqual((done.returncode, done.stdout), (0, "a line\n"))

    def test_a_user_that_has_no_entry(self):
        self.program("getent", "exit 2")
        done = self.call("sh", "-c", "command -v swift; exit 3")
        self.assertEqual((done.returncode, done.stdout), (3, f"{self.folder}/swift\n"))


class SourcePackage(unittest.TestCase):
    def test_it_holds_nothing_that_was_built(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder, "with blank")
            (tree / "packaging/debian/source").mkdir(parents=True)
            for name in ["control", "changelog", "rules", "source/format", "source/options"]:
                shutil.copy(PACKAGING / "debian" / name, tree / "packaging/debian" / name)
            (tree / "debian").symlink_to("packaging/debian")
            built = [
                ".build/release/dokku-daemon",
                ".git/config",
                "Benchmarks/bin/stub",
                "Package.resolved",
                "Tests/Load/__pycache__/load.pyc",
                "dokku-daemon_1.0.0_amd64.deb",
                "dokku-daemon.buildinfo",
                "dokku-daemon.changes",
            ]
            for name in [*built, "Benchmarks/run.py"]:
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                (tree / name).write_text("")
            build = ["dpkg-source", "--build", tree.name]
            subprocess.run(build, cwd=folder, check=True, capture_output=True, timeout=60)
            with tarfile.open(next(pathlib.Path(folder).glob("*.tar.*"))) as archive:
                names = [name.partition("/")[2] for name in archive.getnames()]
        self.assertIn("Benchmarks/run.py", names)
        self.assertEqual([name for name in names if name in built], [])


if __name__ == "__main__":
    unittest.main()
