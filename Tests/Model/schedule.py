# Whether a command may start when it does, and whether it must: turns, places, and what runs side by side, by
# docs/protocol.md ("Turns", "Side by side").
from scopes import EVERYTHING, NOTHING, may_run_beside
from sharing import changes_before, is_waiting, question
from violation import Violation

# Runs that have exited, and whose output has not ended. If there are that many, further commands wait.
MANY_LEFT = 50
# The virtual time in which the daemon notices that the lock is free.
LOCK_PATIENCE = 250 * 10**6
# The virtual time after which the daemon looks who else waits for the lock.
LOOK = 100 * 10**6


def line(model, request):
    """Where it waits: commands that only read have a line of their own, if they may run beside the queue."""
    return "reads" if model.setting("READERS", 0) > 0 and request.scope == NOTHING else "queue"


def limit(model, name):
    return model.setting("READERS", 0) if name == "reads" else model.setting("WORKERS", 1)


def is_alone(model, name):
    """Whether the line runs one command at a time, in the order of turns."""
    return name == "queue" and limit(model, name) == 1


def running(model):
    return [run for run in model.runs.values()
            if run.request.lane == "queue" and run.status is None and not run.child.is_dead]


def holds_lock(model):
    """Whether a command runs that holds the lock."""
    return any(line(model, run.request) == "queue" for run in running(model))


def waiting(model, name):
    return [each for each in model.requests() if is_waiting(each) and line(model, each) == name]


def judge_start(model, run):
    """A command of a line has started."""
    request = run.request
    name = line(model, request)
    others = [each for each in running(model) if each is not run]
    same = [each for each in others if line(model, each.request) == name]
    if name == "queue" and model.is_locked:
        raise Violation("a command ran while another program held the lock")
    # Who waits was woken when the lock was last released, and waits again a moment later.
    beside = [each for each in same if each.round < model.round]
    if name == "queue" and model.wanted_since is not None and request.accepted_round < model.round and (
            beside or model.now - model.wanted_since >= LOOK):
        raise Violation(f"a command overtook a program that waits for the lock\n{request}")
    # What a daemon left behind when it was killed keeps the lock, and the next daemon knows nothing of its reads.
    left = [each for each in same if each.child.epoch != run.child.epoch]
    if name == "queue" and left:
        raise Violation(f"a command ran beside one that a killed daemon has left\n{request} beside {left[0].request}")
    same = [each for each in same if each not in left]
    if len(same) >= limit(model, name):
        kind = "two commands ran at a time" if is_alone(model, name) else f"too many commands ran at a time: {name}"
        raise Violation(f"{kind}\n{request} beside {[str(each.request) for each in same]}")
    for each in others:
        if each.child.epoch == run.child.epoch and not may_run_beside(each.request.scope, request.scope):
            raise Violation(f"a command ran beside one that it must not run beside\n{request} beside {each.request}")
    for each in run.askers:
        if each.scope == NOTHING and each.job and (pending := changes_before(model, each)[0]):
            raise Violation(f"a read did not wait for its connection's change\n{each} after {pending[0]}")
    if name == "reads":
        judge_reads(model, run)
    if request.accepted and run.is_first_known:
        judge_turn(model, run)
        judge_overtaking(model, run)
        for each in run.askers:
            judge_position(model, run, each)


def judge_reads(model, run):
    """Reads beside the queue do not keep a command waiting that runs beside nothing, if its turn has come. Those go first
    that came before it, or that waited when the last such command ended."""
    if any(line(model, each.request) == "queue" and (each.status is None or each.ended_round >= model.round - 1)
           for each in model.starts):
        return
    if any(each.scope != NOTHING and max(each.accepted_round, each.over_round, each.answered_round) >= model.round - 1
           for each in model.requests()):
        return
    queue = waiting(model, "queue")
    ended = [each.ended_turn for each in model.starts if each.request.scope == EVERYTHING and each.status is not None]
    if not run.is_first_known or not run.request.job or ended and run.request.accepted <= max(ended):
        return
    if queue and all(each.scope == EVERYTHING and each.job < run.request.job for each in queue if each.job):
        raise Violation(f"a read started, though the turn of a command has come that runs alone\n{run.request}, {queue[0]}")


def own_line(model, request):
    """The commands of its client in the same line."""
    return [each for each in request.client.requests if each.lane == "queue" and line(model, each) == line(model, request)]


def had_turn(model, request):
    """The turn since which nothing of its own client came before it. None if something still does, or may do."""
    since = request.accepted
    for other in own_line(model, request):
        if other is request or not other.job or not request.job or other.job > request.job:
            continue
        if other.maybe or is_waiting(other):
            return None
        # A command that could not be started had its turn as well.
        since = max(since, other.run.turn if other.run else other.over or other.answered)
    return since


