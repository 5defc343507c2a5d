# Makes each system call of the daemon fail, one after another, with each error that it may return, while seven clients talk
# to the daemon. Each time at most one request may suffer, and its error must say why. All other clients, and later ones,
# are served as usual. No descriptor stays open, and the loop does not spin. The same is tested for a start and a stop.
#   faults.py DAEMON LIBRARY [--quick TIMES] [--only CALL[:KIND]]
import argparse
import collections
import errno
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import table
from control import Control
from conversation import NOT_RUN, PATIENCE, Conversation, Hung

STAND_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "StandIn", "quick-dokku")
# How long a lasting fault lasts, in seconds.
LASTING_TIME = 0.2
START_STATUSES = {64, 69, 71, 73, 74, 75, 77, 78}


def name_of(error):
    return errno.errorcode[error] if error else "short"


class Daemon:
    """A daemon that has loaded the library, in a folder of its own."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = tempfile.mkdtemp(prefix="dokku-daemon-faults-")
        for name in ("state", "plugins", "plugins/enabled"):
            os.mkdir(f"{self.folder}/{name}")
        open(f"{self.folder}/journal", "w").close()
        self.control = Control(f"{self.folder}/control")
        self.process = None
        self.manager = None
        # The open descriptors while no client is connected.
        self.at_rest = None

    def start(self):
        """Starts the daemon and waits until it is ready. False if it has ended instead."""
        if self.manager:
            self.manager.close()
            os.unlink(f"{self.folder}/notify")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(f"{self.folder}/notify")
        environment = {
            "PATH": os.environ["PATH"], "NOTIFY_SOCKET": f"{self.folder}/notify",
            "DOKKU_SOCK_PATH": f"{self.folder}/socket", "DOKKU_LOCK_PATH": f"{self.folder}/lock",
            "DOKKU_DAEMON_LOGFILE": f"{self.folder}/log", "DOKKU_DAEMON_STATE_DIR": f"{self.folder}/state",
            "DOKKU_DAEMON_DOKKU": STAND_IN, "DOKKU_SYSTEM_USER": "root",
            "PLUGIN_PATH": f"{self.folder}/plugins", "STAND_IN_JOURNAL": f"{self.folder}/journal",
            "DOKKU_DAEMON_LISTENER": "descriptors", "DOKKU_DAEMON_STOP_GRACE": "5", "DOKKU_DAEMON_KILL_GRACE": "1",
            "FAULT_CONTROL": f"{self.folder}/control", "LD_PRELOAD": self.arguments.library,
        }
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        with open(f"{self.folder}/stderr", "wb") as errors:
            self.process = subprocess.Popen(
                [self.arguments.daemon], env=environment, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        deadline = time.monotonic() + PATIENCE
        self.manager.settimeout(0.02)
        while time.monotonic() < deadline:
            try:
                if self.manager.recv(4096).startswith(b"READY=1"):
                    self.manager.setblocking(False)
                    return True
            except TimeoutError:
                if self.process.poll() is not None:
                    return False
        raise Hung("the daemon neither gets ready nor ends")

    @property
    def errors(self):
        with open(f"{self.folder}/stderr", errors="replace") as file:
            return file.read()

    def descriptors(self):
        """The open descriptors, counted by kind. The numbers of pipes and sockets are left out, because they change."""
        folder = f"/proc/{self.process.pid}/fd"
        names = []
        for number in os.listdir(folder):
            try:
                names.append(re.sub(r"\d+", "", os.readlink(f"{folder}/{number}")))
            except FileNotFoundError:
                pass
        return collections.Counter(names)

    def rest(self):
        """Lets the daemon make what it makes once and keeps. Notes what is open when nothing has changed for a while."""
        Conversation(self.folder).run()
        same = 0
        while same < 50:
            now = self.descriptors()
            same = same + 1 if now == self.at_rest else 0
            self.at_rest = now
            time.sleep(0.002)

    def ran(self, start):
        """How often each command was started since the journal had the length `start`."""
        with open(f"{self.folder}/journal") as journal:
            journal.seek(start)
            return collections.Counter(line.split()[-1] for line in journal if line.startswith("start "))

    def journal_size(self):
        return os.path.getsize(f"{self.folder}/journal")

    def empty_manager(self):
        """Reads the messages to the service manager, so that their socket never fills."""
        try:
            while True:
                self.manager.recv(4096)
        except BlockingIOError:
            pass

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder)


class Machine:
    def __init__(self, arguments):
        self.arguments = arguments
        self.findings = collections.defaultdict(list)
        self.trials = 0
        self.daemon = Daemon(arguments)
        self.usual_turns = 0

    # Actions

    def run(self):
        self.warm_up()
        self.check_table()
        counts = self.measure()
        for fault in self.faults(counts):
            self.serve_with(*fault)
        self.start_and_stop()

    def warm_up(self):
        self.start()
        for _ in range(3):
            self.converse("without a fault", 0, clean=True)
        if self.findings:
            self.report()

    def start(self):
        if not self.daemon.start():
            sys.exit(f"the daemon does not start: {self.daemon.errors}")
        self.daemon.rest()

    def measure(self):
        """How often a conversation makes each call, at most, in a few runs; and how many turns of the loop it takes."""
        most, turns = collections.Counter(), []
        for _ in range(5):
            before = self.daemon.control.counts()
            self.converse("without a fault", 0, clean=True)
            made = collections.Counter(self.daemon.control.counts()) - collections.Counter(before)
            turns.append(made[("epoll_wait", "none")])
            most |= made
        self.usual_turns = statistics.median(turns)
        return most

    def faults(self, counts, lasting=True):
        """Each call, each time that it is made, with each of its errors. With --quick only some, with one error each."""
        for (call, kind), count in sorted(counts.items()):
            if self.arguments.only and self.arguments.only not in (call, f"{call}:{kind}"):
                continue
            errors = table.ERRORS.get(call, {}).get(kind, [])
            if self.arguments.quick and errors:
                for turn, first in enumerate(range(1, count + 1, 1 + count // self.arguments.quick)):
                    yield call, kind, errors[turn % len(errors)], first, 1
            else:
                for first in range(1, count + 1):
                    for error in errors:
                        yield call, kind, error, first, 1
            for error in errors:
                if lasting and error in table.LASTING:
                    yield call, kind, error, 1, 1 << 40

    def serve_with(self, call, kind, error, first, times):
        control = self.daemon.control
        what = f"{call} ({kind}) {name_of(error)}" + (", lasting" if times > 1 else "")
        number = control.names.index(call)
        if self.daemon.process.poll() is not None:
            self.start()
        if times > 1:
            timer = threading.Timer(LASTING_TIME, control.disarm)
            timer.start()
        control.arm(number, kind, error, first, times)
        self.converse(what, first, call=call, kind=kind, error=error, is_lasting=times > 1)
        if times > 1:
            timer.cancel()
        if self.daemon.process.poll() is None and control.failed > 0 and not self.arguments.quick:
            self.converse(f"{what}, the next conversation", first, clean=True)

    def converse(self, what, first, call=None, kind=None, error=0, is_lasting=False, clean=False):
        self.trials += 1
        daemon, control = self.daemon, self.daemon.control
        daemon.empty_manager()
        turns, start = control.turns, daemon.journal_size()
        conversation = Conversation(daemon.folder)
        try:
            conversation.run()
            self.judge(conversation, what, first, call, kind, error, is_lasting, clean)
            self.settle(what, first)
            self.count(conversation, daemon.ran(start), what, first)
        except (Hung, ValueError) as failure:
            self.find(what, first, str(failure))
            daemon.kill()
        finally:
            control.disarm()
            conversation.close()
        if daemon.process.poll() is not None:
            self.find(what, first, f"the daemon ended with {daemon.process.returncode}: {daemon.errors[-300:]}")
            self.start()
        # A loop that spins makes tens of thousands of turns. On a busy machine a client reads its bytes in more turns.
        elif self.usual_turns and control.turns - turns > 20 * self.usual_turns + 1000:
            self.find(what, first, f"the loop made {control.turns - turns} turns instead of {self.usual_turns}")
        if daemon.errors and clean:
            with open(f"{daemon.folder}/stderr", "wb"):
                pass

    # Findings

    def find(self, what, first, text):
        self.findings[(what, text)].append(first)
        if self.arguments.verbose:
            print(f"{what}, call {first}: {text}", flush=True)

    def judge(self, conversation, what, first, call, kind, error, is_lasting, clean):
        suffering = [(client, request) for client in conversation.clients for request in client.requests
                     if request.state != "right"]
        for client, request in suffering:
            about = f"{client.name}: {request.text[:60]!r}"
            if clean:
                self.find(what, first, f"{about} {request.state}: {str(request.reply)[-300:]}")
            elif request.state == "lost":
                if (call, kind) not in table.ENDS_CONNECTION:
                    self.find(what, first, f"{about} was never answered, its connection ended")
            elif request.reply["ok"]:
                self.find(what, first, f"{about} is wrong, and said to be right: {str(request.reply)[-200:]}")
            elif not self.names_cause(request.reply, error):
                self.find(what, first, f"{about} does not say why: {str(request.reply)[-200:]}")
        failed = [request for _, request in suffering if request.state == "failed"]
        if not is_lasting and (len({client.name for client, _ in suffering}) > 1 or len(failed) > 1):
            self.find(what, first, "more than one suffered: "
                      + ", ".join(f"{client.name}: {request.text[:30]!r}" for client, request in suffering))

    @staticmethod
    def names_cause(reply, error):
        """Whether the reply names the error in words, or by its error word if the command has run."""
        if "exit_status" in reply and reply.get("error"):
            return True
        return error and os.strerror(error) in reply.get("output", "")

    def count(self, conversation, ran, what, first):
        for client in conversation.clients:
            for request in client.requests:
                times = ran.get(request.token, 0)
                if request.state == "right" and request.token and times != 1 or times > 1:
                    self.find(what, first, f"{client.name}: {request.text[:60]!r} ran {times} times")
                if times and request.reply and request.reply.get("error") in NOT_RUN:
                    self.find(what, first, f"{client.name}: {request.text[:60]!r} ran, and the reply says it did not")

    def settle(self, what, first):
        """Waits until everything that was opened is closed, which may take as long as the daemon waits for output. The
        reserved descriptor may be gone until the next command."""
        deadline = time.monotonic() + 5
        while self.daemon.process.poll() is None and (more := self.daemon.descriptors() - self.daemon.at_rest):
            if time.monotonic() > deadline:
                return self.find(what, first, f"left open: {dict(more)}")
            time.sleep(0.001)

    # Starts and stops

    def start_and_stop(self):
        before = self.stopping_counts()
        for fault in self.faults(before, lasting=False):
            self.stop_with(*fault)
        self.daemon.kill()
        starting = Daemon(self.arguments)
        starting.start()
        counts = starting.control.counts()
        starting.remove()
        for fault in self.faults(counts, lasting=False):
            self.start_with(*fault)

    def stopping_counts(self):
        control = self.daemon.control
        before = control.counts()
        self.stop("without a fault", 0)
        after = collections.Counter(control.counts()) - collections.Counter(before)
        return after

    def stop_with(self, call, kind, error, first, _):
        if self.daemon.process.poll() is not None:
            self.start()
        self.daemon.control.arm(self.daemon.control.names.index(call), kind, error, first)
        self.stop(f"stop: {call} ({kind}) {name_of(error)}", first)

    def stop(self, what, first):
        self.trials += 1
        conversation = Conversation(self.daemon.folder)
        try:
            for client in conversation.clients:
                client.start(f"{self.daemon.folder}/socket")
            self.daemon.process.send_signal(signal.SIGTERM)
            for client in conversation.clients:
                client.collect()
            self.daemon.process.wait(PATIENCE)
        except (Hung, ValueError, subprocess.TimeoutExpired) as failure:
            self.find(what, first, str(failure))
        finally:
            conversation.close()
            self.daemon.control.disarm()
        if self.daemon.process.poll() != 0:
            self.find(what, first, f"the daemon ended with {self.daemon.process.poll()}: {self.daemon.errors[-300:]}")
        self.daemon.kill()

    def start_with(self, call, kind, error, first, _):
        """It serves, or it has reported why not."""
        self.trials += 1
        what = f"start: {call} ({kind}) {name_of(error)}"
        old, self.daemon = self.daemon, Daemon(self.arguments)
        control = self.daemon.control
        control.arm(self.number(old, call), kind, error, first)
        try:
            if self.daemon.start():
                control.disarm()
                self.daemon.rest()
                self.converse(f"{what}, the first conversation", first, clean=True)
            elif self.daemon.process.returncode not in START_STATUSES:
                self.find(what, first, f"ended with {self.daemon.process.returncode}: {self.daemon.errors[-300:]}")
            elif os.strerror(error) not in self.daemon.errors:
                self.find(what, first, f"does not say why it ended: {self.daemon.errors[-300:]}")
        except Hung as failure:
            self.find(what, first, str(failure))
        self.daemon.remove()
        self.daemon = old

    @staticmethod
    def number(daemon, call):
        return daemon.control.names.index(call)

    # The table

    def check_table(self):
        """Each system call that the daemon is linked to is made to fail, or table.py says why not."""
        if "ASAN_OPTIONS" in os.environ:
            # The sanitizer makes system calls of its own.
            return
        numbers = subprocess.run(
            ["cc", "-E", "-dM", "-"], input="#include <sys/syscall.h>\n", text=True, capture_output=True, check=True)
        known = set(re.findall(r"__NR_(\w+)", numbers.stdout)) | {"posix_spawn", "mkostemp", "fork", "vfork"}
        symbols = subprocess.run(
            ["nm", "-D", "--undefined-only", self.arguments.daemon], text=True, capture_output=True, check=True)
        linked = {re.sub("@.*", "", line.split()[-1]) for line in symbols.stdout.splitlines()}
        for call in sorted(linked & known):
            if call not in table.ERRORS and call not in table.LEFT_OUT:
                self.find("table.py", 0, f"{call} is neither made to fail nor left out with a reason")
        for call in table.ERRORS:
            if call not in self.daemon.control.names:
                self.find("table.py", 0, f"the library does not know {call}")

    def report(self):
        self.daemon.remove()
        for (what, text), firsts in self.findings.items():
            print(f"{what}, call {', '.join(map(str, firsts[:12]))}{' …' if len(firsts) > 12 else ''}: {text}")
        print(f"{self.trials} conversations, {len(self.findings)} findings")
        sys.exit(1 if self.findings else 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("daemon", type=os.path.abspath)
    parser.add_argument("library", type=os.path.abspath)
    parser.add_argument("--quick", type=int, metavar="TIMES",
                        help="fail each call only this many times, each time with another error")
    parser.add_argument("--only", help="only this call, for example `read` or `read:pipe`")
    parser.add_argument("--verbose", action="store_true", help="print each finding at once")
    machine = Machine(parser.parse_args())
    machine.run()
    machine.report()


main()
