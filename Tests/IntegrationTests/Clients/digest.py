# Sends a line, checks its one reply strictly, and prints the length of the output in characters and its SHA-256. If a file
# is given, it also compares the output with that file, as Python decodes it.
import hashlib
import json
import socket
import sys

client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(sys.argv[2].encode() + b"\n")
pieces = []
while not pieces or not pieces[-1].endswith(b"\n"):
    pieces.append(client.recv(1 << 20))
    if not pieces[-1]:
        sys.exit("the daemon hung up")
line = b"".join(pieces)[:-1]
if b"\n" in line or b" " in line[: line.index(b'":"') + 3]:
    sys.exit("not one line without blanks")
reply = json.loads(line.decode("utf-8", "strict"))
if list(reply) != ["ok", "output"] or reply["ok"] is not True:
    sys.exit("not a plain reply: %r" % line[:200])
output = reply["output"]
if len(sys.argv) > 3:
    with open(sys.argv[3], "rb") as file:
        expected = file.read().decode("utf-8", "replace").rstrip("\n")
    if output != expected:
        place = next((i for i, (a, b) in enumerate(zip(output, expected)) if a != b), min(len(output), len(expected)))
        sys.exit("differs at %d: %r, expected %r" % (place, output[place:][:40], expected[place:][:40]))
print(len(output.encode()), hashlib.sha256(output.encode()).hexdigest())
