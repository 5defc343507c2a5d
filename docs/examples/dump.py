#!/usr/bin/env python3
# Saves a command's output to a file, or uses a file as a command's input. Every byte is preserved:
#   dump.py out db.dump postgres:export db
#   dump.py in db.dump postgres:import db
# The file may be a pipe, such as /dev/stdin. `out` replaces an existing file only when the output is complete.
import base64
import json
import os
import shutil
import socket
import stat
import sys
import tempfile

if len(sys.argv) < 4 or sys.argv[1] not in ("out", "in"):
    sys.exit("Usage: dump.py out|in FILE COMMAND...")
way, path, *command = sys.argv[1:]

connection = socket.socket(socket.AF_UNIX)
try:
    connection.connect(os.environ.get("DOKKU_SOCK_PATH", "/var/run/dokku-daemon/dokku-daemon.sock"))
except OSError as error:
    print(error, file=sys.stderr)
    sys.exit(255)
replies = connection.makefile("r", encoding="utf-8", newline="\n")


def send(request, file=None, length=0):
    """Sends a request and its input. If the daemon does not take all of it, the answer, if there is one, says why."""
    try:
        connection.sendall(json.dumps(request).encode() + b"\n")
        if length > 0:
            connection.sendfile(file, 0, length)
        connection.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass


def receive():
    """The next line as an object. If there is none, the program exits with 255, as ssh does."""
    try:
        line = replies.readline()
    except ConnectionResetError:
        line = ""
    if not line.endswith("\n"):
        print("The daemon ended without an answer: the command may or may not have run", file=sys.stderr)
        sys.exit(255)
    return json.loads(line)


def save(file):
    """Writes the command's standard output to the file, and returns the last line."""
    send({"command": command, "stream": True, "encoding": "base64"})
    while "ok" not in (event := receive()):
        if event["event"] == "output":
            data = base64.b64decode(event["data"])
            (file if event["stream"] == "stdout" else sys.stderr.buffer).write(data)
    file.flush()
    return event


def save_beside(path):
    """Like `save`, but to a new file, which replaces the one at `path` when it is complete."""
    path = os.path.realpath(path)
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), delete=False) as file:
        try:
            result = save(file)
            if result["ok"]:
                os.rename(file.name, path)
            return result
        finally:
            if os.path.exists(file.name):
                os.unlink(file.name)


def load(path):
    with open(path, "rb") as source, tempfile.TemporaryFile() as spool:
        file = source
        if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            # The request needs the length of the input. The length of a pipe's content is known only at its end.
            shutil.copyfileobj(source, spool)
            spool.seek(0)
            file = spool
        length = os.fstat(file.fileno()).st_size
        # Only this number of bytes, even if the file grows: the daemon would read any others as lines.
        send({"command": command, "stdin_length": length}, file, length)
    return receive()


if way == "in":
    result = load(path)
elif os.path.exists(path) and not os.path.isfile(path):
    with open(path, "wb") as file:
        result = save(file)
else:
    result = save_beside(path)

if result.get("error") or result.get("output"):
    print(*filter(None, [result.get("error"), result.get("output")]), sep=": ", file=sys.stderr)
sys.exit(0 if result["ok"] else result.get("exit_status") or 1)
