# What a command changes, by docs/side-by-side.md, and so which commands may run side by side.
import re

READS = {"apps", "apps:exists", "apps:list", "builds", "builds:output", "logs", "ps:report"}
# The flags that may stand before the app.
OF_ONE_APP = {"builds:cancel": (), "config:import": ("--format=", "--no-restart", "--replace"),
              "config:set": ("--encoded", "--no-restart"), "domains:add": (), "ps:rebuild": ()}
ALONE = {"events:on", "trace:on"}

NOTHING, HOST, EVERYTHING = "nothing", "the host", "everything"
WIDE = ("--all", "--global", "--parallel")


def scope(words, index, redirection):
    """What the command changes: NOTHING, the name of one app in a tuple, HOST, or EVERYTHING. `index` is its name's."""
    name, arguments = words[index].decode("utf-8", "replace"), [word.decode("latin-1") for word in words[index + 1:]]
    if name in ALONE:
        return EVERYTHING
    if redirection is not None and redirection[0] == b">":
        return HOST
    if name in READS or not arguments and re.fullmatch("[a-z0-9_:.-]*:help", name):
        return NOTHING
    app = app_of(arguments, OF_ONE_APP[name], words[:index]) if name in OF_ONE_APP else None
    return HOST if app is None else (app,)


def app_of(words, flags, before):
    """The app that the words are about. None if they may be about another one, or about more. `before` stands before the
    name."""
    if any(word.startswith(WIDE) or word == "--app" for word in words) or before.count(b"--app") > 1:
        return None
    index, app = 0, None
    if b"--app" in before:
        app = before[before.index(b"--app") + 1].decode("latin-1")
    while app is None and index < len(words):
        name, has_value, _ = words[index].partition("=")
        if not words[index].startswith("-"):
            app = words[index]
        elif name + "=" in flags:
            index += 1 if has_value else 2
        elif words[index] in flags:
            index += 1
        else:
            return None
    return app if app is not None and re.fullmatch("[a-z0-9][a-z0-9._-]*", app) else None


def may_run_beside(one, other):
    if EVERYTHING in (one, other):
        return False
    return NOTHING in (one, other) or HOST not in (one, other) and one != other
