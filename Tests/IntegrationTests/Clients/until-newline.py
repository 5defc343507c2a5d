# Sends a line and reads with recv until the newline, as the smallest Python client does.
import json
import socket
import sys

with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    client.sendall(sys.argv[2].encode() + b"\n")
    reply = b""
    while not reply.endswith(b"\n"):
        piece = client.recv(4096)
        if not piece:
            sys.exit("the daemon hung up")
        reply += piece
print(json.dumps(json.loads(reply)["output"]))
