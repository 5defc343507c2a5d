# Sends the same line for ever, and reads the replies (`reads`) or none of them (`deaf`). Reports when it has begun.
import socket
import sys
import threading

client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])


def read():
    while client.recv(65536):
        pass


if sys.argv[2] == "reads":
    threading.Thread(target=read, daemon=True).start()
lines = b"daemon:version\n" * 1000
client.sendall(lines)
print("ready", flush=True)
try:
    while True:
        client.sendall(lines)
except OSError:
    pass
