# The expected results: judges each line that a client receives, each child that is started, and what is left at the end.
import base64
import re
import signal

import output
import schedule
import sharing
from daemon import START
from reading import TOKEN, parse
from violation import Violation

# The milliseconds by which a measured time may differ.
CLOSE = 2
# The lanes beside the queue. Each has a limit of its own.
BESIDE = ("follow", "beside", "output")


class Run:
    """A command that was started."""

    def __init__(self, child, request, now, turn, round):
        self.child, self.request = child, request
        # By this name a step finds it.
        self.name = None
        # Those who share it: for certain, and perhaps. `request` is the first of them.
        self.askers, self.perhaps = [request], []
        # False if another one may have been the first, and was cancelled at once.
        self.is_first_known = True
        self.started_at, self.turn, self.round = now, turn, round
        self.ended_at = None
        self.ended_turn = self.ended_round = 0
        self.status = None
        # True if the daemon has ended it.
        self.was_ended = False
        # What it wrote, one piece per write.
        self.pieces = []
        # The turn of each piece. Within a turn the order of the two streams is not certain.
        self.turns = []
        # The daemon waits for no more of its output.
        self.is_over = False
        # Whether the last piece was large. None if the daemon has run since.
        self.unsettled = None

    @property
    def has_both_at_once(self):
        found = {}
        for (stream, _), turn in zip(self.pieces, self.turns):
            if found.setdefault(turn, stream) != stream:
                return True
        return False

    def counts(self, now, grace):
        """True as long as output belongs to the reply."""
        return not self.is_over and (self.ended_at is None or now - self.ended_at < grace)


