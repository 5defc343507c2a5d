#!/usr/bin/env python3
# Saves what a command prints to a file, or gives a command a file as its input, both to the byte:
#   dump.py out db.dump postgres:export db
#   dump.py in db.dump postgres:import db
# The file may be a pipe, such as /dev/stdin. What `out` writes replaces a file once all of it is there.
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
    """Sends a request and its input. Where the daemon does not take all of it, its answer says why, if there is one."""
    try:
        connection.sendall(json.dumps(request).encode() + b"\n")
        if length > 0:
            connection.sendfile(file, 0, length)
        connection.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass


def receive():
    """The next line as an object; the program ends with 255, as ssh does, where none comes any more."""
    try:
        line = replies.readline()
    except ConnectionResetError:
        line = ""
    if not line.endswith("\n"):
        print("The daemon ended without an answer: the command may have run, or not", file=sys.stderr)
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
    """Likewise to a file that takes the place of the one there once all has come; until then that stays as it is."""
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
            # How long it is has to be known first, and of a pipe that is known at its end.
            shutil.copyfileobj(source, spool)
            spool.seek(0)
            file = spool
        length = os.fstat(file.fileno()).st_size
        # No byte more, should it grow meanwhile: what follows would be taken for lines.
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
