"""`make publish`, with a stand-in for the forge's program."""

import unittest

from clone import CHANGES, CloneTest

# Keeps what it is given. A release can be seen once it is created.
FORGE = """#!/bin/bash
set -eu
case "$1 $2" in
    "release view") [[ -e $FORGE/$3 ]] ;;
    "release create")
        printf '%s\\n' "$@" >"$FORGE/$3"
        while [[ $1 != --notes-file ]]; do shift; done
        cp "$2" "$FORGE/notes"
        shift 2
        mkdir "$FORGE/files"
        cp "$@" "$FORGE/files"
        ;;
    *) exit 2 ;;
esac
"""


class PublishTest(CloneTest):
    def setUp(self):
        super().setUp()
        self.assertEqual(self.release(self.new).returncode, 0)
        self.forge = self.base / "forge"
        self.forge.mkdir()
        self.addCleanup(lambda: self.run_in(["rm", "-r", str(self.forge)]))
        gh = self.forge / "gh"
        gh.write_text(FORGE)
        gh.chmod(0o755)
        self.packages = [
            f"{name}_{self.new}_{architecture}.deb"
            for name in ("dokku-client", "dokku-daemon", "dokku-daemon-dbgsym")
            for architecture in ("amd64", "arm64")
        ]
        for name in self.packages:
            self.write(name, f"The package {name}")
        self.write("dokku-daemon_0.0.1_amd64.deb", "An older one")

    def publish(self, tag):
        path = f"{self.forge}:{self.environment['PATH']}"
        return self.run_in(["packaging/publish", tag], PATH=path, FORGE=str(self.forge))

    def test_packages_checksums_and_notes(self):
        done = self.publish(self.tag)
        self.assertEqual(done.returncode, 0, done.stdout)
        files = self.forge / "files"
        self.assertEqual(sorted(path.name for path in files.iterdir()), sorted([*self.packages, "SHA256SUMS"]))
        self.assertEqual(len((files / "SHA256SUMS").read_text().splitlines()), len(self.packages))
        checked = self.run_in(["sha256sum", "--check", "--strict", str(files / "SHA256SUMS")])
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertEqual((self.forge / "notes").read_text(), CHANGES)
        # The forge must not make a tag of its own.
        self.assertIn("--verify-tag", (self.forge / self.tag).read_text().splitlines())

    def assertPublishesNothing(self, tag, reason):
        before = sorted(self.forge.iterdir())
        done = self.publish(tag)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(reason, done.stdout)
        self.assertEqual(sorted(self.forge.iterdir()), before)

    def test_refusals(self):
        self.assertPublishesNothing("v9.9.9", "The tag is v9.9.9")
        self.assertPublishesNothing("", "The tag is ")
        missing = f"dokku-client_{self.new}_arm64.deb"
        (self.top / missing).rename(self.top / "elsewhere")
        self.assertPublishesNothing(self.tag, f"{missing} is missing")
        (self.top / "elsewhere").rename(self.top / missing)
        self.assertEqual(self.publish(self.tag).returncode, 0)
        self.assertPublishesNothing(self.tag, "is published already")


if __name__ == "__main__":
    unittest.main()