def judge_turn(model, run):
    """Clients take turns, and the commands of each run in order."""
    request, name = run.request, line(model, run.request)
    for other in own_line(model, request):
        if other.job and request.job and other.job < request.job and is_waiting(other):
            # A line of reads goes past those that wait for a change of their own, as does a queue with several workers.
            if is_alone(model, name) or not (other.scope == NOTHING and any(changes_before(model, other))):
                raise Violation(f"a client's commands ran out of order\n{request} before {other}")
    since = had_turn(model, request)
    if since is None:
        return
    changes = [each.run.ended_turn for each in request.client.requests
               if each.scope != NOTHING and each.lane == "queue" and each.run and each.run.status is not None]
    if request.scope == NOTHING and not is_alone(model, name):
        since = max([since] + changes)
    passed = {}
    for each in model.starts[:-1]:
        other = each.request
        # A run that several share may have been anybody's turn.
        if each.turn <= since or other.client is request.client or other.lane != "queue" or line(model, other) != name or \
                len(each.askers) + len(each.perhaps) > 1:
            continue
        if name == "reads" or is_alone(model, name) or not may_run_beside(other.scope, request.scope):
            passed[other.client.name] = passed.get(other.client.name, 0) + 1
    if any(count > 1 for count in passed.values()):
        raise Violation(f"a client had two turns while another waited for one\n{request}: {passed}")


def judge_overtaking(model, run):
    """A command never overtakes one that it must not run beside."""
    request, name = run.request, line(model, run.request)
    since = had_turn(model, request)
    if since is None:
        return
    for other in waiting(model, name):
        if other.client is request.client or not is_alone(model, name) and may_run_beside(other.scope, request.scope):
            continue
        before = had_turn(model, other)
        if before is not None and before < since and other.accepted < model.turn:
            raise Violation(f"a command overtook one that it must not run beside\n{request} before {other}")


def judge_position(model, run, request):
    """The number of commands that have started since the `queued` event must agree with its position."""
    told = next((each["position"] for each in request.events if each["event"] == "queued"), None)
    if told is None or not request.job or not is_alone(model, line(model, request)):
        return
    before = [each for each in model.requests() if each.lane == "queue" and each.job and each.job < request.job
              and line(model, each) == "queue"]
    if any(each.maybe or each.run is None and each.results > 0 for each in before):
        # If a command leaves the queue without its turn, others change places.
        return
    runs = [each.run for each in before if each.run is not None and each.run is not run
            and each.run.child.epoch == run.child.epoch]
    # Who shares a run starts earlier than its place, and so do the next commands of the same client.
    least = sum(each.turn > request.accepted and len(each.askers) == 1 and not each.perhaps for each in runs)
    most = sum(each.turn >= request.accepted for each in runs)
    has_moved_up = any(each.client is request.client and each.run and each.run.request is not each for each in before)
    if least >= told or request is run.request and not has_moved_up and told > most + 1:
        raise Violation(f"a wrong position in the queue\n{told}, but {least} to {most} came first: {request}")


def judge_queued(model, request, event):
    """What a command waits for must exist, and must not be over."""
    if event["position"] < 1 or "waits_for" in event and "runs_with" in event:
        raise Violation(f"an event that contradicts itself\n{event}")
    number = event.get("waits_for", event.get("runs_with"))
    if number is None:
        return
    other = model.jobs.get(number)
    if number not in model.jobs or number == event["job"]:
        raise Violation(f"a command waits for a job that does not exist\n{event}")
    if other is None or not request.accepted:
        return
    over = other.run.ended_turn if other.run and other.run.status is not None else 0 if other.run else other.over
    if over and over < request.accepted:
        raise Violation(f"a command waits for a job that is over\n{event}: {other}")
    if "runs_with" in event:
        if question(model, request) is None or question(model, other) != question(model, request):
            raise Violation(f"a command is said to share the run of another one\n{event}: {request} and {other}")
        return
    is_own = other.client is request.client and request.scope == NOTHING and other.scope != NOTHING
    is_next = line(model, other) == line(model, request) and limit(model, line(model, request)) == 1
    if not is_own and not is_next and may_run_beside(request.scope, other.scope):
        raise Violation(f"a command is said to wait for one that it may run beside\n{event}: {request} and {other}")


def judge_rest(model):
    """The daemon is at rest: nothing waits that could run."""
    if model.stop_at is not None:
        return
    now = [each for each in running(model) if each.child.epoch == model.epoch]
    left = sum(run.status is not None and model.now - run.ended_at < 3 * 10**9 for run in model.starts[-200:])
    if left >= MANY_LEFT:
        return
    for name in ("reads", "queue"):
        same = [each for each in now if line(model, each.request) == name]
        if len(same) >= limit(model, name):
            continue
        lines = {each: waiting(model, each) for each in ("reads", "queue")}
        able = [each for each in lines[name] if may_start(model, name, each, now, lines)]
        if name == "queue" and (model.is_locked or model.wanted_since is not None):
            model.free_since = None
        elif name == "reads" or same:
            if able:
                raise Violation(f"a command waits, though it could run\n{able[0]} in the line of {name}")
        elif not able or len(running(model)) > len(now) or model.has_orphans:
            model.free_since = None
        elif model.free_since is None:
            model.free_since = model.now
        elif model.now - model.free_since > LOCK_PATIENCE:
            raise Violation(f"a command waits, though nothing runs\n{able[0]}")


def may_start(model, name, request, now, lines):
    """Whether it could start whatever the order is: it may run beside all that run or wait."""
    if any(not may_run_beside(request.scope, each.request.scope) for each in now):
        return False
    if request.scope == NOTHING and changes_before(model, request)[0]:
        return False
    if any(each.scope == EVERYTHING and each is not request for each in lines["queue"]):
        return False
    if is_alone(model, name):
        return request.scope != EVERYTHING or not now
    if had_turn(model, request) is None:
        return False
    return all(each is request or may_run_beside(each.scope, request.scope) for each in lines[name])
