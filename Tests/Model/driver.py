# Carries out a conversation, step by step, with a daemon of its own, and lets the model judge the results.
import fcntl
import os
import select
import signal
import socket
import shutil
import tempfile
import zlib

import schedule
import sharing
from children import Children
from client import Client
from daemon import NEVER, Daemon
from model import Model
from outsider import Outsider
from reading import LISTED
from violation import Violation

# The virtual time in which everything that has begun must end.
LONGEST = 2000 * 10**9
# The content of the file that `<` names.
INPUT = b"key\n" * 1000


class Driver:
    def __init__(self, binary, tools, listeners, settings):
        self.folder = tempfile.mkdtemp(prefix="model.")
        self.settings = settings
        for name in ("state", "plugins", "plugins/enabled", "core", "core/enabled"):
            os.mkdir(f"{self.folder}/{name}")
        sockets = []
        for index, rules in enumerate(listeners):
            each = socket.socket(socket.AF_UNIX)
            each.bind(f"{self.folder}/{index}")
            each.listen(1024)
            sockets.append((rules, each))
        self.listeners = sockets
        self.daemon = Daemon(binary, tools, self.folder, sockets, settings)
        self.children = Children(f"{self.folder}/children")
        self.model = Model(settings)
        self.clients = self.model.clients
        with open(f"{self.folder}/input", "wb") as file:
            file.write(INPUT)
        # The daemon must not open it, not even to find out what it is.
        os.mkfifo(f"{self.folder}/fifo")
        self.fifo = os.open(f"{self.folder}/fifo", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.lock = None
        # Another program that waits for the lock.
        self.outsider = None
        self.is_held = False
        self.plugins = []
        self.plugin_stamp = 10**18
        # How the next readings of the list of commands are answered, and the readings that wait for their answer.
        self.help_mode = "answer"
        self.readings = []
        self.log = None
        self.log_rest = b""
        # The number of the current daemon.
        self.epoch = 0
        self.start()

    def close(self):
        self.daemon.end()
        self.children.end()
        if self.outsider is not None:
            self.outsider.end()
        for each in self.clients.values():
            each.socket.close()
        for _, each in self.listeners:
            each.close()
        for number in (self.lock, self.log, self.fifo):
            if number is not None:
                os.close(number)
        shutil.rmtree(self.folder, ignore_errors=True)

    # MARK: Steps

    def step(self, step):
        name, *arguments = step
        if not self.daemon.is_alive and name not in ("start", "unlock", "exit"):
            return
        if getattr(self, "do_" + name)(*arguments) is False or self.is_held:
            return
        self.settle()

    def do_hold(self):
        self.is_held = True

    def do_go(self):
        self.is_held = False

    def do_connect(self, name, listener):
        if name in self.clients or listener >= len(self.listeners):
            return False
        rules = self.listeners[listener][0]
        self.clients[name] = Client(name, listener, rules, f"{self.folder}/{listener}", self.limits())
        self.clients[name].connected_at = self.daemon.now

    def limits(self):
        return {"DOKKU_DAEMON_MAX_LINE": 1 << 20, "DOKKU_DAEMON_MAX_INPUT": 1 << 30} | self.settings

    def client(self, name):
        client = self.clients.get(name)
        return None if client is None or client.is_closed or client.has_end else client

    def do_send(self, name, request, count):
        client = self.client(name)
        if client is None or client.wants_half:
            return False
        if self.awaits_word(client):
            return False
        client.tail += self.wire(request)
        client.announced += "stdin_chunks" in request["line"]
        client.release(count)

    def awaits_word(self, client):
        """A client that has announced chunks sends nothing until the daemon asks for them."""
        if client.announced > sum(b"stdin_chunks" in each.line for each in client.requests):
            return True
        return any(each.is_chunked and each.lane is not None and each.answer is None and not each.events
                   for each in client.requests)

    def wire(self, request):
        """The bytes of a request. Puts in the number of the job to cancel, which is known only now."""
        text = request["line"]
        if "cancels" in request:
            target = self.model.find(request["cancels"].encode(), request.get("which", 0))
            # A daemon that stops may leave this to the next one, which has other numbers.
            is_known = target is not None and target.job and self.model.stop_at is None
            number = target.job if is_known else 987654321
            if is_known:
                target.cancel_asked = True
                self.model.cancelled.add(number)
                target.is_cancelled_late = target.run is not None and target.run.status is not None
            text = text.replace("NUMBER", str(number))
        text = text.replace("FOLDER", self.folder)
        body = request.get("body", "")
        if isinstance(body, int):
            body = "test:run evil1\n" * (body // 15 + 1)
            body = body[:request["body"]]
        return (text + request.get("end", "\n") + body).encode("latin-1")

    def do_more(self, name, count):
        client = self.client(name)
        if client is None or not client.tail or client.wants_half:
            return False
        client.release(count)

    def do_half(self, name):
        client = self.client(name)
        if client is None or client.wants_half:
            return False
        client.wants_half = True

    def do_close(self, name):
        client = self.client(name)
        if client is None:
            return False
        client.close(self.arrive)

    def do_pause(self, name):
        if client := self.client(name):
            client.reads = False

    def do_resume(self, name):
        if client := self.client(name):
            client.reads = True

    def do_take(self, name, count):
        if client := self.client(name):
            client.allowance += count

    # MARK: Steps that control children

    def run(self, token):
        run = self.model.runs.get(token.encode())
        return None if run is None or run.child.is_dead or run.child.is_busy else run

    def do_write(self, token, stream, data):
        """If `data` is a number, writes lines with that many bytes in all."""
        run = self.run(token)
        if run is None:
            return False
        self.write(run, run.child, stream, data)

    def do_both(self, token, parts):
        """Writes pieces to either stream, without a turn of the loop between them."""
        run = self.run(token)
        if run is None:
            return False
        for stream, data in parts:
            if stream not in getattr(run, "shut", ()) and not run.child.is_dead and not run.child.is_busy:
                self.write(run, run.child, stream, data)

    def write(self, run, child, stream, data):
        if self.is_held and run.is_over:
            # It comes in the same turn as the end, and may or may not be in the reply.
            return
        if isinstance(data, int):
            order = b"p%d%d" % (stream, data)
            data = (b"x" * 63 + b"\n") * (data // 64 + 1)
            data = data[:int(order[2:])]
        else:
            data = data.encode("latin-1")
            order = b"w%d" % stream + data
        # A large piece gets a turn of its own: otherwise two streams could have too many possible orders.
        is_large = len(data) > 2000
        if run.unsettled is not None and (is_large or run.unsettled):
            self.settle()
            if child.is_dead or child.is_busy:
                return
        run.unsettled = is_large
        if run.counts(self.model.now, self.drain_grace):
            run.pieces.append((stream, data))
            run.turns.append(self.model.turn)
        child.order(order)
        self.await_calm(child)
        if self.is_held and child.is_busy:
            # Otherwise it would be a matter of luck how much is there when the turn ends.
            self.settle()

    @property
    def drain_grace(self):
        return int(float(self.settings.get("DOKKU_DAEMON_DRAIN_GRACE", 2)) * 10**9)

    def await_calm(self, child):
        """Waits until an order is carried out, or waits for the daemon."""
        while child.is_busy and not child.poll(0.0005):
            # A child that sleeps while it carries out an order waits in write(2) or read(2).
            if child.sleeps() and not child.poll():
                return
        if child.was_answered is not None and child.was_answered.startswith(b"k32") and child.epoch == self.epoch:
            raise Violation("a process writes to a pipe that is closed: it would get a SIGPIPE")

    def do_input(self, token, count):
        run = self.run(token)
        if run is None:
            return False
        run.child.order(b"r%d" % count)
        run.input_orders = getattr(run, "input_orders", 0) + 1
        run.reads_to = count
        self.await_calm(run.child)
        self.settle()
        self.judge_input(run)

    def judge_input(self, run):
        answer = run.child.input_read
        size, checksum = run.request.input_size, run.request.input_sum
        if run.request.redirection is not None and run.request.redirection[0] == b"<":
            size, checksum = len(INPUT), zlib.crc32(INPUT)
        if answer is None or getattr(run, "injects", False) or run.input_orders > 1 or run.reads_to < size:
            return
        if run.request.input_size and self.model.may_refuse(run.request, "input_too_long"):
            return
        failure, count, total, kind = answer[1:].split()
        if (int(count), int(total)) != (size, checksum):
            raise Violation(f"a wrong standard input\n{count} bytes of {size} for {run.request}")
        if run.request.name == "ssh-keys:add" and run.request.has_input and kind != b"pipe":
            raise Violation(f"the input is no pipe, but the command takes only a pipe\n{run.request}")

    def do_inject(self, token, data):
        run = self.run(token)
        if run is None:
            return False
        run.injects = True
        run.child.order(b"e" + data.encode("latin-1"))
        self.await_calm(run.child)

    def do_shut(self, token, stream):
        run = self.run(token)
        if run is None or stream in getattr(run, "shut", ()):
            return False
        run.shut = getattr(run, "shut", ()) + (stream,)
        run.child.order(b"c%d" % stream)
        self.await_calm(run.child)

    def do_deaf(self, token):
        run = self.run(token)
        if run is None:
            return False
        run.child.order(b"i")
        self.await_calm(run.child)
        run.child.is_deaf = True

    def do_fork(self, token):
        """The run leaves a process behind."""
        run = self.run(token)
        if run is None or hasattr(run, "left"):
            return False
        run.child.order(b"f")
        run.left = self.children.accept()
        run.left.epoch = run.child.epoch
        self.await_calm(run.child)

    def left(self, token):
        run = self.model.runs.get(token.encode())
        return (run, run.left) if run is not None and hasattr(run, "left") and not run.left.is_dead else (None, None)

    def do_leftwrite(self, token, stream, data):
        run, child = self.left(token)
        if run is None or stream in getattr(run, "shut", ()):
            return False
        self.write(run, child, stream, data)

    def do_leftinject(self, token, data):
        run, child = self.left(token)
        if run is None:
            return False
        run.injects = True
        child.order(b"e" + data.encode("latin-1"))
        self.await_calm(child)

    def do_leftexit(self, token):
        run, child = self.left(token)
        if run is None:
            return False
        child.order(b"x0")
        child.poll(20)

    def do_exit(self, token, status):
        run = self.run(token)
        if run is None:
            return False
        self.end_child(run.child, b"x%d" % status, status)

    def do_die(self, token, number):
        run = self.run(token)
        if run is None:
            return False
        self.end_child(run.child, b"s%d" % number, -number)

    def end_child(self, child, order, status):
        child.status = status
        child.order(order)
        child.poll(20)
        self.note_deaths()

    def note_deaths(self):
        """If a child ended without an order of the test, the daemon has ended it."""
        for run in self.model.runs.values():
            if run.child.is_dead and run.status is None:
                status = getattr(run.child, "status", None)
                if status is None:
                    run.was_ended = True
                    status = -9 if run.child.is_deaf else -15
                self.model.ended(run, status)

    # MARK: Other steps

    def do_advance(self, milliseconds):
        """Time passes. None: up to the time that the daemon itself waits for."""
        self.settle()
        if not self.daemon.is_alive:
            return False
        if milliseconds is None:
            if self.daemon.deadline == NEVER:
                return False
            milliseconds = max(0, self.daemon.deadline - self.daemon.now) / 10**6
        end = self.daemon.now + int(milliseconds * 10**6)
        # As with a real clock, the daemon's own deadlines pass one after another.
        while self.daemon.is_alive and self.daemon.deadline < end:
            self.pass_time(max(self.daemon.deadline, self.daemon.now + 10**6))
        if self.daemon.is_alive:
            self.pass_time(end)
            self.judge_patience()

    def pass_time(self, until):
        self.daemon.now = until
        if self.model.stop_at is not None:
            # The daemon drops clients that take nothing of their replies for some seconds.
            for client in self.clients.values():
                client.is_unread |= not client.reads and self.daemon.now - self.model.stop_at >= 10**9
        self.model.now = self.daemon.now
        if any(self.daemon.now - since >= 60 * 10**9 for _, _, since in self.readings):
            self.model.help_failed = True
        given_up = []
        for client in self.clients.values():
            body_of = client.stream.body_of
            # There is no time limit for an input that the daemon has not asked for, or that follows an unanswered plain line.
            if not client.is_accepted:
                continue
            is_next = body_of is not None and (body_of.events or not body_of.is_chunked) and all(
                each.is_json or each is body_of for each in client.opened) and len(client.opened) <= self.model.setting("MAX_OPEN", 64)
            if body_of is not None and not is_next:
                # Its time begins when the requests before it are answered.
                client.sent_at = self.daemon.now
            if is_next and self.daemon.now - client.sent_at >= 60 * 10**9:
                client.stream.give_up()
                given_up.append((client, body_of))
            if client.stream.has_part and self.daemon.now - client.sent_at >= 100 * 10**6:
                self.arrive(client, client.stream.pause())
        self.settle()
        for client, request in given_up:
            if request.answer is None and client.reads and not client.is_gone and not client.is_rejected and self.daemon.is_alive:
                raise Violation(f"the daemon waits too long for an input\n{request}")

    def judge_followers(self):
        """A command whose client has left must not wait to write."""
        for run in self.model.runs.values():
            if run.request.lane == "follow" and run.request.client.is_closed and run.child.is_busy and run.child.epoch == self.epoch:
                raise Violation(f"a command whose client has left waits to write\n{run.request}")

    def judge_inputs(self):
        """A stop does not wait for the rest of an input: its client gets an answer at once."""
        if self.model.stop_at is None:
            return
        for client in self.clients.values():
            body_of = client.stream.body_of
            if body_of is not None and client.opened == [body_of] and client.is_accepted and client.reads and not (
                    client.is_gone or client.has_end or client.out or client.is_rejected):
                raise Violation(f"a stop waits for the rest of an input\n{body_of}")

    def judge_sleep(self):
        """A daemon that was told to stop must end at once if there is nothing to wait for."""
        if self.model.stop_at is None or self.children.living:
            return
        if all(client.is_lost or client.is_closed or client.is_half and client.has_end
               for client in self.clients.values()):
            raise Violation("a daemon does not stop, though there is nothing to wait for")

    def judge_patience(self):
        """A stop waits for running commands, and after that at most a minute for clients to read."""
        if self.model.stop_at is None or not self.daemon.is_alive or self.children.living:
            return
        last = max([run.ended_at for run in self.model.runs.values()] + [self.model.stop_at])
        if self.daemon.now - last >= 65 * 10**9:
            raise Violation("a client holds up the stop")

    def do_raw(self, name, data):
        """Sends bytes that are no request: the input that a request has announced."""
        client = self.client(name)
        if client is None or client.wants_half:
            return False
        client.tail += data.encode("latin-1")
        client.release(None)

    def do_term(self):
        # What is in the socket at this time counts as received.
        for client in self.clients.values():
            client.pump(self.daemon.now, self.arrive)
            if self.model.stop_at is None and not client.is_closed:
                self.arrive(client, client.stream.stop())
        for run in self.model.runs.values():
            if run.status is not None and (run.request.lane == "follow" or self.model.stop_at is not None):
                run.is_over = True
        if self.model.stop_at is not None:
            # The second SIGTERM waits for no client that has not read its replies.
            self.model.is_hurried = True
            for client in self.clients.values():
                client.is_unread |= not client.reads or len(client.out) > 0 or len(client.opened) > 100
        if self.model.stop_at is None:
            self.model.stop_at, self.model.stop_turn = self.model.now, self.model.turn + 1
        self.daemon.signal(signal.SIGTERM)

    def do_hup(self):
        try:
            os.rename(f"{self.folder}/log", f"{self.folder}/log.1")
        except OSError:
            pass
        self.daemon.signal(signal.SIGHUP)

    def do_kill(self):
        self.settle()
        if self.daemon.is_alive:
            self.model.was_killed = True
            self.daemon.signal(signal.SIGKILL)
            self.did_exit()
        return False

    def do_start(self):
        if self.daemon.is_alive:
            return False
        self.start()

    def start(self):
        self.epoch += 1
        self.model.epoch = self.epoch
        # The numbers of jobs begin at 1 again.
        for request in self.model.requests():
            request.job = None
        self.model.jobs = {}
        self.model.stop_at = self.model.stop_turn = None
        self.model.is_hurried = False
        self.daemon.start()
        self.settle()
        self.usual = self.daemon.descriptors() if self.daemon.is_alive else {}

    def do_lock(self):
        """Another program takes the lock, if it is free."""
        if self.lock is not None or self.outsider is not None:
            return False
        number = os.open(f"{self.folder}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(number)
            return False
        self.lock = number
        self.model.is_locked = True

    def do_queue_up(self):
        """Another program waits for the lock, if it is not free."""
        if self.do_lock() is not False:
            return self.do_unlock()
        if self.lock is not None or self.outsider is not None:
            return False
        self.outsider = Outsider(f"{self.folder}/lock")
        self.model.wanted_since = self.daemon.now
        # The daemon does not look each time who waits.
        self.do_advance(150)

    def note_lock(self):
        """Notices that the program that waited has the lock."""
        if self.outsider is not None and self.outsider.has_lock():
            self.lock, self.outsider = self.outsider.number, None
            self.model.is_locked, self.model.wanted_since = True, None

    def judge_outsider(self):
        if self.outsider is not None and not self.model.has_orphans and not schedule.holds_lock(self.model):
            raise Violation("another program waits for the lock, though no command runs")

    def do_unlock(self):
        if self.lock is None:
            return False
        os.close(self.lock)
        self.lock = None
        self.model.is_locked = False

    def do_plugin(self, name):
        """Installs a plugin, or removes it if it is installed."""
        path = f"{self.folder}/plugins/enabled/{name}"
        if name in self.plugins:
            self.plugins.remove(name)
            os.rmdir(path)
        else:
            self.plugins.append(name)
            os.mkdir(path)
        # Set by hand, because two changes may get the same time from the file system.
        self.plugin_stamp += 10**9
        os.utime(f"{self.folder}/plugins/enabled", ns=(self.plugin_stamp, self.plugin_stamp))
        for client in self.clients.values():
            for request in client.requests:
                if request.name.startswith(f"{name}:"):
                    request.known_all_along = set()

    def do_help(self, mode):
        """How the list of commands is answered from here on: `answer`, `hold`, `fail`, `nothing`."""
        self.help_mode = mode
        if mode in ("fail", "nothing"):
            self.model.help_failed = True
        if mode != "hold":
            for child, names, _ in self.readings:
                self.answer_reading(child, names)
            self.readings = []

    def do_deafhelp(self):
        """The processes that are asked for the list of commands ignore SIGTERM."""
        for child, _, _ in self.readings:
            if not child.is_dead and not child.is_deaf and not child.is_busy:
                child.order(b"i")
                self.await_calm(child)
                child.is_deaf = True
        return False

    def answer_reading(self, child, names):
        if child.is_dead:
            return
        if self.help_mode != "nothing":
            child.order(b"w1" + b"".join(b"    %s  something\n" % name.encode() for name in names))
            self.await_calm(child)
        child.order(b"x1" if self.help_mode == "fail" else b"x0")
        child.poll(20)

    # MARK: Coming to rest

    def settle(self):
        self.model.turn += 1
        for run in self.model.runs.values():
            run.unsettled = None
        blocked = []
        for _ in range(100000):
            if not self.daemon.is_alive:
                return
            moved = False
            for client in list(self.clients.values()):
                moved |= client.pump(self.daemon.now, self.arrive)
            pids = self.daemon.rest()
            self.note_accepted()
            self.model.round += 1
            met = [child for child in map(self.children.meet, pids) if child is not None]
            self.read_log()
            # Children may have ended while the daemon ran.
            for child in self.children.living:
                if child.is_busy:
                    self.await_calm(child)
                    moved |= not child.is_busy
                if not child.is_busy and not child.is_dead and child not in met and child.parent is None:
                    moved |= child.ping()
            # A child that waits to write may have gone on after the daemon's turn. There is no rest until that has stopped.
            were_blocked, blocked = blocked, [child for child in self.children.living if child.is_busy]
            moved |= bool(blocked) and (self.daemon.was_busy or blocked != were_blocked)
            self.note_deaths()
            recorded = self.recorded() if met else set()
            for child in met:
                moved = True
                child.epoch = self.epoch
                if self.model.started(child, recorded) is None:
                    self.did_ask_for_help(child)
                # The daemon may have ended the child already.
                if not child.is_dead and not child.is_busy:
                    child.ping()
                self.note_deaths()
            self.note_lock()
            self.model.note_waiting()
            for client in self.clients.values():
                moved |= client.receive()
                for line in client.lines():
                    self.model.receive(client, line)
                self.judge_link(client)
            if not self.daemon.is_alive:
                self.did_exit()
                return
            if not moved:
                self.judge_followers()
                self.judge_inputs()
                self.model.judge_shares()
                self.model.has_orphans = any(getattr(child, "epoch", 0) != self.epoch for child in self.children.living)
                schedule.judge_rest(self.model)
                sharing.judge_cancelled(self.model)
                self.judge_outsider()
                return self.judge_sleep()
        raise Violation("the conversation does not come to rest")

    def note_accepted(self):
        """What a client sends before it is accepted arrives when it is accepted."""
        for client in self.clients.values():
            if not client.is_accepted and self.model.stop_at is None:
                client.is_accepted = True
                client.sent_at = self.daemon.now

    def arrive(self, client, requests):
        names = {f"{plugin}:go" for plugin in self.plugins}
        for request in requests:
            request.known_all_along = set(names)
        self.model.arrive(client, requests)

    def did_ask_for_help(self, child):
        names = LISTED + [f"{plugin}:go" for plugin in self.plugins]
        if self.help_mode == "hold":
            self.readings.append((child, names, self.daemon.now))
        else:
            self.answer_reading(child, names)

    def read_log(self):
        """Reads the new lines of the log, also of a renamed log that the daemon still had open."""
        if self.log is None or os.fstat(self.log).st_ino != self.log_inode():
            self.drain_log()
            try:
                following = os.open(f"{self.folder}/log", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return
            if self.log is not None:
                os.close(self.log)
            self.log = following
        self.drain_log()

    def recorded(self):
        """The jobs that run, by the record that the daemon keeps for the next one: of those that share a run, the first."""
        try:
            with open(f"{self.folder}/state/running", "rb") as file:
                record = file.read()
        except OSError:
            return set()
        slots = [record[start:start + 24].split(b" ")[0] for start in range(0, len(record), 2048)]
        return {int(each) for each in slots if each.isdigit()}

    def log_inode(self):
        try:
            return os.stat(f"{self.folder}/log").st_ino
        except OSError:
            return None

    def drain_log(self):
        while self.log is not None and (text := os.read(self.log, 1 << 20)):
            lines, _, self.log_rest = (self.log_rest + text).rpartition(b"\n")
            self.model.read_log(lines)

    def judge_link(self, client):
        """The daemon must end a connection only if its client has ended it."""
        if not client.has_end or client.is_half or client.is_rejected or client.is_lost:
            return
        if "one-shot" in client.rules or client.stream.is_broken or self.model.stop_at is not None or not self.daemon.is_alive:
            return
        if self.model.setting("MAX_CONNECTIONS", 1000) < 1000:
            return
        raise Violation(f"the daemon has ended a connection\n{client.name}")

    def did_exit(self):
        """The daemon has ended: judges what the clients got, and notes which of them wait for the next daemon."""
        if self.daemon.exit != (0 if not self.daemon.exit == -9 or not self.model.was_killed else -9):
            raise Violation(f"the daemon has ended by itself\nstatus {self.daemon.exit}")
        if self.daemon.exit == 0:
            # The kernel may be about to end a child.
            for child in self.children.living:
                is_own = child.parent is None and child.epoch == self.epoch
                if is_own and not child.is_busy and not child.ping():
                    raise Violation("a child is left behind at the stop")
            self.note_deaths()
        for client in self.clients.values():
            client.reads = True
            client.receive()
            for line in client.lines():
                self.model.receive(client, line)
            if client.has_end and not client.is_lost:
                if self.daemon.exit == 0:
                    self.model.judge_end(client)
                client.is_lost = True
            if client.is_closed:
                client.is_lost = True

    # MARK: The end of a conversation

    def finish(self):
        """Ends everything. Then every request must be answered, and nothing may be left."""
        self.is_held = False
        self.settle()
        if self.lock is not None:
            self.do_unlock()
        self.do_help("answer")
        if not self.daemon.is_alive:
            self.start()
        for client in self.clients.values():
            client.reads = True
        self.settle()
        self.let_all_end()
        if self.model.stop_at is not None:
            self.judge_stop()
            self.start()
            self.let_all_end()
        for client in self.clients.values():
            if not client.is_lost:
                self.model.judge_end(client)
        self.probe()
        self.end_links()
        self.judge_rest()
        self.do_term()
        self.settle()
        if self.daemon.is_alive:
            raise Violation("a daemon with nothing to do does not stop")
        self.model.judge_log()

    def let_all_end(self):
        """Ends each command, so that the next gets its turn, and so on. If no command runs, time passes."""
        start = self.daemon.now
        for _ in range(20000):
            if not self.daemon.is_alive:
                return
            if self.lock is not None:
                self.do_unlock()
            idle = [each for each in self.children.living if not each.is_busy]
            if idle:
                self.end_child(idle[0], b"x0", 0)
                self.settle()
            elif self.is_waiting():
                if self.daemon.deadline == NEVER or self.daemon.now - start > LONGEST:
                    return
                self.do_advance(None)
            else:
                return
        raise Violation("the commands do not end")

    def is_waiting(self):
        if self.model.stop_at is not None or self.children.living:
            return True
        return any(not client.is_gone and any(each.answer is None for each in client.requests)
                   or any(each.lane in ("queue", "beside", "output") and each.is_whole and each.run is None
                          for each in client.requests) and client.is_closed
                   for client in self.clients.values())

    def judge_stop(self):
        if self.daemon.is_alive:
            raise Violation("the daemon does not stop, though all commands have ended")

    def probe(self):
        name = f"probe{self.model.turn}"
        self.do_connect(name, 0)
        if self.clients[name].rules:
            return
        self.do_send(name, {"line": "daemon:status"}, None)
        self.settle()
        self.let_all_end()
        self.model.judge_end(self.clients[name])
        answer = self.clients[name].requests[0].answer
        if answer is not None and answer["ok"]:
            self.model.judge_counts(answer["output"], self.epoch)

    def end_links(self):
        for client in self.clients.values():
            client.wants_half = True
            client.tail.clear()
        self.settle()
        self.let_all_end()
        for _ in range(20):
            if all(client.is_closed or client.await_end(0) for client in self.clients.values()):
                break
            if self.daemon.deadline == NEVER:
                break
            self.do_advance(None)
        for client in self.clients.values():
            if not client.is_closed and not client.await_end(5):
                raise Violation(f"the daemon does not end a connection\n{client.name} ({client.rules or 'no rules'})")
            if not client.is_lost:
                self.model.judge_end(client)
        self.model.judge_runs()

    def judge_rest(self):
        # A connection that may hold passed files is closed a moment later.
        self.do_advance(2000)
        open_files = self.daemon.descriptors()
        # One pipe may be kept for the next command. `usual` may include a reading of the list of commands at the start.
        expected = {"socket": self.usual.get("socket", 0), "pipe": self.usual.get("pipe", 0) + 1,
                    "anon_inode:[pidfd]": 0, f"{self.folder}/lock": 0}
        for kind, most in expected.items():
            if open_files.get(kind, 0) > most:
                raise Violation(f"descriptors are left open\n{open_files}, at first {self.usual}")
        if self.daemon.memory() > 120 * 1024:
            raise Violation(f"too much memory\n{self.daemon.memory()} KiB")
        if self.children.living:
            raise Violation("a child is left")
        # A reader sees an end only after there was a writer, pipe(7).
        if select.select([self.fifo], [], [], 0)[0]:
            raise Violation("a FIFO was opened in place of a file")
