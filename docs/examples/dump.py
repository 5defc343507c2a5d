#!/usr/bin/env python3
# Saves what a command prints to a file, or gives a command a file as its input, both to the byte:
#   dump.py out db.dump postgres:export db
#   dump.py in db.dump postgres:import db
import base64
import json
import os
import socket
import sys

way, path, *command = sys.argv[1:]

connection = socket.socket(socket.AF_UNIX)
connection.connect(os.environ.get("DOKKU_SOCK_PATH", "/var/run/dokku-daemon/dokku-daemon.sock"))
replies = connection.makefile("r", encoding="utf-8", newline="\n")


def send(request):
    connection.sendall(json.dumps(request).encode() + b"\n")


if way == "out":
    send({"command": command, "stream": True, "encoding": "base64"})
    with open(path, "wb") as file:
        for line in replies:
            event = json.loads(line)
            if event["event"] == "output":
                data = base64.b64decode(event["data"])
                (file if event["stream"] == "stdout" else sys.stderr.buffer).write(data)
            elif event["event"] == "end":
                result = event
                break
else:
    with open(path, "rb") as file:
        send({"command": command, "stdin_length": os.fstat(file.fileno()).st_size})
        connection.sendfile(file)
    result = json.loads(replies.readline())

if result.get("output"):
    print(result["output"], file=sys.stderr)
sys.exit(0 if result["ok"] else result.get("exit_status") or 1)
