# The model test: random conversations with the daemon, compared with a model. See README.md beside this file.
import argparse
import json
import math
import multiprocessing
import os
import random
import sys
import time
import traceback

from driver import Driver
from generator import Generator
from shrinker import shrink
from violation import Violation

ENDLESS = 1 << 60


def converse(binary, tools, seed):
    """Holds one conversation. Returns it, and the violation or None."""
    generator = Generator(random.Random(seed))
    steps = []
    driver = Driver(binary, tools, generator.listeners, generator.settings)
    conversation = {"seed": seed, "listeners": generator.listeners, "settings": generator.settings, "steps": steps}
    try:
        for step in generator.conversation(driver):
            steps.append(step)
            driver.step(step)
        driver.finish()
        return conversation, None
    except Violation as violation:
        return conversation, str(violation)
    finally:
        driver.close()


def replay(binary, tools, conversation):
    """Carries out the steps of a conversation again. Returns the violation or None."""
    driver = Driver(binary, tools, conversation["listeners"], conversation["settings"])
    try:
        for step in conversation["steps"]:
            driver.step(step)
        driver.finish()
        return None
    except Violation as violation:
        return str(violation)
    finally:
        driver.close()


def show(conversation):
    print(f"settings {json.dumps(conversation['settings'])}, listeners {json.dumps(conversation['listeners'])}")
    for step in conversation["steps"]:
        print("   ", json.dumps(step))


def work(options, number, results, stop):
    """Takes every `options.jobs`-th seed, beginning with the worker's number."""
    seed = options.seed + number
    while not stop.is_set() and seed < options.seed + options.count:
        try:
            conversation, found = converse(options.binary, options.tools, seed)
        except Exception:
            conversation, found = {"seed": seed, "listeners": [""], "settings": {}, "steps": []}, f"the model test itself failed\n{traceback.format_exc()}"
        results.put((conversation, found))
        seed += options.jobs
    results.put((None, None))


def search(options):
    """Holds conversations until their number is reached, the time is over, or one fails. Returns the number of
    conversations, and those that failed."""
    results, stop = multiprocessing.Queue(), multiprocessing.Event()
    workers = [multiprocessing.Process(target=work, args=(options, number, results, stop), daemon=True)
               for number in range(options.jobs)]
    for each in workers:
        each.start()
    end, count, living, failed = time.monotonic() + options.seconds, 0, len(workers), []
    is_late = False
    while living:
        conversation, found = results.get()
        if conversation is None:
            living -= 1
            continue
        count += 1
        if found:
            failed.append((conversation, found))
            if options.all:
                print(f"seed {conversation['seed']}: {found}\n", flush=True)
        is_late = is_late or time.monotonic() > end
        if found and not options.all or is_late:
            stop.set()
    if is_late and count < options.count < ENDLESS:
        print(f"model: only {count} of {options.count} conversations in {options.seconds:g} seconds")
    return count, failed


def replay_cases(options):
    """Replays the failures that were found and fixed before."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            found = replay(options.binary, options.tools, json.load(file))
        if found:
            sys.exit(f"model: cases/{name}: {found}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--tools", required=True, help="the folder of clock.so and child")
    parser.add_argument("--seconds", type=float, help="how long; 60 if there is no count")
    parser.add_argument("--seed", type=int, help="the seed of the only conversation, or of the first")
    parser.add_argument("--count", type=int, help="how many conversations")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--replay", help="a file that holds a conversation")
    parser.add_argument("--all", action="store_true", help="go on after a failure, and print each")
    parser.add_argument("--keep", help="write the smallest conversation here")
    parser.add_argument("--no-shrink", action="store_true")
    options = parser.parse_args()

    if options.replay:
        with open(options.replay) as file:
            conversation = json.load(file)
        show(conversation)
        found = replay(options.binary, options.tools, conversation)
        print(found or "nothing found")
        sys.exit(1 if found else 0)
    if options.count is None:
        options.count = 1 if options.seed is not None and options.seconds is None else ENDLESS
        options.seconds = options.seconds or 60
    options.seconds = options.seconds or math.inf
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 40)
    replay_cases(options)
    print(f"model: seed {options.seed}", flush=True)
    count, failed = search(options)
    if options.all:
        kinds = {}
        for _, found in failed:
            kinds[found.split("\n")[0]] = kinds.get(found.split("\n")[0], 0) + 1
        for kind, times in sorted(kinds.items(), key=lambda item: -item[1]):
            print(f"{times:5} {kind}")
    print(f"model: {count} conversations, {len(failed)} failed")
    if failed and not options.all:
        conversation, found = failed[0]
        print(f"\nseed {conversation['seed']}: {found}\n")
        if not options.no_shrink:
            conversation, found = shrink(conversation, found, lambda each: replay(options.binary, options.tools, each))
            print(f"made smaller: {found}")
        show(conversation)
        if options.keep:
            with open(options.keep, "w") as file:
                json.dump(conversation, file)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
