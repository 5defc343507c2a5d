# A client in a control group of its own: in-group.py SOCKET FOLDER [leave]. Prints its group, and once a line has come,
# connects and sends each line that comes, without its newline. With `leave` it closes the connection after the first.
import os
import socket
import sys

path, folder, leaves = sys.argv[1], sys.argv[2], len(sys.argv) > 3
with open(f"{folder}/cgroup.procs", "w") as group:
    group.write(str(os.getpid()))
with open("/proc/self/cgroup") as groups:
    print(next(line[3:] for line in groups if line.startswith("0::")), end="", flush=True)
connection = None
for line in sys.stdin:
    if connection is None:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
    connection.sendall(line.encode())
    if leaves:
        connection.close()
        print("left", flush=True)
    else:
        print(connection.makefile().readline(), end="", flush=True)
