# Sends so many random bytes as the input of `test:stdin` and compares them with the output, which comes streamed
# and in base64.
import base64
import hashlib
import json
import os
import socket
import sys
import threading

count = int(sys.argv[2])
block = os.urandom(1 << 20)
sent, received = hashlib.sha256(), hashlib.sha256()
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
request = {"id": 1, "command": ["test:stdin"], "stdin_length": count, "stream": True, "encoding": "base64"}


def send():
    client.sendall(json.dumps(request).encode() + b"\n")
    left = count
    while left:
        piece = bytes([left >> 20 & 255]) + block[1 : min(left, len(block))]
        sent.update(piece)
        client.sendall(piece)
        left -= len(piece)


sender = threading.Thread(target=send)
sender.start()
for line in client.makefile("rb"):
    event = json.loads(line)
    if event.get("event") == "output":
        received.update(base64.b64decode(event["data"], validate=True))
    if event.get("event") == "end":
        break
sender.join()
if not event["ok"]:
    sys.exit("not ok: %r" % event)
print("the same" if sent.digest() == received.digest() else "something else")
