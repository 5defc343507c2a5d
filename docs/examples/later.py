#!/usr/bin/env python3
# Starts a deploy, or any other command, that outlives this program, and tells on another day how it ended:
#   later.py submit ps:rebuild python-app      prints the number of the job, such as 12
#   later.py wait 12                           shows its output, as it comes, and exits with the command's status
# `wait` goes on if the daemon restarts meanwhile; `timeout 3600 later.py wait 12` waits for an hour at most. Both exit with
# 255 if they cannot know what became of the command.
import json
import os
import socket
import sys
import time

# With these, nothing has happened, and the next daemon, or the next minute, has another answer.
AGAIN = ("shutting_down", "too_many_connections", "buffer_full")
# With these, nobody knows any more how the command ended.
UNKNOWN = ("interrupted", "unknown_job", "storage_failed")


def tell(*words, sep=" "):
    print(*words, sep=sep, file=sys.stderr, flush=True)


def converse(request):
    """Sends a request, and yields each line of the answer. If the daemon ends, there is no last line."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ.get("DOKKU_SOCK_PATH", "/var/run/dokku-daemon/dokku-daemon.sock"))
        connection.sendall(json.dumps(request).encode() + b"\n")
        for line in connection.makefile("r", encoding="utf-8", newline="\n"):
            # A line without a newline means that the daemon died in the middle of it.
            if line.endswith("\n"):
                yield json.loads(line)


def comes_again(answer):
    # With a status, the job itself has ended so: it ran when its daemon stopped, and its grace was over.
    return answer.get("error") in AGAIN and "exit_status" not in answer


def submit(command):
    for answer in converse({"command": command, "detach": True}):
        if answer["ok"]:
            print(answer["job"])
            return 0
        tell(f"{answer['error']}: {answer['output']}")
        if not comes_again(answer):
            return 1
        time.sleep(1)
        return submit(command)
    # Not sent again: it might run twice.
    tell("The daemon ended without an answer: the job may or may not be there. daemon:jobs lists all jobs")
    return 255


def wait(number):
    shown = {"stdout": 0, "stderr": 0}
    told = None
    while True:
        # Each answer has the whole output, from its beginning.
        skipped = dict(shown)
        reason = "the connection ended"
        try:
            for line in converse({"command": ["daemon:wait", number], "stream": True}):
                if line.get("event") == "output":
                    stream, data = line["stream"], line["data"]
                    new = data[skipped[stream] :]
                    skipped[stream] -= len(data) - len(new)
                    shown[stream] += len(new)
                    print(new, end="", file=getattr(sys, stream), flush=True)
                elif "ok" in line and not comes_again(line):
                    return judge(line)
                elif "ok" in line:
                    reason = line["output"]
        except OSError as error:
            reason = str(error)
        if reason != told:
            tell(f"Asking again each second: {reason}")
        told = reason
        time.sleep(1)


def judge(answer):
    # Without a job, the output is a text about the error.
    if answer.get("error"):
        tell(*filter(None, [answer["error"], answer.get("output")]), sep=": ")
    if answer.get("error") == "interrupted":
        tell("The daemon ended while the command ran. It is not run again: ask dokku what has become of it")
    if answer.get("error") in UNKNOWN:
        return 255
    return 0 if answer["ok"] else answer.get("exit_status") or 1


try:
    if len(sys.argv) > 2 and sys.argv[1] == "submit":
        sys.exit(submit(sys.argv[2:]))
    if len(sys.argv) == 3 and sys.argv[1] == "wait":
        sys.exit(wait(sys.argv[2]))
    sys.exit("Usage: later.py submit COMMAND... | later.py wait JOB")
except OSError as error:
    tell(error)
    sys.exit(255)
