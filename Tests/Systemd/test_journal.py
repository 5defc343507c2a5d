"""The journal: the entries of a command. A stuck journal delays nobody."""

import json
import unittest

from support import LOG, SOCKET, LabTest

FIELDS = [
    "DOKKU_JOB",
    "DOKKU_COMMAND",
    "DOKKU_CLIENT_PID",
    "DOKKU_CLIENT_UID",
    "DOKKU_CLIENT_GID",
    "DOKKU_LISTENER",
]
#: A dokku that knows no app.
REFUSING = "case $1 in apps:report) echo ' !     App nope does not exist' >&2; exit 20 ;; esac; echo ran \"$1\""


class Journal(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.stand_in(REFUSING)
        cls.lab.install()

    def entries(self, *matches):
        return [entry for entry in self.lab.journal(*matches) if "DOKKU_JOB" in entry]

    def test_an_exit_status_finds_the_command(self):
        pid, reply = self.lab.sh(
            f"bash -c 'echo $$; exec setpriv --regid=dokku --clear-groups socat -t 60 - UNIX-CONNECT:{SOCKET}' <<<'apps:report nope'"
        ).splitlines()
        self.assertFalse(json.loads(reply)["ok"])
        self.lab.ask("apps:list")
        found = self.entries("DOKKU_EXIT_STATUS=20")
        self.assertEqual([entry["DOKKU_COMMAND"] for entry in found], ["apps:report nope"])
        entry = found[0]
        self.assertEqual(entry["DOKKU_CLIENT_PID"], pid)
        self.assertEqual(
            (entry["DOKKU_CLIENT_UID"], entry["DOKKU_LISTENER"], entry["PRIORITY"]), ("0", SOCKET, "5")
        )
        self.assertEqual(entry["DOKKU_CLIENT_GID"], self.lab.sh("getent group dokku").split(":")[2])
        self.assertGreater(int(entry["DOKKU_DURATION_USEC"]), 0)
        self.assertEqual(entry["_SYSTEMD_UNIT"], "dokku-daemon.service")
        self.assertEqual(entry["SYSLOG_IDENTIFIER"], "dokku-daemon")
        accepted, ended = self.entries(f"DOKKU_JOB={entry['DOKKU_JOB']}", f"DOKKU_CLIENT_PID={pid}")
        self.assertEqual({name: accepted[name] for name in FIELDS}, {name: ended[name] for name in FIELDS})
        self.assertNotIn("DOKKU_EXIT_STATUS", accepted)
        self.assertLess(int(accepted["__REALTIME_TIMESTAMP"]), int(ended["__REALTIME_TIMESTAMP"]))
        # What journalctl shows without options.
        self.assertIn("accepted: apps:report nope", accepted["MESSAGE"])
        self.assertIn("ended with status 20: apps:report nope", ended["MESSAGE"])

    def test_no_secret_is_in_it_and_the_log_says_the_same(self):
        for line in [
            "config:set app KEY=hush",
            "--app x config:set KEY=hush",
            "'apps:create' --token hush=hush",
            "config:set app 'a b=hush'",
            '{"command":["config:set","app","LINES=hush\\nhush"]}',
            "hush:hush hush",
        ]:
            self.lab.ask(line)
        self.lab.sh("journalctl --sync; journalctl -u dokku-daemon -o export >/run/exported")
        self.assertNotIn("hush", self.lab.read("/run/exported").replace("hush:hush", ""))
        log = self.lab.read(LOG)
        self.assertNotIn("hush", log.replace("hush:hush", ""))
        titles = {entry["DOKKU_COMMAND"] for entry in self.entries()}
        self.assertTrue(any("KEY=***" in title for title in titles), titles)
        for title in titles:
            self.assertIn(title, log)

    def test_dokku_needs_no_sudo_which_would_tell_every_secret(self):
        # As dokku does: it changes to its own user if it runs as another.
        self.lab.stand_in(
            'if [[ $(id -un) != dokku && $1 != plugin:* ]]; then sudo -u dokku -E -H "$0" "$@"; exit $?; fi\n'
            'echo "$(id -un) $SSH_USER $HOME"'
        )
        self.addCleanup(self.lab.stand_in, REFUSING)
        reply = self.lab.ask("config:set app DB_PASS=hunter2secret")
        self.assertEqual(reply, {"ok": True, "output": "dokku root /home/dokku"})
        self.lab.sh("journalctl --sync; journalctl -o export >/run/exported")
        exported = self.lab.read("/run/exported")
        self.assertNotIn("hunter2secret", exported)
        self.assertNotIn("_COMM=sudo", exported)
        self.assertIn("config:set app", exported)

    def test_without_a_log_file(self):
        self.addCleanup(
            self.lab.run, "sed -i /^DOKKU/d /etc/default/dokku-daemon; systemctl restart dokku-daemon"
        )
        self.lab.sh(
            f"echo DOKKU_DAEMON_LOGFILE=none >>/etc/default/dokku-daemon; systemctl restart dokku-daemon; rm -f {LOG}"
        )
        self.lab.ask("apps:create without-a-file")
        self.assertFalse(self.lab.path(LOG).exists())
        self.assertEqual(len(self.entries("DOKKU_COMMAND=apps:create without-a-file")), 2)

    def test_without_the_journal(self):
        self.addCleanup(
            self.lab.run, "sed -i /^DOKKU/d /etc/default/dokku-daemon; systemctl restart dokku-daemon"
        )
        self.lab.sh(
            "echo DOKKU_DAEMON_JOURNAL=no >>/etc/default/dokku-daemon; systemctl restart dokku-daemon"
        )
        self.lab.ask("apps:create without-the-journal")
        self.assertEqual(self.entries("DOKKU_COMMAND=apps:create without-the-journal"), [])
        self.assertIn("without-the-journal", self.lab.read(LOG))

    def told_and_lost(self):
        """How many entries of commands the journal has, and how many were reported as lost."""
        entries = self.lab.journal()
        lost = sum(int(entry["DOKKU_LOST"]) for entry in entries if "DOKKU_LOST" in entry)
        return sum("DOKKU_JOB" in entry for entry in entries), lost

    def test_a_stuck_journal_holds_nobody_up_and_what_it_missed_is_counted(self):
        count = 700
        journald = self.lab.property("systemd-journald", "MainPID")
        before = sum(self.told_and_lost())
        self.lab.sh(f"kill -STOP {journald}")
        try:
            with self.lab.connect() as connection:
                connection.sendall(b"apps:list\n" * count)
                with connection.makefile() as lines:
                    for _ in range(count):
                        self.assertEqual(lines.readline(), '{"ok":true,"output":"ran apps:list"}\n')
        finally:
            self.lab.sh(f"kill -CONT {journald}")

        # The number of lost entries comes with the next entry that finds room, so more commands are needed.
        further = 0

        def all_told():
            nonlocal further
            self.lab.ask("apps:list")
            further += 1
            told, lost = self.told_and_lost()
            return lost > 0 and told + lost - before == 2 * (count + further)

        self.lab.wait("each entry to be told or said to be lost", all_told)
        self.assertEqual(self.lab.property("dokku-daemon", "NRestarts"), "0")

    def test_a_journal_that_was_restarted_gets_the_next_entry(self):
        self.lab.ask("apps:list")
        self.lab.sh("systemctl restart systemd-journald")
        self.lab.ask("apps:create after-the-restart")
        self.assertEqual(len(self.entries("DOKKU_COMMAND=apps:create after-the-restart")), 2)


if __name__ == "__main__":
    unittest.main()
