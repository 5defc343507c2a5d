"""dokku-daemon-socket: it makes, lists and removes sockets whose clients may do less."""

import subprocess
import unittest

from blocks import beginning_with
from support import HERE, SOCKET, TOP, LabTest
from test_restarts import Load

UNITS = "/etc/systemd/system"
LISTS = "/etc/dokku-daemon/allow"
FOLDER = "/run/dokku-daemon"
GATE = "/var/lib/gate"
#: A dokku whose rebuild ends when somebody writes into the gate.
GATED = f'if [[ $1 == ps:rebuild ]]; then read -r word <{GATE}; echo "built $word"; else echo ran "$@"; fi'


def unit(name):
    return f"dokku-daemon-{name}.socket"


def path(name):
    return f"{FOLDER}/{name}.sock"


class SocketTest(LabTest):
    """Each test begins with the main socket alone, and a service that runs."""

    @classmethod
    def prepare(cls):
        cls.lab.stand_in(GATED)
        cls.lab.sh(f"mkfifo --mode=666 {GATE}")
        cls.lab.copy(HERE / "load.py", "/root/load.py")
        cls.lab.install()

    def setUp(self):
        super().setUp()
        self.addCleanup(
            self.lab.sh,
            f"cd {UNITS}; systemctl disable --quiet --now dokku-daemon-*.socket 2>/dev/null;"
            f"rm -rf dokku-daemon-* {LISTS}/* {FOLDER}/blog*; systemctl daemon-reload; systemctl restart dokku-daemon",
        )
        self.lab.sh("systemctl start dokku-daemon")
        self.inode = self.lab.inode()

    def call(self, words, expect=0):
        """The output of the command, which must end with that status."""
        done = self.lab.run(f"dokku-daemon-socket {words}")
        self.assertEqual(done.returncode, expect, done.stdout)
        return done.stdout

    def files(self):
        """What the command may write: every file with its mode, owner and content."""
        return self.lab.sh(
            f"find {UNITS} /etc/dokku-daemon {FOLDER} -name '*.wants' -o -printf '%p %m %u %l\\n' 2>/dev/null | sort;"
            f"cat {UNITS}/dokku-daemon-*.socket {LISTS}/* 2>/dev/null; true"
        )

    def pid(self):
        return self.lab.property("dokku-daemon", "MainPID")

    def rebuild(self):
        """A connection whose command runs until `let_go`."""
        connection = self.lab.connect()
        self.addCleanup(connection.close)
        # A test that fails may leave it running.
        self.addCleanup(self.lab.run, f"timeout 1 bash -c 'echo >{GATE}'")
        connection.sendall(b"ps:rebuild blog\n")
        self.lab.wait("the command", lambda: "ps:rebuild" in self.lab.property("dokku-daemon", "StatusText"))
        return connection

    def let_go(self, connection):
        self.lab.sh(f"echo well >{GATE}")
        self.assertEqual(connection.makefile().readline(), '{"ok":true,"output":"built well"}\n')

    def begin(self, words):
        """The command, running, and a function that reads its output up to a text."""
        # A shell that runs the tests in the background has them ignore SIGINT.
        process = subprocess.Popen(
            self.lab.command(f"exec env --default-signal=INT dokku-daemon-socket {words} 2>&1"),
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def read_to(text):
            said = ""
            while text not in said:
                line = process.stdout.readline()
                self.assertTrue(line, said)
                said += line
            return said

        return process, read_to

    def assertUntouched(self):
        self.assertEqual(self.lab.inode(), self.inode, "the main socket is the same")
        self.assertServes()

    def assertNothingMade(self, before):
        self.assertEqual(self.files(), before)
        self.assertUntouched()


class Adding(SocketTest):
    def test_while_clients_connect_without_pause(self):
        load = Load(self.lab)
        self.addCleanup(load.kill)
        for name in ["blog1", "blog2", "blog3"]:
            said = self.call(f"add {name} --read-only --app blog")
            self.assertIn(f"mount blog /var{path(name)}:/var{SOCKET}\n", said)
            self.assertServes(path(name))
        self.call("remove blog2")
        self.assertServes(path("blog3"))
        outcomes = {result["outcome"] for result in load.finish()}
        self.assertIn("answered", outcomes)
        self.assertEqual(outcomes - {"answered", "ended"}, set())
        self.assertUntouched()

    def test_a_container_uses_it_and_its_list(self):
        self.call("add blog --allow blog --app blog")
        file = f"{LISTS}/blog"
        self.assertEqual(self.lab.sh(f"stat -c '%a %U' {file} {LISTS} /etc/dokku-daemon"), "644 root\n755 root\n755 root")
        self.assertFalse([line for line in self.lab.read(file).splitlines() if not line.startswith("#")])
        inside = (
            f"mkdir -p /mnt/app; touch /mnt/app/dokku.sock; mount --bind {path('blog')} /mnt/app/dokku.sock;"
            "for line in apps:list ps:rebuild; do echo $line | setpriv --reuid=65534 --regid=65534 --clear-groups"
            " socat -t 60 - UNIX-CONNECT:/mnt/app/dokku.sock; done"
        )
        ask = f"unshare --mount --propagation private bash -c '{inside}'"
        self.assertEqual(self.lab.sh(ask).count('"ok":false'), 2)
        self.lab.sh(f"echo apps:list >>{file}; systemctl reload-or-restart dokku-daemon")
        self.lab.wait("the list", lambda: self.lab.ask("apps:list", path("blog"))["ok"])
        self.assertEqual(self.lab.sh(ask).count('"ok":false'), 1)
        self.assertUntouched()

    def test_with_every_rule(self):
        self.call("add blog-ci --name ci --allow ci --read-only --app blog")
        self.assertIn("\nFileDescriptorName=name=ci,allow=ci,read-only\n", self.lab.read(f"{UNITS}/{unit('blog-ci')}"))
        done = self.lab.run(f"systemd-analyze verify --man=yes {UNITS}/{unit('blog-ci')}")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.lab.sh(f"echo apps:list >>{LISTS}/ci; systemctl restart dokku-daemon")
        self.assertServes(path("blog-ci"))
        self.assertFalse(self.lab.ask("apps:create x", path("blog-ci"))["ok"])
        self.assertUntouched()

    def test_what_runs_may_end_first_and_the_command_says_so(self):
        connection = self.rebuild()
        process, read_to = self.begin("add blog --read-only")
        said = read_to("wait in the queue")
        self.assertIn("Running #", said)
        self.assertIn("ps:rebuild blog", said)
        self.assertIn("up to 600 seconds", said)
        self.lab.wait_until_stopping()
        self.assertIsNone(process.poll())
        with self.lab.connect() as later:
            later.sendall(b"apps:list\n")
            self.let_go(connection)
            self.assertEqual(later.makefile().readline(), '{"ok":true,"output":"ran apps:list"}\n')
        self.assertEqual(process.wait(), 0)
        self.assertServes(path("blog"))
        self.assertUntouched()

    def test_interrupted_it_says_what_goes_on(self):
        connection = self.rebuild()
        process, read_to = self.begin("add blog --read-only")
        read_to("wait in the queue")
        self.lab.wait_until_stopping()
        # As a terminal does: to the whole group.
        self.lab.sh("kill -INT $(pgrep -f '[d]okku-daemon-socket add') $(pgrep -f '[s]ystemctl restart')")
        self.assertIn("goes on with the restart", read_to("goes on"))
        self.assertEqual(process.wait(), 130)
        self.let_go(connection)
        self.lab.wait("the socket", self.lab.path(path("blog")).exists)
        self.assertServes(path("blog"))
        self.assertUntouched()

    def test_a_service_that_does_not_run_is_not_started(self):
        self.lab.sh("systemctl stop dokku-daemon.service")
        self.assertNotIn("restarts", self.call("add blog --read-only"))
        self.assertEqual(self.lab.property("dokku-daemon", "ActiveState"), "inactive")
        self.assertServes(path("blog"))
        self.assertUntouched()

    def test_twice_changes_nothing(self):
        self.call("add blog --read-only --allow blog")
        self.lab.sh(f"echo apps:list >>{LISTS}/blog")
        before, pid = self.files(), self.pid()
        self.assertIn("nothing was changed", self.call("add blog --allow blog --read-only"))
        with self.subTest("other rules"):
            self.assertIn("remove blog", self.call("add blog --read-only", expect=73))
        with self.subTest("another socket with the same list"):
            self.call("add blog2 --allow blog")
            self.assertTrue(self.lab.ask("apps:list", path("blog2"))["ok"])
            self.call("remove blog2")
        self.assertEqual(self.files(), before)
        self.assertNotEqual(self.pid(), pid)

    def test_a_list_that_gives_too_much_is_warned_of(self):
        self.lab.sh(f"install -d {LISTS}; echo 'config:set blog ...' >{LISTS}/blog")
        self.assertRegex(self.call("add blog --allow blog"), f"Warning: {LISTS}/blog: line 1")

    def test_what_is_half_made_is_completed(self):
        self.call("add blog --allow blog")
        self.lab.sh(f"systemctl disable --quiet --now {unit('blog')}; rm {LISTS}/blog")
        self.call("add blog --allow blog")
        self.assertEqual(self.lab.sh(f"systemctl is-enabled {unit('blog')}"), "enabled")
        self.assertFalse(self.lab.ask("apps:list", path("blog"))["ok"])
        self.assertTrue(self.lab.path(f"{LISTS}/blog").exists())

    def test_it_is_there_after_a_boot(self):
        self.call("add blog --read-only")
        self.lab.reboot()
        self.lab.wait("the socket", self.lab.path(path("blog")).exists)
        self.assertServes(path("blog"))


class Refusing(SocketTest):
    def test_wrong_words(self):
        before = self.files()
        for words in [
            "",
            "ad blog",
            "add",
            "add blog",
            "add blog --app blog",
            "add blog other --read-only",
            "add blog --readonly",
            "add blog --name",
            "add '' --read-only",
            "add ../blog --read-only",
            "add blog/x --read-only",
            "add .blog --read-only",
            "add -blog --read-only",
            "add _blog --read-only",
            "add 'b log' --read-only",
            "add $'blog\\nx' --read-only",
            "add blog@ --read-only",
            "add %i --read-only",
            "add blog.socket --read-only",
            f"add {'x' * 65} --read-only",
            "add blog --name ''",
            "add blog --name a,read-only",
            "add blog --name a:b",
            "add blog --allow ../ci",
            "add blog --allow ci.socket",
            "add blog --allow .ci",
            "add blog --read-only --app 'a b'",
            "list all",
            "remove",
            "remove blog other",
            "remove ../blog",
        ]:
            with self.subTest(words):
                said = self.call(words, expect=64)
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn("--help", said)
        self.assertIn("usage:", self.call("--help"))
        self.assertNothingMade(before)

    def test_without_root(self):
        before = self.files()
        for words in ["add blog --read-only", "remove blog"]:
            done = self.lab.run(f"setpriv --reuid=65534 --clear-groups dokku-daemon-socket {words}")
            self.assertEqual(done.returncode, 77)
            self.assertIn("sudo", done.stdout)
        self.assertNothingMade(before)

    def test_names_that_are_taken(self):
        self.lab.write(f"{UNITS}/{unit('blog')}", f"[Socket]\nListenStream={path('blog')}\nService=dokku-daemon.service\n")
        self.lab.sh(f"ln -s /dev/null {UNITS}/{unit('blog4')}; mkdir {path('blog2')}; touch {path('blog3')}")
        self.lab.write(f"{UNITS}/other.socket", f"[Socket]\nListenStream={path('blog5')}\nService=dokku-daemon.service\n")
        self.addCleanup(self.lab.sh, f"rm {UNITS}/other.socket")
        self.lab.sh(f"install -d {LISTS}/blog7; systemctl daemon-reload; systemctl stop dokku-daemon; systemctl start other.socket")
        self.addCleanup(self.lab.sh, "systemctl stop other.socket")
        before = self.files()
        for name, reason in {
            "read-only": "already",
            "dokku-daemon": "listens on",
            "blog": "somebody else",
            "blog2": "rmdir",
            "blog3": "exists",
            "blog4": "somebody else",
            "blog5": "other.socket",
        }.items():
            with self.subTest(name):
                said = self.call(f"add {name} --read-only", expect=73)
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn(reason, said)
        self.assertIn("no file", self.call("add blog6 --allow blog7", expect=73))
        for name in ["read-only", "blog", "blog4"]:
            with self.subTest(f"remove {name}"):
                self.call(f"remove {name}", expect=73)
        self.assertIn("no socket", self.call("remove blog6", expect=66))
        self.assertNothingMade(before)

    def test_wrong_settings(self):
        before, pid = self.files(), self.pid()
        self.lab.sh("echo DOKKU_DAEMON_TIMEOUT=soon >>/etc/default/dokku-daemon")
        self.addCleanup(self.lab.sh, "sed -i /soon/d /etc/default/dokku-daemon")
        said = self.call("add blog --allow blog", expect=78)
        self.assertIn("DOKKU_DAEMON_TIMEOUT", said)
        self.assertNothingMade(before)
        self.assertEqual(self.pid(), pid)

    def test_a_list_with_a_wrong_line(self):
        self.lab.sh(f"install -d {LISTS}; echo '* blog' >{LISTS}/blog")
        before, pid = self.files(), self.pid()
        said = self.call("add blog --allow blog", expect=78)
        self.assertIn(f"{LISTS}/blog: line 1", said)
        self.assertNothingMade(before)
        self.assertEqual(self.pid(), pid)

    def test_a_start_that_fails_leaves_nothing(self):
        self.lab.write(f"{UNITS}/{unit('blog')}.d/fail.conf", "[Socket]\nExecStartPre=/bin/false\n")
        before = self.files()
        for stop in ["", "systemctl stop dokku-daemon.service"]:
            with self.subTest(stop):
                self.lab.sh(stop)
                self.assertIn("removed again", self.call("add blog --allow blog", expect=1))
                self.assertEqual(self.lab.sh("systemctl list-units --failed --no-legend --plain 'dokku*'"), "")
                self.assertNothingMade(before)


class ListingAndRemoving(SocketTest):
    def test_the_list(self):
        self.call("add blog-ci --name ci --allow ci")
        self.lab.write(f"{UNITS}/other.socket", "[Socket]\nListenStream=/run/other.sock\nService=dokku-daemon.service\n")
        self.addCleanup(self.lab.sh, f"systemctl stop other.socket; rm {UNITS}/other.socket; systemctl daemon-reload")
        self.lab.sh("systemctl daemon-reload; systemctl stop dokku-daemon; systemctl start other.socket")
        lines = self.lab.sh("setpriv --reuid=65534 --clear-groups dokku-daemon-socket list").splitlines()
        self.assertEqual(
            sorted(line.split() for line in lines[1:]),
            sorted(
                [
                    ["dokku-daemon", SOCKET, "descriptors", "active"],
                    ["read-only", path("read-only"), "read-only", "inactive"],
                    ["blog-ci", path("blog-ci"), "name=ci,allow=ci", "active"],
                    ["other", "/run/other.sock", "-", "active"],
                ]
            ),
        )

    def test_a_removed_socket_is_gone_also_where_it_is_mounted(self):
        self.call("add blog --allow blog")
        self.lab.sh(f"touch /mnt/blog.sock; mount --bind {path('blog')} /mnt/blog.sock")
        self.addCleanup(self.lab.sh, "umount /mnt/blog.sock")
        self.lab.sh(f"echo apps:list >>{LISTS}/blog; systemctl restart dokku-daemon")
        self.assertServes(path("blog"))
        connection = self.rebuild()
        process, read_to = self.begin("remove blog")
        said = read_to("wait in the queue")
        for words in ["still reach it", "ps:rebuild blog", f"{LISTS}/blog stays"]:
            self.assertIn(words, said)
        self.lab.wait_until_stopping()
        self.let_go(connection)
        self.assertEqual(process.wait(), 0)
        self.assertFalse(self.lab.path(path("blog")).exists())
        self.assertIn("refused", self.lab.run("socat -u OPEN:/dev/null UNIX-CONNECT:/mnt/blog.sock").stdout)
        self.assertEqual(self.lab.sh(f"find {UNITS} -name '*blog*'; ls {LISTS}"), "blog")
        self.assertEqual(self.lab.property(unit("blog"), "LoadState"), "not-found")
        self.assertUntouched()

    def test_without_a_service_none_is_started(self):
        self.call("add blog --read-only")
        self.lab.sh("systemctl stop dokku-daemon.service")
        self.assertNotIn("restarts", self.call("remove blog"))
        self.assertEqual(self.lab.property("dokku-daemon", "ActiveState"), "inactive")
        self.assertUntouched()


class Readme(SocketTest):
    def test_from_nothing_to_working_in_five_lines(self):
        # The page mounts the client as well, whose package is not installed here.
        first = "sudo dokku-daemon-socket add blog --allow blog --app blog"
        lines = [line for line in beginning_with(first) if not line.endswith(":/usr/bin/dokku")]
        self.assertEqual(len(lines), 5)
        self.lab.stand_in(f'echo "$@" >>{FOLDER}/../dokku-ran; echo ran "$@"')
        self.lab.sh(f"touch {FOLDER}/../dokku-ran; chmod 666 {FOLDER}/../dokku-ran")
        self.addCleanup(self.lab.stand_in, GATED)
        said = self.lab.sh(lines[0])
        self.assertNotIn(":/usr/bin/dokku", said)
        for line in lines[1:]:
            self.assertIn(f"  {line}\n", f"{said}\n")
            self.lab.sh(line)
        mount = next(line.split() for line in self.lab.read("/run/dokku-ran").splitlines() if "storage:mount" in line)
        socket, inside = mount[2].split(":")
        self.assertEqual(inside, f"/var{SOCKET}")
        socket = socket.removeprefix("/var")
        self.lab.wait("the list", lambda: self.lab.ask("ps:restart blog", socket)["ok"])
        for line in ["ps:restart other", "apps:list", "ps:restart", "ps:restart blog --app other"]:
            self.assertFalse(self.lab.ask(line, socket)["ok"], line)
        self.assertUntouched()


class Package(LabTest):
    """Removal keeps the sockets as settings; purge does not."""

    options = [f"--bind-ro={TOP}:/src"]

    @classmethod
    def prepare(cls):
        cls.lab.stand_in('echo ran "$@"')

    def assertStopped(self):
        self.assertEqual(self.lab.run(f"find {FOLDER} -type s 2>/dev/null").stdout, "")
        self.assertEqual(self.lab.run(f"systemctl is-active {unit('blog')}").stdout.strip(), "inactive")

    def test_remove_install_and_purge(self):
        self.lab.install()
        self.lab.sh("dokku-daemon-socket add blog --read-only; dokku-daemon-socket add blog2 --allow blog2")
        self.lab.write(f"{UNITS}/{unit('mine')}", "[Socket]\nListenStream=/run/mine.sock\n")
        self.lab.sh("dpkg --remove dokku-daemon")
        self.assertStopped()
        with self.subTest("a boot without the package, with another daemon in its place"):
            self.lab.write(f"{UNITS}/dokku-daemon.service", "[Service]\nExecStart=/bin/sleep infinity\n")
            self.lab.reboot()
            self.assertStopped()
            self.assertEqual(self.lab.sh("systemctl list-units --failed --no-legend --plain 'dokku*'"), "")
            self.lab.sh(f"rm {UNITS}/dokku-daemon.service")
        self.lab.install()
        self.assertServes()
        self.assertServes(path("blog"))
        self.lab.sh("dpkg --purge dokku-daemon")
        self.assertStopped()
        self.assertEqual(self.lab.sh("find /etc -name '*dokku-daemon*'"), f"{UNITS}/{unit('mine')}")

    def test_make_uninstall(self):
        self.lab.sh("/src/packaging/install; systemctl enable --quiet --now dokku-daemon.socket")
        self.lab.sh("dokku-daemon-socket add blog --read-only; /src/packaging/uninstall")
        self.assertStopped()
        self.assertTrue(self.lab.path(f"{UNITS}/{unit('blog')}").exists())
        self.lab.sh("/src/packaging/install; systemctl enable --quiet --now dokku-daemon.socket")
        self.assertServes()
        self.assertServes(path("blog"))


if __name__ == "__main__":
    unittest.main()
