#!/usr/bin/env python3
# Shows a deploy, or any other command, as it happens, and exits with its status:
#   deploy-log.py ps:rebuild python-app
import json
import os
import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(os.environ.get("DOKKU_SOCK_PATH", "/var/run/dokku-daemon/dokku-daemon.sock"))
connection.sendall(json.dumps({"command": sys.argv[1:], "stream": True}).encode() + b"\n")

for line in connection.makefile("r", encoding="utf-8", newline="\n"):
    event = json.loads(line)
    if event["event"] == "queued":
        print(f"Waiting, number {event['position']} in the queue", file=sys.stderr)
    elif event["event"] == "output":
        stream = sys.stdout if event["stream"] == "stdout" else sys.stderr
        stream.write(event["data"])
        stream.flush()
    elif event["event"] == "end":
        if "error" in event:
            print(event["error"], event.get("output", ""), file=sys.stderr)
        sys.exit(0 if event["ok"] else event.get("exit_status") or 1)
print("The daemon ended without an answer: the command may have run, or not", file=sys.stderr)
sys.exit(255)
