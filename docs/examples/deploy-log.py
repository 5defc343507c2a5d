#!/usr/bin/env python3
# Shows the output of a deploy, or of any other command, as it happens, and exits with the command's status:
#   deploy-log.py ps:rebuild python-app
# Like ssh, it exits with 255 if the daemon cannot be reached or ends before the command.
import json
import os
import socket
import sys


def show(event):
    """Shows what a line says. The last line ends the program."""
    if "ok" in event:
        if event.get("error") or event.get("output"):
            print(*filter(None, [event.get("error"), event.get("output")]), sep=": ", file=sys.stderr)
        sys.exit(0 if event["ok"] else event.get("exit_status") or 1)
    if event["event"] == "queued":
        print(f"Waiting, number {event['position']} in the queue", file=sys.stderr)
    elif event["event"] == "output":
        stream = sys.stdout if event["stream"] == "stdout" else sys.stderr
        stream.write(event["data"])
        stream.flush()


try:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(os.environ.get("DOKKU_SOCK_PATH", "/var/run/dokku-daemon/dokku-daemon.sock"))
    connection.sendall(json.dumps({"command": sys.argv[1:], "stream": True}).encode() + b"\n")
    for line in connection.makefile("r", encoding="utf-8", newline="\n"):
        # A line without a newline means that the daemon died in the middle of it.
        if line.endswith("\n"):
            show(json.loads(line))
except OSError as error:
    print(error, file=sys.stderr)
print("The daemon ended without an answer: the command may or may not have run", file=sys.stderr)
sys.exit(255)
