"""`make release`: what it writes, and that the clone is as before if it cannot."""

import re
import subprocess
import unittest

from clone import CHANGELOG, CHANGES, DEBIAN, UNRELEASED, VERSION, CloneTest


class ReleaseTest(CloneTest):
    def test_all_files_tell_the_version_and_the_day(self):
        changelog, debian = self.read(CHANGELOG), self.read(DEBIAN)
        said = self.succeed(self.new)
        self.assertIn("Nothing was pushed", said)
        self.assertEqual(self.read(VERSION).split('"')[1], self.new)
        self.assertEqual(
            self.read(CHANGELOG), changelog.replace(UNRELEASED, f"{UNRELEASED}\n## [{self.new}] - 2030-02-03\n")
        )
        entry = self.read(DEBIAN).removesuffix(debian)
        self.assertRegex(entry, rf"\Adokku-daemon \({re.escape(self.new)}\) unstable; urgency=medium\n\n  \* ")
        self.assertIn("  * New release: 2 added, 1 fixed. CHANGELOG.md of the source tells them.\n", entry)
        self.assertLessEqual(max(len(line) for line in entry.splitlines() if line.startswith("  ")), 80)
        self.assertTrue(entry.endswith(">  Sun, 03 Feb 2030 00:04:05 +0000\n\n"), entry)
        pages = sorted((self.top / "packaging/man").iterdir())
        self.assertGreater(len(pages), 3)
        for page in pages:
            self.assertEqual(page.read_text().splitlines()[0], ".Dd February 3, 2030", page.name)

    def test_dpkg_reads_the_entry(self):
        self.succeed(self.new)
        for field, expected in {"Version": self.new, "Distribution": "unstable", "Timestamp": "1896307445"}.items():
            done = self.run_in(["dpkg-parsechangelog", "--file", DEBIAN, "--show-field", field])
            self.assertEqual(done.stdout.strip(), expected)

    def test_one_commit_and_an_annotated_tag(self):
        before = self.git("rev-parse", "main")
        self.succeed(self.new)
        tagged, parent, tip = self.git("rev-parse", f"{self.tag}^{{commit}}", f"{self.tag}^", "main").split()
        self.assertEqual((tagged, parent), (tip, before))
        self.assertEqual(self.git("cat-file", "-t", self.tag), "tag")
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.succeed("--check", self.tag)

    def test_it_can_be_taken_back_as_it_says(self):
        before = self.state()
        said = self.succeed(self.new)
        command = re.search(r"git tag -d \S+ && git reset --hard \S+", said)[0]
        self.assertEqual(self.run_in(["sh", "-c", command]).returncode, 0)
        self.assertEqual(self.state(), before)

    def test_a_second_call_changes_nothing(self):
        self.succeed(self.new)
        before = self.state()
        self.assertIn(f"{self.new} is released already", self.succeed(self.new))
        self.assertEqual(self.state(), before)

    def test_links_follow(self):
        place = "https://forge.example/project/compare/"
        self.write(CHANGELOG, self.read(CHANGELOG) + f"\n[Unreleased]: {place}v{self.old}...HEAD\n")
        self.commit()
        self.succeed(self.new)
        self.assertTrue(
            self.read(CHANGELOG).endswith(
                f"\n[Unreleased]: {place}v{self.new}...HEAD\n[{self.new}]: {place}v{self.old}...v{self.new}\n"
            )
        )

    def test_a_tag_is_signed_if_git_is_told_to(self):
        key = self.base / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, timeout=60)
        for name, value in {"gpg.format": "ssh", "user.signingKey": str(key), "tag.gpgSign": "true"}.items():
            self.git("config", name, value)
        self.succeed(self.new)
        self.assertIn("BEGIN SSH SIGNATURE", self.git("cat-file", "tag", self.tag))

    def test_notes_are_the_section_of_the_version(self):
        self.succeed(self.new)
        self.assertEqual(self.succeed("--notes", self.new), CHANGES)


class RefusalTest(CloneTest):
    def test_versions(self):
        for version in ("", "1.2", "v1.2.3", "1.2.03", "1.2.3-beta"):
            self.assertRefuses("is no version", version)
        for version in (self.old, "0.99.0"):
            self.assertRefuses("is not greater than the present version", version)

    def test_another_branch(self):
        self.git("checkout", "--quiet", "-b", "side")
        self.assertRefuses("this is side", self.new)
        self.git("checkout", "--quiet", "--detach")
        self.assertRefuses("this is no branch", self.new)

    def test_changes_that_are_not_committed(self):
        self.write("new", "")
        self.assertRefuses("?? new", self.new)
        self.git("add", "new")
        self.assertRefuses("A  new", self.new)

    def test_nothing_to_release(self):
        self.write_unreleased("### Added\n")
        self.commit()
        self.assertRefuses("has nothing under Unreleased", self.new)

    def test_files_that_do_not_agree(self):
        self.write(DEBIAN, self.read(DEBIAN).replace(f"({self.old})", "(0.5.0)", 1))
        self.commit()
        self.assertRefuses(f"says {self.old}, but the first entry of {DEBIAN} is 0.5.0", self.new)

    def test_a_page_without_a_date(self):
        page = "packaging/man/dokku-daemon.8"
        self.write(page, self.read(page).replace(".Dd ", ".dd "))
        self.commit()
        self.assertRefuses(f".Dd in {page} occurs 0 times", self.new)


class UndoTest(CloneTest):
    """Failures after the files are written."""

    def hook(self, name, script):
        hook = self.top / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)

    def test_no_commit(self):
        self.hook("pre-commit", "echo no such luck; exit 1")
        self.assertRefuses("no such luck", self.new)

    def test_no_tag(self):
        self.git("config", "tag.gpgSign", "true")
        self.git("config", "gpg.program", "false")
        self.assertRefuses("git tag failed", self.new)

    def test_a_signal(self):
        # The hook's parent is git, whose parent is the program.
        self.hook("pre-commit", "kill -TERM $(sed -n s/^PPid:.//p /proc/$PPID/status)")
        self.assertRefuses("ended by signal 15", self.new)



class CheckTest(CloneTest):
    def test_each_file_counts(self):
        self.succeed(self.new)
        self.succeed("--check")
        for name, old, new in (
            (VERSION, f'"{self.new}"', '"9.9.9"'),
            (CHANGELOG, f"## [{self.new}]", "## [9.9.9]"),
            (DEBIAN, f"({self.new})", "(9.9.9)"),
            (DEBIAN, "Sun, 03 Feb 2030", "Mon, 04 Feb 2030"),
        ):
            text = self.read(name)
            self.assertIn(old, text)
            self.write(name, text.replace(old, new, 1))
            self.assertRefuses("9.9.9" if "9.9.9" in new else "of 2030-02-04", "--check")
            self.write(name, text)
        self.succeed("--check", self.tag)

    def test_another_tag(self):
        self.succeed(self.new)
        for tag in ("v9.9.9", self.new, ""):
            self.assertRefuses(f"but {VERSION} says {self.new}", "--check", tag)

    def test_changes_that_the_tag_would_not_tell(self):
        self.succeed(self.new)
        self.write_unreleased("- A late change.\n")
        self.succeed("--check")
        self.assertRefuses("has changes under Unreleased", "--check", self.tag)


if __name__ == "__main__":
    unittest.main()
