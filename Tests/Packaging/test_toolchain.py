"""`make toolchain`, with a site of its own: what is installed, and that nothing is without the right signature."""

import os
import pathlib
import platform
import subprocess
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWIFT = "#!/bin/sh\necho 'Swift version 6.9.1 (swift-6.9.1-RELEASE)'\n"


class ToolchainTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.base = pathlib.Path(folder.name)
        cls.home = cls.base / "gnupg"
        cls.home.mkdir(mode=0o700)
        cls.addClassCleanup(subprocess.run, ["gpgconf", "--homedir", cls.home, "--kill", "all"], timeout=60)
        for name in ("site", "somebody"):
            cls.gpg("--passphrase", "", "--quick-generate-key", f"{name}@example.com", "ed25519", "sign")
        cls.keys = cls.base / "keys"
        cls.gpg("--armor", "--output", cls.keys, "--export")

    @classmethod
    def gpg(cls, *words):
        command = ["gpg", "--batch", "--quiet", "--homedir", cls.home, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def setUp(self):
        site = tempfile.TemporaryDirectory(dir=self.base)
        self.addCleanup(site.cleanup)
        self.site = pathlib.Path(site.name)
        self.folder = self.site / "opt/swift"
        self.folder.parent.mkdir()
        system = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
        build = "debian12"
        if system["ID"] == "ubuntu":
            build = "ubuntu22.04" if system["VERSION_ID"].strip('"') < "24.04" else "ubuntu24.04"
        build += "-aarch64" if platform.machine() == "aarch64" else ""
        place = self.site / "swift-6.9.1-release" / build.replace(".", "") / "swift-6.9.1-RELEASE"
        self.archive = place / f"swift-6.9.1-RELEASE-{build}.tar.gz"
        program = self.site / "swift"
        program.write_text(SWIFT)
        program.chmod(0o755)
        place.mkdir(parents=True)
        with tarfile.open(self.archive, "w:gz") as archive:
            archive.add(program, f"swift-6.9.1-RELEASE-{build}/usr/bin/swift")
        self.sign("site")

    def sign(self, name):
        signature = f"{self.archive}.sig"
        pathlib.Path(signature).unlink(missing_ok=True)
        self.gpg("--local-user", f"{name}@example.com", "--output", signature, "--detach-sign", self.archive)

    def key(self):
        listed = self.gpg("--with-colons", "--list-keys", "site@example.com").splitlines()
        return next(line.split(":")[9] for line in listed if line.startswith("fpr:"))

    def install(self, **settings):
        return subprocess.run(
            [ROOT / "packaging/toolchain"],
            env={
                **os.environ,
                **settings,
                "SWIFT_VERSION": "6.9.1",
                "SWIFT_SITE": self.site.as_uri(),
                "SWIFT_KEYS": self.keys.as_uri(),
                "SWIFT_KEY": self.key(),
                "SWIFT_FOLDER": str(self.folder),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )

    def assertRefuses(self, reason, **settings):
        done = self.install(**settings)
        self.assertEqual(done.returncode, 69, done.stdout)
        self.assertIn(reason, done.stdout)
        self.assertEqual(list(self.folder.parent.iterdir()), [])

    def test_a_signed_toolchain_is_installed_once(self):
        done = self.install()
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual((self.folder / "usr/bin/swift").read_text(), SWIFT)
        self.assertEqual(list(self.folder.parent.iterdir()), [self.folder])
        self.assertIn("already", self.install().stdout)
        (self.folder / "usr/bin/swift").write_text(SWIFT.replace("6.9.1", "5.1"))
        done = self.install()
        self.assertEqual(done.returncode, 69, done.stdout)
        self.assertIn("with 5.1 Swift", done.stdout)

    def test_a_signature_of_another_key(self):
        self.sign("somebody")
        self.assertRefuses("is not signed by the key")

    def test_other_contents(self):
        with open(self.archive, "ab") as archive:
            archive.write(b"more")
        self.assertRefuses("is not signed by the key")

    def test_no_signature(self):
        pathlib.Path(f"{self.archive}.sig").unlink()
        self.assertRefuses("no signature")

    def offer(self, program):
        with tarfile.open(self.archive, "w:gz") as archive:
            (self.site / "swift").write_text(program)
            archive.add(self.site / "swift", "swift/usr/bin/swift")
        self.sign("site")

    def test_a_toolchain_that_does_not_start(self):
        self.offer("#!/bin/false\n")
        self.assertRefuses("does not start")

    def test_a_toolchain_that_starts_but_cannot_build(self):
        # The program that builds needs more of the system's libraries than the one that prints the version.
        self.offer("#!/bin/sh\n[ $1 = --version ] && echo Swift version 6.9.1\n")
        self.assertRefuses("does not start")

    def test_another_systems_build(self):
        self.assertRefuses(f"nothing at {self.site.as_uri()}/swift-6.9.1-release/ubi9", SWIFT_PLATFORM="ubi9")


if __name__ == "__main__":
    unittest.main()
