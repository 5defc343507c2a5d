# Follows the Python of "Writing a client" in docs/protocol.md, which the test puts above these lines. The arguments are the
# socket, the schema, a file with a long line, and what to try.
import asyncio
import json
import socket
import sys

import jsonschema

path, schema, file, what = sys.argv[1:]


async def ask_once(line):
    reader, writer = await connect(path)
    writer.write(line.encode() + b"\n")
    reply = await reader.readline()
    writer.close()
    return json.loads(reply)


if what == "talk":
    assert len(asyncio.run(ask_once(f"test:bytes {file}"))["output"]) == 1_000_000
    answer = ask(path, {"command": ["test:exit", "3"]})
    assert answer["exit_status"] == 3 and not did_not_run(answer) and not may_be_sent_again(answer)
    answer = ask(path, {"command": ["nonsense"]})
    assert did_not_run(answer) and not may_be_sent_again(answer)
    answers = ask_all(path, [["test:exit", "1"], ["test:args", "2"], ["test:args", "3"]])
    assert [answer["ok"] for answer in answers] == [False, True, True]
    known = json.load(open(schema))
    assert is_request('{"command":["apps:list"],"detach":true}', known)
    assert not is_request('{"command":["apps:list"],"timeuot":1}', known)
    assert {"format_json", "detach", "events"} <= features(path)
    job = start(path, "test:args", "kept")
    assert result(path, job)["output"] == "<kept>"
    assert did_not_run(result(path, 999))
elif what == "full":
    answer = ask(path, {"command": ["apps:list"]})
    assert answer["error"] == "queue_full" and may_be_sent_again(answer)
elif what == "interrupted":
    answer = result(path, 1)
    assert answer["error"] == "interrupted" and not did_not_run(answer)
elif what == "refused":
    assert features(path) == set()
elif what == "cut":
    try:
        ask(path, {"command": ["apps:list"]})
    except ConnectionError:
        sys.exit()
    sys.exit("A line without its end was taken for a reply")
