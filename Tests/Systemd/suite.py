"""Runs test modules beside each other, because they mostly wait: `suite.py [MODULE[.CLASS[.TEST]]…]`, by default all. It prints
what fails and a line that sums up."""

import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
#: More would take turns with two processors.
AT_ONCE = 3


def run(name):
    """The module's number of tests, and its output if it failed."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "unittest", name],
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    tests = re.search(r"^Ran (\d+) tests? ", done.stdout, re.M)
    count = int(tests[1]) if tests else 0
    passed = done.returncode == 0 and count > 0
    print(f"{name}: {count} tests in {time.monotonic() - began:.0f} s", flush=True)
    if not passed:
        print(done.stdout, flush=True)
    return count, passed


def main(names):
    names = names or sorted(path.stem for path in HERE.glob("test_*.py"))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = dict(zip(names, pool.map(run, names)))
    failed = [name for name, (_, passed) in results.items() if not passed]
    count = sum(count for count, _ in results.values())
    print(f"FAILED ({', '.join(failed)}): {count} tests" if failed else f"All passed: {count} tests")
    return 1 if failed else 0


def stop(*_):
    """Ends the modules that run as well; they are in this process group."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main(sys.argv[1:]))
