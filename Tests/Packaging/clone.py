"""A clone of its own for each test, with those files of this tree that a release reads and writes."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = "Sources/DokkuProtocol/Version.swift"
CHANGELOG = "CHANGELOG.md"
DEBIAN = "packaging/debian/changelog"
UNRELEASED = "## [Unreleased]\n"
#: A day that no file tells, later than all releases: 2030-02-03.
CLOCK = {"SOURCE_DATE_EPOCH": "1896307445"}
SETTINGS = "[user]\nname = Somebody\nemail = somebody@example.com\n[maintenance]\nauto = false\n"
CHANGES = "### Added\n\n- One thing.\n- Another\n  thing.\n\n### Fixed\n\n- A third.\n"


def with_unreleased(changelog, text):
    """The changelog with this in place of what is unreleased."""
    before, _, after = changelog.partition(UNRELEASED)
    return f"{before}{UNRELEASED}\n{text}\n{after[after.index('## [') :]}"


class CloneTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.base = pathlib.Path(folder.name, "with blank")
        # No setting of this machine's user counts.
        cls.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "XDG_"))},
            **CLOCK,
            "HOME": str(cls.base),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        cls.first = cls.base / "first"
        # Not the whole folder of the packages: debhelper leaves trees there.
        programs = [f"packaging/{name}" for name in ("release", "release_files.py", "publish", "deps")]
        pages = [f"packaging/man/{page.name}" for page in (ROOT / "packaging/man").iterdir()]
        for name in [*programs, *pages, DEBIAN, VERSION, CHANGELOG, ".gitignore"]:
            (cls.first / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, cls.first / name)
        (cls.base / ".gitconfig").write_text(SETTINGS)
        changelog = cls.first / CHANGELOG
        changelog.write_text(with_unreleased(changelog.read_text(), CHANGES))
        for words in (["init", "--initial-branch=main", "--template="], ["add", "--all"], ["commit", "--message=All"]):
            subprocess.run(
                ["git", *words], check=True, cwd=cls.first, env=cls.environment, stdout=subprocess.DEVNULL, timeout=60
            )

    def setUp(self):
        self.top = self.base / "clone"
        shutil.copytree(self.first, self.top)
        self.addCleanup(shutil.rmtree, self.top)
        self.old = self.read(VERSION).split('"')[1]
        major, minor, _ = map(int, self.old.split("."))
        self.new = f"{major}.{minor + 1}.0"
        self.tag = f"v{self.new}"

    def read(self, name):
        return (self.top / name).read_text()

    def write(self, name, text):
        (self.top / name).write_text(text)

    def write_unreleased(self, text):
        self.write(CHANGELOG, with_unreleased(self.read(CHANGELOG), text))

    def commit(self):
        """Makes the files as they are the only commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--amend", "--no-edit")

    def git(self, *words):
        done = self.run_in(["git", *words])
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout.rstrip("\n")

    def run_in(self, command, **environment):
        return subprocess.run(
            command,
            cwd=self.top,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )

    def release(self, *words):
        return self.run_in([sys.executable, "packaging/release", *words])

    def succeed(self, *words):
        done = self.release(*words)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def state(self):
        """All that a release could change: branch and index, tags, and the files."""
        files = {path: path.read_bytes() for path in self.top.rglob("*") if ".git" not in path.parts and path.is_file()}
        tags = sorted(os.listdir(self.top / ".git/refs/tags"))
        return self.git("status", "--porcelain=v2", "--branch"), tags, files

    def assertRefuses(self, reason, *words):
        before = self.state()
        done = self.release(*words)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(reason, done.stdout)
        self.assertNotIn("Traceback", done.stdout)
        self.assertTrue(self.state() == before, f"the clone is not as it was:\n{done.stdout}")
