"""The files that tell a version: what a release writes into them, and whether they agree. Nothing here knows git."""

import datetime
import email.utils
import pathlib
import re
import textwrap

VERSION = "Sources/DokkuProtocol/Version.swift"
CHANGELOG = "CHANGELOG.md"
DEBIAN = "packaging/debian/changelog"
MAN = "packaging/man"

NUMBER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
ASSIGNMENT = re.compile(r'(?<=^public let version = ")[^"]*(?="$)', re.M)
UNRELEASED = "## [Unreleased]\n"
RELEASED = re.compile(r"^## \[([^\]]+)\] - (\d{4}-\d\d-\d\d)$", re.M)
#: A link that compares the last release with what followed: its beginning, and the release.
COMPARISON = re.compile(r"^\[Unreleased\]: (\S+/compare/)v(\S+?)\.\.\.HEAD$", re.M)
ENTRY = re.compile(r"(\S+) \(([^)]+)\) (.*)\n(?:.*\n)*? -- (.*?)  (.*)\n")
DATE = re.compile(r"^\.Dd .*$", re.M)


class Fault(Exception):
    """Why there can be no release. The text is for people."""


def numbers(version):
    found = NUMBER.fullmatch(version)
    if not found:
        raise Fault(f"“{version}” is no version: it must be three numbers, as in VERSION=1.1.0")
    return tuple(map(int, found.groups()))


def only(pattern, text, what):
    """The one match of a pattern."""
    found = list(pattern.finditer(text))
    if len(found) != 1:
        raise Fault(f"{what} occurs {len(found)} times")
    return found[0]


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def version(self):
        return only(ASSIGNMENT, self.text(VERSION), f"The version in {VERSION}")[0]

    def section(self, heading):
        """What the changelog has below a heading, up to the next or to the links at its end."""
        before, found, after = self.text(CHANGELOG).partition(heading)
        if not found or not (before + heading).endswith(f"\n{heading}"):
            raise Fault(f"{CHANGELOG} has no heading {heading.strip()}")
        return re.split(r"^(?:## |\[[^\]]+\]: )", after, maxsplit=1, flags=re.M)[0].strip()

    def unreleased(self):
        return self.section(UNRELEASED)

    def notes(self, version):
        for released in RELEASED.finditer(self.text(CHANGELOG)):
            if released[1] == version:
                return self.section(f"{released[0]}\n")
        raise Fault(f"{CHANGELOG} has no section for {version}")

    # ----- A release

    def changes(self, version, now):
        """For each file that a release changes, its new text."""
        if numbers(version) <= numbers(self.version()):
            raise Fault(f"{version} is not greater than the present version, {self.version()}")
        if not re.search(r"^- ", self.unreleased(), re.M):
            raise Fault(f"{CHANGELOG} has nothing under Unreleased")
        self.check()
        return {
            VERSION: ASSIGNMENT.sub(version, self.text(VERSION)),
            CHANGELOG: self._changelog(version, now),
            DEBIAN: self._debian(version, now),
            **self._pages(now),
        }

    def _changelog(self, version, now):
        text = self.text(CHANGELOG).replace(UNRELEASED, f"{UNRELEASED}\n## [{version}] - {now:%Y-%m-%d}\n", 1)
        return COMPARISON.sub(
            lambda link: f"[Unreleased]: {link[1]}v{version}...HEAD\n[{version}]: {link[1]}v{link[2]}...v{version}", text
        )

    def _debian(self, version, now):
        text = self.text(DEBIAN)
        last = ENTRY.match(text)
        counts = [
            f"{len(re.findall(r'^- ', part, re.M))} {part.partition(chr(10))[0].strip().lower()}"
            for part in re.split(r"^### ", self.unreleased(), flags=re.M)[1:]
        ]
        what = f"New release: {', '.join(counts) or 'a few changes'}. {CHANGELOG} of the source tells them."
        return (
            f"{last[1]} ({version}) {last[3]}\n\n"
            # Lines of at most 80 characters are Debian's rule.
            f"{textwrap.fill(what, 78, initial_indent='  * ', subsequent_indent='    ')}\n\n"
            f" -- {last[4]}  {email.utils.format_datetime(now)}\n\n{text}"
        )

    def _pages(self, now):
        changed = {}
        for page in sorted((self.root / MAN).glob("*.[1-8]")):
            name = f"{MAN}/{page.name}"
            text = self.text(name)
            only(DATE, text, f".Dd in {name}")
            changed[name] = DATE.sub(f".Dd {now:%B} {now.day}, {now.year}", text)
        if not changed:
            raise Fault(f"{MAN} has no pages")
        return changed

    # ----- Whether the files agree

    def check(self, tag=None):
        """Fails if the files tell different versions or dates, or another version than the tag."""
        version = self.version()
        released = RELEASED.search(self.text(CHANGELOG))
        entry = ENTRY.match(self.text(DEBIAN))
        if not released or not entry:
            raise Fault(f"{CHANGELOG if entry else DEBIAN} tells no release")
        if released[1] != version:
            raise Fault(f"{VERSION} says {version}, but the newest release in {CHANGELOG} is {released[1]}")
        if entry[2] != version:
            raise Fault(f"{VERSION} says {version}, but the first entry of {DEBIAN} is {entry[2]}")
        date = email.utils.parsedate_to_datetime(entry[5]).date()
        if date != datetime.date.fromisoformat(released[2]):
            raise Fault(f"{version} is of {released[2]} in {CHANGELOG}, but of {date} in {DEBIAN}")
        if tag is not None:
            if tag != f"v{version}":
                raise Fault(f"The tag is {tag}, but {VERSION} says {version}")
            if self.unreleased():
                raise Fault(f"{CHANGELOG} has changes under Unreleased, which {tag} would not tell")
