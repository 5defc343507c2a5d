#!/usr/bin/env python3
"""Checks that what the files of this tree refer to exists.

Each relative link of a .md file must lead to a file of the tree, and to one of its headings if the link names one. Each
path that any file names from the root of the tree (docs/design.md, Tests/all) must exist, in comments as well. Each page that
any file names where the packages install it must be in the list of a package.
"""

import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

from tree import ROOT, files, text

LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|^ {0,3}\[[^\]]+\]:\s+(\S+)|\b(?:src|href)=\"([^\"]+)\"", re.M)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$", re.M)
# A path after another folder's name or after a variable is not named from the root. The last group matches what stands for
# the rest of the name, which a program fills in.
NAMED = re.compile(r"(?<![\w/.~$}@-])((?:docs|packaging|Tests|Sources|Benchmarks)/[\w./-]*\w/?)(#[\w-]+)?(?=(\.?[$({*<\\])?)")
INSTALLED = re.compile(r"(?:/usr|\$\{folder%/\*\})/(share/(?:doc/)?dokku-daemon/[\w./-]*\w)")
# It tells of earlier releases, whose files may be gone.
HISTORY = "CHANGELOG.md"


def without_code(page):
    page = re.sub(r"^( {0,3})(```+|~~~+).*?^ {0,3}\2\s*$", "", page, flags=re.M | re.S)
    return re.sub(r"(`+)[^`].*?\1", "", page)


def anchors(page):
    """The names by which forges link to the headings of a page."""
    known = {}
    for heading in HEADING.findall(re.sub(r"^```.*?^```", "", page, flags=re.M | re.S)):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        known[name] = known.get(name, -1) + 1
        yield f"{name}-{known[name]}" if known[name] else name


def broken_anchor(name, anchor):
    """What is wrong with a link to a place in the file, if anything is."""
    if not anchor or not name.endswith(".md"):
        return None
    return None if anchor in set(anchors(text(name))) else f"{name} has no heading #{anchor}"


def broken_link(page, target, present):
    path, _, anchor = urllib.parse.unquote(target).partition("#")
    name = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
    if name in present:
        return broken_anchor(name, anchor)
    is_folder = any(other.startswith(f"{name}/") for other in present)
    return None if is_folder else f"{name} does not exist"


def is_ignored(path, ignored):
    """Whether git ignores the path or one of its folders. What the targets make is not always there."""
    places = [pathlib.PurePath(path), *pathlib.PurePath(path).parents]
    return any(str(place) in ignored or place.name in ignored for place in places)


def exists(path, is_beginning, ignored):
    if is_beginning:
        return any((ROOT / path).parent.glob(f"{os.path.basename(path)}*"))
    return (ROOT / path).exists() or is_ignored(path, ignored)


def installed():
    """The files that the packages install, and their folders, below /usr."""
    listed = subprocess.run([ROOT / "packaging/files"], stdout=subprocess.PIPE, text=True, check=True).stdout
    targets = {line.split()[2] for line in listed.splitlines()}
    return targets | {str(folder) for target in targets for folder in pathlib.PurePath(target).parents}


def faults():
    present = set(files())
    targets = installed()
    ignored = {line.strip().strip("/") for line in text(".gitignore").splitlines()}
    for name in sorted(present):
        content = text(name)
        if content is None:
            continue
        if name.endswith(".md"):
            for target in ("".join(groups) for groups in LINK.findall(without_code(content))):
                if not ELSEWHERE.match(target) and (fault := broken_link(name, target, present)):
                    yield f"{name}: the link to {target}: {fault}"
        if name == HISTORY:
            continue
        for path, anchor, rest in NAMED.findall(content):
            if not exists(path, rest, ignored):
                yield f"{name} names {path}, which does not exist"
            elif anchor and (fault := broken_anchor(path, anchor[1:])):
                yield f"{name} names {path}{anchor}: {fault}"
        for path in INSTALLED.findall(content):
            if path not in targets:
                yield f"{name} names /usr/{path}, which no package installs"


def main():
    found = list(dict.fromkeys(faults()))
    pages = files("*.md")
    links = sum(len(LINK.findall(without_code(text(page)))) for page in pages)
    if not links:
        found.append("no link was found in any page: the check itself is broken")
    print("\n".join(found) or f"{links} links in {len(pages)} pages, none is broken")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
