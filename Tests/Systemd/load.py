"""Clients inside the lab that send commands without pause until standard input ends: `load.py SOCKET CLIENTS >RESULTS`.
It prints one line of JSON per request: its id and its outcome.

Every second client keeps its connection as long as possible. The others make a new one for each command."""

import asyncio
import itertools
import json
import sys

PATIENCE = 120  # seconds, longer than any stop in the tests


def result(client, word, outcome, **more):
    print(json.dumps({"client": client, "id": word, "outcome": outcome, **more}), flush=False)


async def exchange(client, word, streams):
    """Sends one command. True if the reply came and the connection can be used again."""
    reader, writer = streams
    try:
        writer.write(f"apps:create {word}\n".encode())
        await writer.drain()
        line = await asyncio.wait_for(reader.readline(), PATIENCE)
    except (ConnectionResetError, BrokenPipeError) as error:
        # The line may have been sent only in part. The witness's trace shows whether the command ran.
        result(client, word, "ended", error=type(error).__name__)
        return False
    except asyncio.TimeoutError:
        result(client, word, "stuck")
        return False
    if not line:
        result(client, word, "ended")
    elif not line.endswith(b"\n"):
        result(client, word, "cut", reply=line.decode())
    else:
        result(client, word, "answered", reply=json.loads(line))
        return True
    return False


async def work(client, path, stop):
    streams = None
    for number in itertools.count():
        if stop.is_set():
            break
        word = f"c{client}-{number}"
        if streams is None:
            try:
                streams = await asyncio.open_unix_connection(path)
            except OSError as error:
                result(client, word, "refused", error=repr(error))
                break
        if not await exchange(client, word, streams) or client % 2:
            streams[1].close()
            streams = None
    if streams is not None:
        streams[1].close()


async def main(path, clients):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, lambda: sys.stdin.buffer.read1() or stop.set())
    print("ready", flush=True)
    await asyncio.gather(*(work(client, path, stop) for client in range(clients)))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
