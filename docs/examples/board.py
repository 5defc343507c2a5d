#!/usr/bin/env python3
# Shows which commands run and wait, and how the last ones ended, live:
#   board.py
# A read-only socket is enough. If the connection ends, it connects again: what happened between is not on the board.
import collections
import json
import os
import select
import shutil
import socket
import sys
import time

jobs = {}
ended = collections.deque(maxlen=10)
notes = collections.deque(maxlen=4)


def note(text):
    if not notes or not notes[-1].endswith(f" {text}"):
        notes.append(f"{time.strftime('%H:%M:%S')} {text}")


def state(event):
    """What a row says of a job."""
    if event["state"] == "queued":
        return f"waits for {time.time() - event['queued_at']:.0f} s"
    if event["state"] == "started":
        return f"runs for {time.time() - event['started_at']:.0f} s"
    if event["ok"]:
        return f"ok after {event['run_ms'] / 1000:.1f} s"
    return event.get("error") or event.get("signal") or f"exit status {event.get('exit_status')}"


def draw():
    width = shutil.get_terminal_size().columns
    # A terminal is cleared first. Into a file or a pipe, one board follows another.
    text = "\x1b[H\x1b[2J" if sys.stdout.isatty() else ""
    running = [job for job in jobs.values() if job["state"] == "started"]
    waiting = [job for job in jobs.values() if job["state"] == "queued"]
    text += f"{len(running)} running, {len(waiting)} waiting\n"
    for event in running + waiting + list(ended):
        text += f"{event['job']:>6}  {state(event):<20}  {event['command']}"[:width] + "\n"
    print(text, *notes, sep="\n", end="\n\n", flush=True)


def take(event):
    """Puts an event on the board. An event of a job says all that is known of it. Unknown events are passed over."""
    kind = event.get("event")
    if kind == "job":
        jobs.pop(event["job"], None)
        if event["state"] == "ended":
            ended.appendleft(event)
        else:
            jobs[event["job"]] = event
    elif kind == "live":
        note("Live")
    elif kind == "lost":
        # A new connection begins with all that runs and waits.
        raise ConnectionError(f"{event['count']} events were lost")
    elif kind == "stopping":
        note("The daemon is stopping")
    elif "ok" in event:
        if event["error"] not in ("shutting_down", "queue_full", "too_many_connections"):
            sys.exit(f"{event['error']}: {event['output']}")
        raise ConnectionError(event["output"])


def follow():
    """Keeps the board until the connection ends."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ.get("DOKKU_SOCK_PATH", "/var/run/dokku-daemon/dokku-daemon.sock"))
        connection.sendall(b'{"command":["daemon:events"],"stream":true}\n')
        jobs.clear()
        note("Asked the daemon")
        rest = b""
        while True:
            # The seconds on the board go on without events, too.
            if select.select([connection], [], [], 1)[0]:
                part = connection.recv(1 << 20)
                if not part:
                    raise ConnectionError("The daemon ended the connection")
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    take(json.loads(line))
            draw()


try:
    while True:
        try:
            follow()
        except OSError as error:
            note(error)
        draw()
        time.sleep(1)
except KeyboardInterrupt:
    pass
