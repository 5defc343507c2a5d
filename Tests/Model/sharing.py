# Who shares a run with whom, by docs/protocol.md ("Turns"). At the start of a run it is certain of some requests and not of
# others that came in the same round of the loop. Of these the log says later whose run it was.
from scopes import NOTHING
from violation import Violation

# The most requests that share a run.
MOST = 32


def question(model, request):
    """What a request asks: those with the same question share a run. None if it has a run of its own."""
    if request.lane != "queue" or request.scope != NOTHING or request.has_input:
        return None
    timeout = request.timeout if request.timeout is not None else model.default_timeout(request)
    return tuple(request.words), float(timeout), request.is_json, "read-only" in request.client.rules


def form(request):
    """How a command for the request is started, as far as the child can tell: its outputs, and whether it has an input."""
    is_filed = request.redirection is not None and request.redirection[0] == b">"
    return ("r" if is_filed else "s" if request.is_json else "j") + ("i" if request.has_input else "-")


def is_waiting(request):
    """Whether it waits for certain: it was accepted, and has neither a run nor a result."""
    return request.lane == "queue" and bool(request.job) and request.run is None and not request.maybe and \
        request.results == 0 and request.answer is None


def changes_before(model, request):
    """The earlier changes of its connection: those that have not exited, and those that have exited only now."""
    pending, recent = [], []
    for other in request.client.requests:
        if other.lane != "queue" or other.scope == NOTHING or not other.job or other.job > request.job:
            continue
        if other.run is None:
            if other.results == 0 and other.answer is None:
                pending.append(other)
            elif max(other.over_round, other.answered_round) >= model.round - 1:
                recent.append(other)
        elif other.run.status is None:
            pending.append(other)
        elif other.run.ended_round >= model.round - 1:
            recent.append(other)
    return pending, recent


def find_lead(model, child, asked, recorded):
    """The request for which a child was started. `recorded` are the jobs for which the daemon says that a run began."""
    if len(asked) > 1:
        asked = [each for each in asked if form(each) == child.form and each.job
                 and (each.results == 0 or each.over_round == model.round)] or asked
    if len(asked) > 1:
        # One that is not in the record was cancelled at once. The next one has taken its place there.
        asked = [each for each in asked if each.job in recorded or each.results] or asked
    return min(asked, key=lambda each: each.job or 0, default=None)


def gather(model, run):
    """Notes who shares a run that starts: `askers` for certain, and `perhaps` others."""
    lead = run.request
    leave_doubt(lead)
    asked = question(model, lead)
    if asked is None:
        return
    for other in model.requests():
        if other is lead or not other.job or other.run is not None or other.results or other.answer is not None:
            continue
        if question(model, other) != asked:
            continue
        pending, recent = changes_before(model, other)
        if pending:
            continue
        if other.maybe or recent or other.accepted_round == model.round:
            run.perhaps.append(other)
        else:
            run.askers.append(other)
    if len(run.askers) + len(run.perhaps) > MOST:
        # Which of them it takes is not promised.
        run.perhaps += run.askers[1:]
        del run.askers[1:]
    for other in run.askers[1:]:
        other.run = run
    for other in run.perhaps:
        other.maybe.append(run)


def leave_doubt(request):
    for run in request.maybe:
        run.perhaps.remove(request)
    request.maybe = []


def join(run, request):
    leave_doubt(request)
    request.run = run
    run.askers.append(request)
    if len(run.askers) > MOST:
        raise Violation(f"too many requests share a run\n{len(run.askers)}: {request}")


def did_start(request):
    """The request has a `started` event. If it was in doubt whose run it shares, it is the last one's."""
    if request.run is None and request.maybe:
        join(request.maybe[-1], request)


def has_left(model, run):
    """Whether the first who asked may have been cancelled. Then the next one takes its place."""
    return model.may_be_cancelled(run.request) or run.request.client.is_gone


def did_end(model, request, lead, has_run):
    """The log has the result of a request. `lead` is the job whose run it was; None if it was its own."""
    if lead is None and has_run and request.run is None:
        # The first who asked was cancelled, and it has taken that one's place.
        left = [run for run in request.maybe if has_left(model, run) or not run.is_first_known]
        if left:
            join(left[-1], request)
    run = request.run
    if lead is None:
        leave_doubt(request)
        if run is not None and run.is_first_known and run.request is not request and not has_left(model, run):
            raise Violation(f"the log does not say whose run it was\n{request}, but it shares the run of {run.request}")
        return
    other = model.jobs.get(lead)
    if other is None or other.run is None:
        if lead not in model.jobs:
            raise Violation(f"the log names a run that does not exist\n{lead} for {request}")
        return
    if other.run in request.maybe:
        join(other.run, request)
    elif other.run is not run or other.run.request is not other and not has_left(model, run):
        raise Violation(f"a request shares a run that it must not share\n{request}, with {other}")


def sole(request):
    """Whether nobody else can want its run any more."""
    run = request.run
    return not run.perhaps and all(each is request or each.results for each in run.askers)


def judge_cancelled(model):
    """If all who share a run have cancelled it, it must end."""
    for run in model.runs.values():
        if run.status is None and not run.child.is_dead and not run.child.is_busy and not run.child.is_deaf and \
                run.request.lane == "queue" and not run.perhaps and run.child.epoch == model.epoch and \
                all(each.was_cancelled for each in run.askers):
            raise Violation(f"a command goes on, though all who asked for it have cancelled it\n{run.request}")
