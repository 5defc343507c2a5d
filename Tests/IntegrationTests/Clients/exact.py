# Sends random bytes as a command's input and gets its output in base64, in one reply (`line`) or in events (`stream`):
# exact.py SOCKET COUNT line|stream. Prints how many bytes came back, and whether they are unchanged.
import base64
import hashlib
import json
import os
import socket
import sys

path, count, form = sys.argv[1], int(sys.argv[2]), sys.argv[3]
connection = socket.socket(socket.AF_UNIX)
connection.connect(path)
replies = connection.makefile("rb", 1 << 20)

request = {"id": 1, "command": ["test:stdin"], "stdin_length": count, "encoding": "base64", "stream": form == "stream"}
connection.sendall(json.dumps(request).encode() + b"\n")
given = hashlib.sha256()
left = count
while left > 0:
    piece = os.urandom(min(left, 1 << 20))
    given.update(piece)
    connection.sendall(piece)
    left -= len(piece)

taken = hashlib.sha256()
total = 0


def take(data):
    global total
    data = base64.b64decode(data, validate=True)
    total += len(data)
    taken.update(data)


if form == "line":
    line = replies.readline()
    start = line.index(b'"output":"') + len(b'"output":"')
    end = line.index(b'"', start)
    take(memoryview(line)[start:end])
    result = json.loads(line[:start] + line[end:])
else:
    for line in replies:
        result = json.loads(line)
        if result["event"] == "output":
            take(result["data"])
        elif result["event"] == "end":
            break

print(total, taken.digest() == given.digest(), result["ok"], result["exit_status"])