class Model:
    def __init__(self, settings):
        self.settings = settings
        self.clients = {}
        self.runs = {}
        self.jobs = {}
        self.order = []
        self.now = START
        self.turn = 0
        # Counts how often the daemon came to rest.
        self.round = 0
        # Since when the next command could have the lock. None if it could not.
        self.free_since = None
        # Since when another program waits for the lock. None if none does.
        self.wanted_since = None
        # Processes live that a killed daemon has started.
        self.has_orphans = False
        self.stop_at = None
        self.stop_turn = None
        # The last turn in which the queue was full.
        self.full_turn = -1
        # The last turn in which the share of read-only sockets was full.
        self.restricted_full_turn = -1
        # It got a second SIGTERM.
        self.is_hurried = False
        self.was_killed = False
        self.is_locked = False
        self.help_failed = False
        # The numbers of the jobs that clients asked to cancel, and the number of the daemon.
        self.cancelled = set()
        self.epoch = 0
        self.starts = []

    def setting(self, name, default):
        return int(float(self.settings.get(f"DOKKU_DAEMON_{name}", default)))

    # MARK: Requests

    def arrive(self, client, requests):
        for request in requests:
            request.arrived = self.turn
            request.client = client
            request.arrived_at = self.now
            client.requests.append(request)
            client.opened.append(request)

    def requests(self):
        return [each for client in self.clients.values() for each in client.requests]

    def find(self, token, which=0):
        """The request with a token; None if there is none. Of several, one that has no answer."""
        found = [each for each in self.requests() if token and each.token == token and each.lane != "builtin"]
        opened = [each for each in found if each.answer is None and each.results == 0]
        return opened[which % len(opened)] if opened else found[0] if found else None

    # MARK: Children

    def started(self, child, recorded):
        """A child has connected. Returns its run, or None if it is asked for the list of commands. `recorded` are the jobs
        that run by the daemon's own record."""
        if child.words == [b"help", b"--all"]:
            return None
        token = next((match[0] for match in map(TOKEN.search, child.words) if match), None)
        asked = [each for each in self.requests() if each.words == child.words and each.run is None]
        fitting = [each for each in asked if each.lane not in (None, "builtin")]
        request = sharing.find_lead(self, child, fitting, recorded) or self.find(token)
        shown = b" ".join(child.words)[:80]
        if request is None:
            raise Violation(f"a command ran that no client asked for\n{shown!r}")
        if request.lane is None or request.lane == "builtin":
            raise Violation(f"a command ran that must be refused\n{shown!r}")
        if not request.is_whole:
            raise Violation(f"an incomplete request ran\n{shown!r}")
        if child.words != request.words:
            raise Violation(f"a command ran with other words than the request has\n{shown!r} for {request}")
        if request.run is not None:
            raise Violation(f"a command ran twice\n{shown!r}")
        beside = [run for run in self.runs.values() if run.request.lane == request.lane and not run.child.is_dead
                  and run.child.epoch == child.epoch]
        if request.lane in BESIDE and len(beside) >= self.setting("MAX_FOLLOW", 16):
            raise Violation(f"too many commands ran beside the queue\n{len(beside)} and {shown!r}")
        # A part of a line may be a command without the token by which steps find it.
        request.token = request.token or b"half%d" % len(self.runs)
        limit = self.setting("MAX_SPOOL", 1 << 40)
        if request.redirection is None and 2 * request.input_size > limit:
            raise Violation(f"one connection had more than half of the room for inputs\n{request}")
        run = Run(child, request, self.now, self.turn, self.round)
        request.run = run
        # Bytes that were meant as input may have been lines of their own.
        key = request.token if request.token not in self.runs else b"again%d" % len(self.runs)
        self.runs[key], run.name = run, key.decode()
        self.starts.append(run)
        run.is_first_known = sharing.question(self, request) is None or request.job in recorded
        sharing.gather(self, run)
        if request.lane == "queue":
            schedule.judge_start(self, run)
        return run

    def judge_shares(self):
        """Read-only sockets must leave a share to the others."""
        limit = self.setting("MAX_CONNECTIONS", 1000)
        if limit < 1000:
            served = sum(client.is_served and not client.is_closed and not client.has_end and not client.is_half
                         for client in self.clients.values() if "read-only" in client.rules)
            if served > limit - limit // 4:
                raise Violation(f"read-only sockets have more connections than their share\n{served} of {limit}")
        limit = self.setting("MAX_QUEUE", 1000)
        if limit < 1000:
            waiting = sum(1 for client in self.clients.values() if "read-only" in client.rules for each in client.requests
                          if each.lane == "queue" and each.job and each.run is None and not each.results)
            if waiting > limit - limit // 4:
                raise Violation(f"read-only sockets have more waiting commands than their share\n{waiting} of {limit}")

    def judge_quarter(self, client):
        """A connection to an unrestricted socket was refused: others of its kind must have used up their share."""
        if "read-only" in client.rules:
            return
        others = sum(each is not client and "read-only" not in each.rules for each in self.clients.values())
        if others < self.setting("MAX_CONNECTIONS", 1000) // 4:
            raise Violation("a connection was refused though read-only sockets must leave it room")

    def judge_counts(self, status, epoch):
        """Judges the counts in `daemon:status`, when all commands have ended."""
        own = [(run, each) for run in self.runs.values() if run.child.epoch == epoch for each in run.askers]
        # A command that was accepted and did not run may count as failed, too.
        others = sum(1 for each in self.jobs.values() if each is None or each.run is None)
        left = [(run, each) for run, each in own if run.request.lane == "follow" and run.status != 0
                and (each.client.is_closed or self.may_be_cancelled(each))]
        # Who was cancelled while others went on has failed, whatever became of the run.
        others += sum(run.status == 0 and len(run.askers) > 1 and (each.client.is_gone or self.may_be_cancelled(each))
                      for run, each in own)
        failed = sum(run.status != 0 for run, _ in own)
        said = {name: int(re.search(f"{name}: (\\d+)", status)[1])
                for name in ("commands run", "commands failed", "running", "waiting", "readers", "workers")}
        if not len(own) <= said["commands run"] <= len(own) + others:
            raise Violation(f"a wrong count of commands\n{len(own)} ran, but {said}")
        if not failed - len(left) <= said["commands failed"] <= failed + others - sum(
                run.was_ended and not run.request.timeout for run, _ in left):
            raise Violation(f"a wrong count of failed commands\n{failed}, {len(left)} for want of a client, but {said}")
        if any(said[name] for name in ("running", "waiting", "readers", "workers")):
            raise Violation(f"something runs or waits when all commands have ended\n{said}")

    def ended(self, run, status):
        run.status, run.ended_at = status, self.now
        run.ended_turn, run.ended_round = self.turn, self.round

    # MARK: Replies

    def receive(self, client, line):
        try:
            reply = parse(line)
        except ValueError as error:
            raise Violation(f"a reply is no JSON in UTF-8\n{error}: {line[:200]!r}") from None
        if not isinstance(reply, dict) or b"\n" in line:
            raise Violation(f"a reply is no object\n{line[:200]!r}")
        if reply.get("error") == "too_many_connections" or "Too many connections" in reply.get("output", ""):
            client.is_rejected = True
            if self.setting("MAX_CONNECTIONS", 1000) >= 1000:
                raise Violation("a connection was refused though there is room")
            self.judge_quarter(client)
            first = client.requests[0] if client.requests and client.requests[0].arrived < self.turn else None
            is_late = first is not None and first.arrived_at - client.connected_at >= 10**9
            if first is not None and not is_late and self.stop_at is None and first.is_json != ("error" in reply):
                raise Violation(f"a connection was refused in the wrong form\n{reply} to {first}")
            return
        client.is_served = True
        failure = None
        # Without an id it may answer any of several requests. It must fit one of them.
        for request in self.match(client, reply):
            try:
                return self.judge(client, request, reply)
            except Violation as violation:
                failure = failure or violation
        raise failure or Violation(f"an answer to nothing, or a second one\n{line[:200]!r}")

    def judge(self, client, request, reply):
        if reply.get("event") in ("continue", "queued", "started", "output"):
            return self.judge_event(request, reply)
        self.judge_answer(request, reply)
        if client.stream.body_of is request and request.is_chunked and not request.events:
            # Refused before the daemon asked for its input.
            client.stream.body_of = None
        request.answer, request.answered, request.answered_round = reply, self.turn, self.round
        client.opened.remove(request)

    def match(self, client, reply):
        """The requests that it may answer, the likeliest first."""
        if set(reply) == {"ok", "output"}:
            return [each for each in client.opened[:200] if not each.is_json][:1]
        if "id" in reply and client.opened and client.opened[0].id == reply["id"] and "event" not in reply:
            return client.opened[:1]
        opened = [each for each in client.opened if each.is_json]
        if "event" in reply:
            opened = [each for each in opened if each.is_streamed or not each.is_id_certain
                      or reply["event"] == "continue" and each.is_chunked]
        if "id" in reply:
            same = [each for each in opened if each.is_id_certain and each.id == reply["id"]
                    and type(each.id) is type(reply["id"])]
            return (same or [each for each in opened if not each.is_id_certain])[:1]
        anonymous = [each for each in opened if each.id is None or not each.is_id_certain
                     or "line_too_long" in each.refusals or reply.get("error") == "buffer_full"]
        # An error most likely belongs to a request that must be refused with it, else to a command. A success most likely
        # belongs to a built-in.
        def likelihood(each):
            if each.lane is None:
                return 0 if reply.get("error") in each.refusals else 3
            return 2 if (each.lane == "builtin") == ("error" in reply) else 1

        return sorted(anonymous, key=likelihood)

    def judge_event(self, request, event):
        kind = event["event"]
        kinds = [each["event"] for each in request.events]
        was_cut = kind == "continue" and not request.is_whole
        if request.lane is None and not was_cut or request.answer is not None:
            raise Violation(f"an event of a request that was refused or has ended\n{event}")
        if kind == "continue":
            fits = not kinds and request.is_chunked
            # The time limit for the first chunk begins.
            request.client.sent_at = self.now
        elif kind == "queued":
            fits = kinds == ["continue"] * request.is_chunked and request.lane == "queue"
            schedule.judge_queued(self, request, event)
        elif kind == "started":
            fits = kinds == ["continue"] * request.is_chunked + (["queued"] if request.lane == "queue" else [])
            if request.lane == "builtin":
                fits = False
            sharing.did_start(request)
        else:
            fits = event["stream"] in ("stdout", "stderr") and event["data"] != ""
            fits = fits and (request.lane == "builtin" or "started" in kinds)
        if "job" in event:
            fits = fits and (request.job is None or request.job == event["job"])
            request.job = event["job"]
        if not fits:
            raise Violation(f"an event out of order\n{event} after {kinds}")
        request.events.append(event)

    def judge_answer(self, request, reply):
        was_lost = reply.get("error") in ("line_too_long", "buffer_full") and "id" not in reply
        if reply.get("error") == "buffer_full":
            # Whatever follows may be its input, so the daemon takes nothing more.
            request.client.is_rejected = True
        if request.is_json and request.is_streamed != ("event" in reply) and request.is_id_certain and not was_lost:
            raise Violation(f"an answer in the wrong form\n{reply} to {request}")
        error = reply.get("error")
        if error is not None and reply["ok"]:
            raise Violation(f"ok, and an error\n{reply}")
        if not request.is_json and set(reply) != {"ok", "output"}:
            raise Violation(f"a plain reply has other keys\n{reply}")
        if request.lane is None:
            self.judge_refusal(request, reply)
        elif request.lane == "builtin":
            self.judge_builtin(request, reply)
        elif request.run is None:
            self.judge_excuse(request, reply)
        else:
            self.judge_result(request, reply)

    def judge_refusal(self, request, reply):
        if reply["ok"]:
            raise Violation(f"a request that must be refused is ok\n{reply} to {request}")
        allowed = set(request.refusals)
        if self.stop_at is not None:
            allowed.add("shutting_down")
        if self.help_failed:
            allowed.add("spawn_failed")
        if self.setting("MAX_BUFFER", 1 << 40) < 1 << 40:
            allowed |= {"buffer_full", "queue_full"}
        if not request.is_whole and self.may_refuse(request, reply.get("error")):
            return
        if request.is_json and reply.get("error") not in allowed:
            raise Violation(f"refused with the wrong error word\n{reply} to {request}, not {sorted(allowed)}")
        is_crowded = self.setting("MAX_BUFFER", 1 << 40) < 1 << 40 or self.stop_at is not None
        if "line_too_long" in request.refusals and "longer than" not in reply["output"] and not is_crowded:
            raise Violation(f"a text that says something else\n{reply}")
        if b"daemon:cancel" in request.words and "takes the number" not in reply["output"] and not request.is_json \
                and request.refusals == {"invalid_request"} and request.redirection is None and self.stop_at is None:
            raise Violation(f"a text that says something else\n{reply}")
        if not reply["output"]:
            raise Violation(f"refused without a text\n{reply}")

    def judge_builtin(self, request, reply):
        if request.name == "daemon:queue" and not request.is_base64 and not request.is_streamed and reply["ok"]:
            # If another program holds the lock, the list must say so.
            text = reply["output"]
            is_waiting = " waiting " in text or '"state":"waiting"' in text
            if self.is_locked and is_waiting and "waits for" not in text and '"waits_for' not in text and '"runs_with' not in text:
                raise Violation(f"daemon:queue does not say that a command waits for the lock\n{reply}")
        if request.name in ("daemon:queue", "daemon:status") and not request.is_base64 and not request.is_streamed and reply["ok"]:
            self.judge_listing(reply["output"])
        if request.name == "daemon:cancel":
            number = int(request.words[request.words.index(b"daemon:cancel") + 1])
            target = self.jobs.get(number)
            if reply["ok"]:
                if target is None:
                    raise Violation(f"a job that does not exist was cancelled\n{reply}")
                target.was_cancelled = True
            return
        if not reply["ok"]:
            excuses = {"commands": self.help_failed, "refresh": self.help_failed}
            if not (excuses.get(request.name) or self.stop_at is not None or self.sheds_load(request)):
                raise Violation(f"a built-in is not answered\n{reply} to {request}")

    def judge_listing(self, text):
        """Judges what `daemon:queue` and `daemon:status` say of jobs, readers and workers."""
        for number in re.findall(r" \[(?:waits for|runs with) job (\d+)\]$", text, re.M):
            if int(number) not in self.jobs:
                raise Violation(f"daemon:queue names a job that does not exist\n{text[:300]}")
        for name, default in (("READERS", 0), ("WORKERS", 1)):
            found = re.search(rf"^{name.lower()}: (\d+) of (\d+)$", text, re.M)
            if found and not int(found[1]) <= int(found[2]) == self.setting(name, default):
                raise Violation(f"daemon:status counts too many or of the wrong number\n{text[:300]}")

    def sheds_load(self, request):
        return self.setting("MAX_BUFFER", 1 << 40) < 1 << 40 or self.setting("MAX_SPOOL", 1 << 40) < 1 << 40

    def judge_excuse(self, request, reply):
        """Judges the answer to a command that did not run: there must be a reason."""
        if reply["ok"]:
            raise Violation(f"ok, though it never ran\n{reply} to {request}")
        if not request.is_json:
            allowed = [self.may_refuse(request, code) for code in self.excuses]
            if not any(allowed):
                raise Violation(f"refused without a reason\n{reply} to {request}")
        elif not self.may_refuse(request, reply.get("error")):
            raise Violation(f"refused without a reason\n{reply} to {request}")

    excuses = ["shutting_down", "cancelled", "queue_full", "spawn_failed", "input_too_long", "invalid_command",
               "invalid_request", "buffer_full"]

    def may_refuse(self, request, code):
        if code == "shutting_down":
            return self.stop_at is not None
        if code == "cancelled":
            return self.may_be_cancelled(request) or request.client.is_gone
        if code == "queue_full":
            if self.sheds_load(request):
                # Waiting requests have a budget as well.
                return True
            if request.lane == "queue":
                is_restricted = "read-only" in request.client.rules
                return max(self.full_turn, self.restricted_full_turn if is_restricted else -1) >= request.arrived
            return self.alive_beside(request) >= self.setting("MAX_FOLLOW", 16)
        if code == "spawn_failed":
            return self.help_failed
        if code == "input_too_long":
            return request.has_input and self.may_lack_room(request)
        if code == "invalid_command":
            # The plugin was not installed yet, or is not installed any more.
            is_late = self.stop_turn is not None and request.arrived >= self.stop_turn
            return request.name.startswith("plugin") and (request.name not in request.known_all_along or is_late)
        if code == "invalid_request":
            has_waited = request.body is not None and self.now - request.arrived_at >= 60 * 10**9
            return request.redirection is not None or not request.is_whole or has_waited
        if code == "buffer_full":
            return self.setting("MAX_BUFFER", 1 << 40) < 1 << 40
        return False

    def note_waiting(self):
        """Notes when the queue was full, because a refusal may be read late."""
        if self.setting("MAX_QUEUE", 1000) >= 1000:
            return
        limit = self.setting("MAX_QUEUE", 1000)
        waiting = [each for each in self.requests() if each.lane == "queue" and each.is_whole
                   and (each.answer is None or each.run is not None and each.run.turn >= self.turn - 1)]
        if len(waiting) > limit:
            self.full_turn = self.turn
        if sum("read-only" in each.client.rules for each in waiting) > limit - limit // 4:
            self.restricted_full_turn = self.turn

    def may_lack_room(self, request):
        """Whether there may have been too little room for an input. If no other client uses any, there is enough."""
        limit = self.setting("MAX_SPOOL", 1 << 40)
        others = any(each is not request and each.has_input for each in self.requests()) or any(
            sum(len(data) for _, data in run.pieces) > 10000 for run in self.runs.values())
        is_behind = any(not client.reads for client in self.clients.values())
        size = max(request.input_size, request.body_length or 0)
        return limit < 1 << 40 and (others or is_behind or request.is_chunked or 2 * size > limit)

    def alive_beside(self, request):
        """How many commands of its lane may have run when it arrived, because a refusal may be read late."""
        return sum(1 for run in self.runs.values() if run.request.lane == request.lane
                   and (run.request.answer is None or run.request.answered >= request.arrived))

    def may_be_cancelled(self, request):
        """Whether a client asked to cancel it. Such a request may have waited for the next daemon, which has other numbers."""
        return request.cancel_asked or self.epoch > 1 and request.job in self.cancelled

    # MARK: Results

    def judge_result(self, request, reply):
        run = request.run
        error = reply.get("error")
        if run.status is None and self.may_leave(request) and not reply["ok"] and error in ((None, "cancelled")[request.is_json:]):
            return
        if run.status is None:
            raise Violation(f"answered before the command has ended\n{reply} to {request}")
        allowed = self.allowed_ends(request, run)
        if run.was_ended and request.lane == "queue" and not request.has_input and not self.told_ends(request, run):
            raise Violation(f"a command was ended without a reason\n{reply} to {request}")
        pieces, is_cut = self.expected_pieces(request, run)
        if request.is_json:
            if error is not None and error not in allowed and not (is_cut and error == "output_truncated"):
                raise Violation(f"an error without a reason\n{reply} to {request}")
            self.judge_status(run, reply)
            if reply["ok"] != (run.status == 0 and error is None):
                raise Violation(f"ok does not agree with status and error\n{reply}")
            says_cut = reply.get("output_truncated", False)
            if is_cut and (error is None or not says_cut) or says_cut and not is_cut and not self.may_cut(run):
                raise Violation(f"output_truncated does not agree with the output\n{str(reply)[:200]}")
            self.judge_times(request, run, reply)
        elif reply["ok"] and (run.status != 0 or is_cut):
            raise Violation(f"ok, though the command failed or was cut\n{str(reply)[:200]}")
        if request.client.is_gone:
            return
        self.judge_output(request, run, reply, pieces, error, is_cut, allowed)

    def may_leave(self, request):
        """Whether it may be cancelled without an end of its run, because others share that."""
        return self.may_be_cancelled(request) and len(request.run.askers) + len(request.run.perhaps) > 1

    def may_lack(self, request, allowed, error):
        """Whether its output may end earlier than that of its run."""
        return "output_truncated" in allowed and error is not None or request.is_cancelled_late and self.may_leave(request)

    def allowed_ends(self, request, run):
        allowed = self.told_ends(request, run)
        if self.may_cut(run):
            allowed.add("output_truncated")
        return allowed

    def told_ends(self, request, run):
        """The errors with which the daemon may have ended the command."""
        allowed = set()
        if self.may_be_cancelled(request) or request.client.is_gone:
            allowed.add("cancelled")
        timeout = request.timeout if request.timeout is not None else self.default_timeout(request)
        if timeout and run.ended_at - run.started_at >= timeout * 10**9 - 10**6:
            allowed.add("timeout")
        if self.stop_at is not None:
            allowed.add("shutting_down")
        return allowed

    def may_cut(self, run):
        """Whether a full spool may have cut the output. A short reply is never charged."""
        if run.request.lane == "follow":
            # Such a command has to wait instead, until it is told to end.
            return bool(self.told_ends(run.request, run))
        # Escaped text may be six times as long.
        room = 65536 // 6
        return "DOKKU_DAEMON_MAX_SPOOL" in self.settings and sum(len(data) for _, data in run.pieces) > room

    def default_timeout(self, request):
        return float(self.settings.get("DOKKU_DAEMON_TIMEOUT", 0)) if request.lane == "queue" else 0

    def judge_status(self, run, reply):
        expected = (run.status, None) if run.status >= 0 else (None, signal.Signals(-run.status).name)
        if (reply.get("exit_status"), reply.get("signal")) != expected or "exit_status" not in reply:
            raise Violation(f"a wrong exit status\n{str(reply)[:200]}, but {run.status}")

    def judge_times(self, request, run, reply):
        ran = (run.ended_at - run.started_at) // 10**6
        queued = (run.started_at - request.arrived_at) // 10**6
        if not (ran - CLOSE <= reply["run_ms"] <= ran + CLOSE) or reply["queued_ms"] > queued + CLOSE:
            raise Violation(f"a wrong time\n{str(reply)[-100:]}, but {queued} and {ran} ms")

    def expected_pieces(self, request, run):
        pieces = run.pieces
        if request.redirection is not None and request.redirection[0] == b">":
            pieces = [(stream, data) for stream, data in pieces if stream == 2]
        if request.lane == "follow":
            return pieces, False
        return output.cut(pieces, self.setting("MAX_OUTPUT", 256 << 20))

    def judge_output(self, request, run, reply, pieces, error, is_cut, allowed):
        if not request.is_json:
            pieces = [(1, data) for _, data in pieces]
        elif run.has_both_at_once:
            return self.judge_merged(request, run, reply, error, allowed)
        if request.is_streamed:
            got = self.streamed(request)
            expected = {}
            for name, stream in (("stdout", 1), ("stderr", 2)):
                own = [(s, data) for s, data in pieces if s == stream]
                expected[name] = (b"".join(data for _, data in own) if request.is_base64
                                  else output.text(own, request.strips))
            may_lack = self.may_lack(request, allowed, error)
            for name in got:
                self.compare(request, got[name], expected[name], may_lack or request.lane == "follow" and error)
            return
        if request.is_base64:
            for key, stream in (("output", 1), ("stderr", 2)):
                expected = b"".join(data for s, data in pieces if s == stream)
                self.compare(request, base64.b64decode(reply[key], validate=True), expected,
                             self.may_lack(request, allowed, error))
            return
        expected = output.text(pieces, request.strips).rstrip("\n")
        if not request.is_json and not reply["ok"] and (is_cut or allowed):
            text = reply["output"]
            if expected and not text.startswith(expected) and not ("output_truncated" in allowed):
                raise Violation(f"a wrong output\n{text[:200]!r}, not {expected[:200]!r}")
            return
        self.compare(request, reply["output"], expected, self.may_lack(request, allowed, error))

    def judge_merged(self, request, run, reply, error, allowed):
        """Output to both streams in one turn may come in any order, so the cut may be anywhere in it."""
        pieces = [(*piece, turn) for piece, turn in zip(run.pieces, run.turns)]
        limit = 1 << 40 if request.lane == "follow" else self.setting("MAX_OUTPUT", 256 << 20)
        may_lack = bool(self.may_lack(request, allowed, error) or request.lane == "follow" and error)
        got = self.streamed(request) if request.is_streamed else reply
        if not any(self.fits(request, got, each, may_lack) for each in output.cuts(pieces, limit)):
            raise Violation(f"a wrong output\n{str(got)[:200]}, not of {pieces[:20]} to {request}")

    def fits(self, request, got, pieces, may_lack):
        if not request.is_streamed and not request.is_base64:
            return output.fits(pieces, request.strips, got["output"], may_lack)
        names = ("stdout", "stderr") if request.is_streamed else ("output", "stderr")
        for name, stream in zip(names, (1, 2)):
            own = [(stream, data) for each, data, _ in pieces if each == stream]
            found = got[name]
            if request.is_base64 and not request.is_streamed:
                found = base64.b64decode(found, validate=True)
            expected = b"".join(data for _, data in own) if request.is_base64 else output.text(own, request.strips)
            if found != expected and not (may_lack and expected.startswith(
                    found.rstrip("\ufffd") if isinstance(found, str) else found)):
                return False
        return True

    def compare(self, request, got, expected, may_lack):
        if got == expected or may_lack and expected.startswith(got.rstrip("\ufffd") if isinstance(got, str) else got):
            return
        index = next((i for i, (one, other) in enumerate(zip(got, expected)) if one != other),
                     min(len(got), len(expected)))
        raise Violation(f"a wrong output\nat {index} of {len(got)}, {len(expected)} expected: "
                        f"{got[max(0, index - 20):index + 40]!r}, not {expected[max(0, index - 20):index + 40]!r} "
                        f"to {request}")

    def streamed(self, request):
        parts = {"stdout": [], "stderr": []}
        for event in request.events:
            if event["event"] == "output":
                parts[event["stream"]].append(
                    base64.b64decode(event["data"], validate=True) if request.is_base64 else event["data"])
        return {name: (b"" if request.is_base64 else "").join(each) for name, each in parts.items()}

    # MARK: The log

    LINE = re.compile(rb"^\[[^]]*\] \[(cmd|res)\] #(\d+)(.*)$")
    OWNER = re.compile(rb" gid=(\d+)(?: cgroup=[^ ]+)? (.*)$")
    SHARED = re.compile(rb"^ run=#(\d+) ")
    STATUS = re.compile(rb"^ (?:status|signal)=")

    CANCEL = re.compile(rb" daemon:cancel (\d+)$")

    def read_log(self, text):
        cancelled = turned_away = None
        for line in text.split(b"\n"):
            if b"] [cmd] - " in line:
                found = self.CANCEL.search(line)
                cancelled = self.jobs.get(int(found[1])) if found else None
                turned_away = None if found or b"***" in line else self.described_by(line, ("builtin",))
            elif b"] [res] - error=" in line and turned_away is not None and turned_away.is_common:
                turned_away.is_turned_away = True
            elif b"] [res] - {\"ok\":true" in line and cancelled is not None and cancelled.is_cancelled_late:
                # The daemon waits for no more of its output, unless others want it.
                cancelled.run.is_over |= sharing.sole(cancelled)
            found = self.LINE.match(line)
            if not found:
                continue
            kind, number, rest = found[1], int(found[2]), found[3]
            if kind == b"cmd":
                request = self.described_by(line)
                if number in self.jobs and self.jobs[number] is not None:
                    raise Violation(f"two commands with the same number in the log\n{line[:200]!r}")
                self.jobs[number] = request
                if request is not None:
                    request.job = number
                    request.accepted, request.accepted_round = self.turn, self.round
            elif number in self.jobs and self.jobs[number] is not None:
                request = self.jobs[number]
                request.results += 1
                request.over, request.over_round = self.turn, self.round
                if request.results > 1:
                    raise Violation(f"two results of one command in the log\n{line[:200]!r}")
                shared = self.SHARED.match(rest)
                sharing.did_end(self, request, int(shared[1]) if shared else None, self.STATUS.match(rest))

    def described_by(self, line, lanes=(None, "builtin")):
        """The request that a line of the log describes, if it is neither accepted nor turned away yet, and not of `lanes`."""
        group, described = self.OWNER.search(line).groups()
        return next((each for client in self.clients.values() if client.group == int(group) for each in client.requests
                     if each.accepted == 0 and not each.is_turned_away and each.lane not in lanes
                     and self.is_described(each, described)), None)

    @staticmethod
    def is_described(request, described):
        """Whether a line of the log describes the request. What may be secret is hidden there."""
        token = TOKEN.search(described)
        if token and token[0][:1] != b"s":
            return request.token == token[0]
        if token:
            return request.token == token[0] and b" ".join(request.words) == described
        hidden = re.escape(described).replace(re.escape(b"***"), b".*")
        return re.fullmatch(hidden, b" ".join(request.words), re.S) is not None

    def judge_log(self):
        for request in [each for run in self.runs.values() for each in run.askers]:
            if request.token.startswith(b"half"):
                continue
            if request.accepted == 0:
                raise Violation(f"a command is not in the log\n{request}")
            if request.results != 1 and not self.was_killed:
                raise Violation(f"a command's result is not in the log\n{request}")

    # MARK: The end

    def judge_end(self, client):
        """Nothing more will come: every request must be answered."""
        for request in client.requests:
            if request.answer is None and not client.is_rejected and not self.is_excused(client, request):
                raise Violation(f"never answered\n{request} on {client.name} ({client.rules or 'no rules'})")
        if client.received and not client.is_gone and not client.is_unread and not self.is_hurried:
            raise Violation(f"half a reply at the end\n{bytes(client.received[:200])!r}")

    def is_excused(self, client, request):
        if client.is_gone or client.is_unread or client.stream.body_of is request:
            return True
        if self.is_hurried and any(each.run and sum(len(data) for _, data in each.run.pieces) > 100000
                                   for each in client.requests):
            # That is more than a socket takes at once.
            return True
        if self.stop_turn is not None and request.arrived >= self.stop_turn:
            return True
        return False

    def judge_runs(self):
        """Every command that had to run must have run."""
        for client in self.clients.values():
            for request in client.requests:
                if request.lane not in ("queue", "beside", "output") or not request.is_whole or request.run or request.maybe:
                    continue
                if request.answer is not None or client.is_rejected or client.is_lost:
                    continue
                if self.stop_at is not None or request.ends_with_client:
                    continue
                if request.name.startswith("plugin") or request.redirection is not None:
                    continue
                if request.lane in BESIDE and self.alive_beside(request) >= self.setting("MAX_FOLLOW", 16):
                    continue
                if "DOKKU_DAEMON_MAX_SPOOL" in self.settings or self.setting("MAX_QUEUE", 1000) < 1000:
                    continue
                if self.setting("MAX_BUFFER", 1 << 40) < 1 << 40 or self.setting("MAX_CONNECTIONS", 1000) < 1000:
                    continue
                if self.may_be_cancelled(request):
                    continue
                raise Violation(f"never run\n{request} of {client.name}, who has gone")
