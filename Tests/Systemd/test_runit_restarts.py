"""Restarts, stops and crashes of the service, and of the whole container, while clients in another container wait."""

import re
import signal
import time
import unittest

from containers import SERVICE
from runit import CLIENT, SOCKET, RunitTest

MOVED = "dokku-client: the daemon is stopping; waiting for the next one\n"
INTERRUPTED = "dokku-client: the daemon ended while it ran: "


class Restarts(RunitTest):
    def test_a_restart_lets_the_command_end(self):
        dokku, other = self.serving(), self.other()
        alone = self.other(SOCKET, self.file)
        self.assertEqual(alone.sh("dokku-client apps:list"), "ran apps:list")
        first = dokku.pid()

        running = other.popen(f"{CLIENT} ps:rebuild blog")
        self.assertEqual(self.gate.begun(), "blog")
        waiting = other.popen(f"{CLIENT} apps:create wiki")
        dokku.wait_until_said(" apps:create wiki\n")
        for _ in range(2):
            # Who does not wait long enough, and tries again, does no harm.
            done = dokku.sv("-w", "1", "restart")
            self.assertEqual((done.returncode, done.stdout[:12]), (1, "timeout: run"))
        dokku.wait("no socket", lambda: not self.file.exists())
        self.assertEqual(other.run(f"{CLIENT} apps:list").returncode, 69)
        self.gate.open()
        self.assertEnds(running, 0, "went on\nran ps:rebuild blog\n")
        self.assertEnds(waiting, 0, "ran apps:create wiki\n", MOVED)

        self.assertNotIn(dokku.pid(), (first, None))
        self.assertEqual(other.sh(f"{CLIENT} apps:list"), "ran apps:list")
        done = alone.run("dokku-client apps:list")
        self.assertEqual((done.returncode, done.stdout[:30]), (69, "dokku-client: nobody listens a"))

    def test_a_restart_can_be_waited_for(self):
        dokku = self.serving()
        running = dokku.popen("dokku-client ps:rebuild blog")
        self.gate.begun()
        restart = dokku.popen("sv -w 660 restart dokku-daemon && dokku-client apps:list")
        dokku.wait_until_said("Stopping daemon...")
        self.gate.open()
        self.assertEnds(running, 0, "went on\nran ps:rebuild blog\n")
        output, errors = restart.communicate(timeout=60)
        self.assertRegex(output, r"\Aok: run: dokku-daemon: .*\nran apps:list\n\Z")
        self.assertEqual(errors, "")

    def test_a_restart_right_after_the_start(self):
        # sv(8) compares seconds: it would take a daemon that began in the same one for the next daemon.
        dokku = self.serving()
        within_a_second = f"""
            second=$(date +%s)
            sv up dokku-daemon
            until dokku-client apps:list >/dev/null 2>&1; do :; done
            cd {SERVICE}
            ./check
            echo "ended with $?"
            test "$(date +%s)" = "$second"
        """

        def result():
            dokku.expect("down")
            # If the daemon lived for less than a second, runsv(8) does nothing for a second.
            time.sleep(2 - time.time() % 1)
            done = dokku.run(within_a_second)
            return done.returncode == 0 and done.stdout

        self.assertEqual(dokku.wait("a try within a second", result), "ended with 1\n")
        dokku.expect("restart")
        self.assertEqual(dokku.sh("dokku-client apps:list"), "ran apps:list")

    def test_down_once_and_interrupt(self):
        dokku = self.serving()
        running = dokku.popen("dokku-client ps:rebuild blog")
        self.gate.begun()
        self.assertEqual(dokku.sv("-w", "1", "down").returncode, 1)
        dokku.expect("interrupt")
        self.assertEqual(running.communicate(timeout=60)[0], "")
        self.assertNotEqual(running.returncode, 0)
        dokku.wait_for("down:")
        dokku.expect("once")
        dokku.wait_for("run:")
        dokku.expect("check")
        dokku.sh(f"kill {dokku.pid()}")
        dokku.wait_for("down:")
        dokku.expect("up")
        self.assertEqual(dokku.sh("dokku-client apps:list"), "ran apps:list")

    def test_a_kill(self):
        dokku, other = self.serving(), self.other()
        first = dokku.pid()
        job = other.sh(f"{CLIENT} --detach ps:rebuild blog")
        self.gate.begun()
        dokku.sh(f"kill -KILL {first}")
        dokku.wait("another daemon", lambda: dokku.pid() not in (first, None))
        dokku.expect("start")
        done = other.run(f"{CLIENT} daemon:wait {job}")
        self.assertEqual((done.returncode, done.stdout[:45]), (69, INTERRUPTED))
        waiting = other.popen(f"{CLIENT} apps:create wiki")
        # The command goes on, and keeps the lock.
        dokku.wait_until_said("the next command waits for the lock ")
        self.gate.open()
        self.assertEqual(waiting.communicate(timeout=60)[0], "ran apps:create wiki\n")
        # Messages and the log of commands are in the same file, and neither has overwritten the other.
        self.assertRegex(dokku.said(), r"\A\[[^]]*\] Listening on ")

    def test_the_container_stops_when_the_command_has_ended(self):
        # The time that the other services get does not count for the daemon.
        dokku, other = self.serving(environment={"KILL_PROCESS_TIMEOUT": "1"}), self.other()
        running = other.popen(f"{CLIENT} ps:rebuild blog")
        self.gate.begun()
        dokku.signal(signal.SIGTERM)
        dokku.wait_until_said("Stopping daemon...")
        # Longer than that time.
        self.assertEqual(dokku.sv("-w", "3", "down").returncode, 1)
        self.gate.open()
        self.assertEnds(running, 0, "went on\nran ps:rebuild blog\n")
        dokku.ended()
        self.assertFalse(self.file.exists())

    def test_detached_jobs_outlive_the_container(self):
        dokku, other = self.serving(), self.other()
        ended = other.sh(f"{CLIENT} --detach apps:create wiki")
        other.sh(f"{CLIENT} daemon:wait {ended}")
        running = other.sh(f"{CLIENT} --detach ps:rebuild blog")
        self.gate.begun()
        waiting = other.sh(f"{CLIENT} --detach apps:create shop")
        dokku.signal(signal.SIGTERM)
        dokku.wait_until_said("Stopping daemon...")
        dokku.kill()
        self.serving()
        self.assertEqual(other.sh(f"{CLIENT} daemon:wait {ended}"), "ran apps:create wiki")
        self.assertEqual(other.sh(f"{CLIENT} daemon:wait {waiting}"), "ran apps:create shop")
        self.assertEqual(other.run(f"{CLIENT} daemon:wait {running}").stdout[:45], INTERRUPTED)

    def test_the_socket_of_a_killed_container_is_replaced(self):
        dokku, other = self.serving(), self.other()
        dokku.kill()
        self.assertTrue(self.file.is_socket())
        self.assertEqual(other.run(f"{CLIENT} apps:list").returncode, 69)
        self.serving()
        self.assertEqual(other.sh(f"{CLIENT} apps:list"), "ran apps:list")

    def test_two_containers(self):
        dokku, other = self.serving(), self.other()
        second = self.dokku()
        second.wait_until_said("another daemon is already listening there")
        # It does not try again at once.
        second.wait("a pause", lambda: re.match(r"finish: .* [2-5]s", second.sv("status").stdout))
        self.assertEqual(other.sh(f"{CLIENT} apps:list"), "ran apps:list")
        dokku.expect("down")
        second.expect("start")
        self.assertEqual(other.sh(f"{CLIENT} apps:list"), "ran apps:list")
        second.wait_until_said(" apps:list\n")

    def test_two_containers_with_one_state_folder(self):
        first = self.serving()
        first.sh("dokku-client --detach apps:create blog")
        second = self.serving(socket=self.volume())
        self.assertEqual(second.sh("dokku-client apps:list"), "ran apps:list")
        done = second.run("dokku-client --detach apps:create wiki")
        self.assertIn("could not be kept on disk: another process uses it", done.stdout)

    def test_settings(self):
        dokku = self.serving(environment={"DOKKU_DAEMON_WORKERS": "2"})
        self.assertEqual(self.value(dokku, "DOKKU_DAEMON_READERS"), "4")
        dokku.write("/etc/default/dokku-daemon", "DOKKU_DAEMON_READERS=5\n")
        dokku.expect("restart")
        self.assertEqual(self.value(dokku, "DOKKU_DAEMON_READERS"), "5")
        self.assertEqual(self.value(dokku, "DOKKU_DAEMON_WORKERS"), "2")
        with self.subTest("a wrong one"):
            dokku.write("/etc/default/dokku-daemon", "DOKKU_DAEMON_READERS=many\n")
            self.assertEqual(dokku.sv("-w", "2", "restart").returncode, 1)
            dokku.wait_until_said("Error: DOKKU_DAEMON_READERS")
            dokku.wait_for("finish:")
            dokku.write("/etc/default/dokku-daemon", "")
            dokku.expect("restart")
            self.assertEqual(dokku.sh("dokku-client apps:list"), "ran apps:list")

    def value(self, dokku, name):
        """A setting of the running daemon."""
        return dokku.sh(f"tr '\\0' '\\n' </proc/{dokku.pid()}/environ | sed -n 's/^{name}=//p'")


if __name__ == "__main__":
    unittest.main()
