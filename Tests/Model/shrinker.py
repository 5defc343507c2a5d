# Makes a failing conversation smaller: delta debugging, first with its steps, then with their contents.
import copy
import time


def kind(found):
    return found.split("\n")[0] if found else None


def shrink(conversation, found, replay, seconds=60):
    """The smallest conversation found that fails in the same way, and its violation."""
    end = time.monotonic() + seconds
    best = [conversation, found]

    def fails(steps, **changes):
        if time.monotonic() > end:
            return False
        smaller = copy.deepcopy(best[0]) | changes | {"steps": steps}
        result = replay(smaller)
        if kind(result) != kind(found):
            return False
        best[:] = smaller, result
        return True

    # If the steps alone do not fail again, the conversation is returned as it is.
    if not fails(conversation["steps"]):
        return conversation, found + "\n(it does not fail again when replayed)"
    size = max(1, len(best[0]["steps"]) // 2)
    while size:
        index, changed = 0, False
        while index < len(best[0]["steps"]):
            steps = best[0]["steps"]
            if fails(steps[:index] + steps[index + size:]):
                changed = True
            else:
                index += size
        size = size if changed and size == 1 else size // 2
    for name in list(best[0]["settings"]):
        fails(best[0]["steps"], settings={key: each for key, each in best[0]["settings"].items() if key != name})
    for index, step in enumerate(list(best[0]["steps"])):
        for simpler in simpler_steps(step):
            steps = list(best[0]["steps"])
            steps[index] = simpler
            if fails(steps):
                break
    return best[0], best[1]


def simpler_steps(step):
    """Simpler forms of the step."""
    if step[0] == "send":
        _, name, request, count = step
        if count is not None:
            yield ["send", name, request, None]
        if request.get("end", "\n") not in ("\n", ""):
            yield ["send", name, request | {"end": "\n"}, count]
    if step[0] in ("write", "leftwrite") and isinstance(step[3], str) and len(step[3]) > 1:
        for part in (step[3][:1], step[3][-1:]):
            yield step[:3] + [part]
