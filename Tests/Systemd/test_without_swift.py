"""A build on a system without a usable Swift: it says what is wrong, before it installs anything."""

import subprocess
import unittest

from support import TOP, LabTest


class WithoutSwift(LabTest):
    options = [f"--bind-ro={TOP}:/src"]

    @classmethod
    def prepare(cls):
        pass

    def said(self, script=None):
        """What the search for Swift says if a program of that name is in PATH."""
        if script is not None:
            self.lab.write("/opt/found/swift", f"#!/bin/sh\n{script}\n", 0o755)
        self.addCleanup(self.lab.run, "rm -rf /opt/found")
        done = self.lab.run("PATH=/opt/found:$PATH /src/packaging/with-swift touch /root/ran")
        self.assertEqual(done.returncode, 69)
        self.assertFalse(self.lab.path("/root/ran").exists())
        lines = done.stdout.splitlines()
        self.assertRegex(lines[-1], r"^This needs Swift [0-9.]+ or later: `make toolchain` installs one; or see https://")
        return lines[:-1]

    def test_it_is_missing(self):
        self.assertEqual(self.said(), ["Swift is missing: it is neither in PATH nor in the usual folders"])

    def test_it_is_too_old(self):
        for version in ["5.10.1", "6.1"]:
            said = self.said(f"echo 'Swift version {version} (swift-{version}-RELEASE)'")
            self.assertEqual(said, [f"/opt/found/swift is Swift {version}, which is too old"])

    def test_it_cannot_start(self):
        missing = "swift: error while loading shared libraries: libncurses.so.6: cannot open shared object file"
        said = self.said(f"echo '{missing}' >&2; exit 127")
        self.assertEqual(said, [f"/opt/found/swift cannot start: {missing}"])

    def test_another_program_has_that_name(self):
        self.assertRegex(self.said("echo python-swiftclient 4.1.0")[0], "^Swift is missing")

    def test_it_can_be_used(self):
        for version in ["6.2", "6.10", "7.0"]:
            self.lab.write("/opt/found/swift", f"#!/bin/sh\necho 'Swift version {version}'\n", 0o755)
            said = self.lab.sh("PATH=/opt/found:$PATH /src/packaging/with-swift sh -c 'command -v swift'")
            self.assertEqual(said, "/opt/found/swift")

    def test_make_looks_for_it_first(self):
        for target in ["build", "deb"]:
            recipe = subprocess.run(
                ["make", "--dry-run", target], cwd=TOP, capture_output=True, text=True, check=True
            ).stdout
            self.assertLess(recipe.index("packaging/with-swift"), recipe.index("packaging/deps"), target)


if __name__ == "__main__":
    unittest.main()
