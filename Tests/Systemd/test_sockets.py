"""The sockets: who reaches them, when the daemon starts and ends, and the units that are not enabled."""

import json
import re
import stat
import subprocess
import unittest

from support import LOG, PATIENCE, SOCKET, TOP, LabTest

FOLDER = "/run/dokku-daemon"
READ_ONLY = "/run/dokku-daemon/read-only.sock"
STRANGER = "setpriv --reuid=65534 --regid=65534 --clear-groups"
MEMBER = "setpriv --reuid=65534 --regid=dokku --clear-groups"


def documented(file, pattern):
    """The commands in a page that match, without the comment signs or indentation of that page."""
    lines = [line.strip("# ").strip() for line in (TOP / file).read_text().splitlines()]
    found = [
        line
        for line in lines
        if re.search(pattern, line) and re.match(r"echo |sudo |install |systemctl ", line)
    ]
    assert found, f"{file} no longer has a line with {pattern}"
    return found


class Access(LabTest):
    def connect_as(self, user, path=SOCKET):
        """True if that user reaches the daemon."""
        done = self.lab.run(f"{user} socat -u OPEN:/dev/null UNIX-CONNECT:{path}")
        if done.returncode != 0:
            self.assertIn("Permission denied", done.stdout)
        return done.returncode == 0

    def assertFolder(self, mode, owner):
        status = self.lab.path(FOLDER).stat()
        self.assertEqual(stat.S_IMODE(status.st_mode), mode)
        self.assertEqual(self.lab.sh(f"stat -c %U:%G {FOLDER}"), owner)
        self.assertEqual(self.lab.sh(f"stat -c %a {SOCKET}"), "666")

    def assertClosed(self):
        self.assertFolder(0o750, "root:dokku")
        self.assertFalse(self.connect_as(STRANGER))
        self.assertTrue(self.connect_as(MEMBER))

    def test_a_stranger_stays_out_and_a_container_gets_in(self):
        self.assertClosed()
        # As docker does: only the socket's file is mounted, in another mount namespace, for any user there.
        inside = (
            f"mkdir -p /mnt/app; touch /mnt/app/dokku.sock; mount --bind {SOCKET} /mnt/app/dokku.sock;"
            f"echo apps:list | {STRANGER} socat -t 60 - UNIX-CONNECT:/mnt/app/dokku.sock"
        )
        reply = json.loads(self.lab.sh(f"unshare --mount --propagation private bash -c '{inside}'"))
        self.assertEqual(reply, {"ok": True, "output": "ran apps:list"})

    def test_it_is_the_same_after_a_boot(self):
        self.assertClosed()
        self.lab.reboot()
        self.assertClosed()
        self.assertEqual(self.lab.property("dokku-daemon.socket", "ActiveState"), "active")
        self.assertServes()

    def test_a_documented_line_opens_it_and_one_closes_it(self):
        inode = self.lab.inode()
        self.lab.sh(documented("docs/sockets.md", "0755 root")[0])
        self.assertFolder(0o755, "root:root")
        self.assertTrue(self.connect_as(STRANGER))
        self.lab.sh(documented("docs/sockets.md", "rm -f /etc/tmpfiles.d")[0])
        self.assertClosed()
        self.assertEqual(self.lab.inode(), inode)


class WithoutDokku(LabTest):
    """A host on which dokku is not installed yet."""

    @classmethod
    def prepare(cls):
        cls.lab.sh(
            "deluser --quiet dokku; delgroup --quiet --only-if-empty dokku || true; rm -rf /var/log/dokku /var/lib/dokku"
        )

    def test_the_socket_works_and_is_roots_alone(self):
        self.assertIn("group dokku", self.lab.install())
        self.assertEqual(self.lab.property("dokku-daemon.socket", "ActiveState"), "active")
        self.assertEqual(self.lab.sh(f"stat -c '%a %U:%G' {FOLDER}"), "750 root:root")
        reply = self.lab.ask("apps:list")
        self.assertFalse(reply["ok"])
        self.assertIn("dokku", reply["output"])
        self.lab.sh("addgroup --system --quiet dokku")
        self.lab.stand_in('echo ran "$@"')
        self.assertServes()
        self.lab.install()
        self.assertEqual(self.lab.sh(f"stat -c '%a %U:%G' {FOLDER}"), "750 root:dokku")


class Starting(LabTest):
    def test_the_first_connection_starts_it_and_a_stop_leaves_the_socket(self):
        self.lab.sh("systemctl stop dokku-daemon.service")
        inode = self.lab.inode()
        self.assertServes()
        self.lab.sh("systemctl stop dokku-daemon.service")
        self.assertEqual(self.lab.property("dokku-daemon.socket", "SubState"), "listening")
        self.assertServes()
        self.assertEqual(self.lab.inode(), inode)

    def test_idle_it_ends_when_told_to_but_not_before_all_of_a_command_is_gone(self):
        self.lab.sh(
            "echo DOKKU_DAEMON_IDLE_EXIT=0.2 >>/etc/default/dokku-daemon; systemctl stop dokku-daemon"
        )
        self.addCleanup(self.lab.run, "sed -i /IDLE/d /etc/default/dokku-daemon; systemctl stop dokku-daemon")
        self.lab.stand_in('(sleep 5; echo over >/var/lib/dokku/over) & echo ran "$@"')
        self.addCleanup(self.lab.stand_in, 'echo ran "$@"')
        self.assertServes()
        self.lab.wait("what the command left", self.lab.path("/var/lib/dokku/over").exists)
        self.lab.wait(
            "the daemon's end", lambda: self.lab.property("dokku-daemon", "ActiveState") == "inactive"
        )
        self.assertEqual(self.lab.property("dokku-daemon", "Result"), "success")
        self.assertServes()


class Examples(LabTest):
    def test_the_read_only_socket(self):
        recipe = documented("README.md", "enable dokku-daemon-read-only.socket") + ["systemctl restart dokku-daemon"]
        for line in recipe:
            self.lab.sh(line)
        self.assertServes(READ_ONLY)
        self.assertServes()
        with self.subTest("also while clients start the service again and again"):
            self.lab.sh("touch /run/again")
            again = f"while [ -e /run/again ]; do echo daemon:version | socat -t 60 - UNIX-CONNECT:{SOCKET}; done"
            clients = subprocess.Popen(self.lab.command(f"{again} >/dev/null 2>&1"))
            self.addCleanup(clients.wait, PATIENCE)
            self.addCleanup(self.lab.run, "rm /run/again")
            for _ in range(5):
                self.lab.sh("systemctl disable --quiet --now dokku-daemon-read-only.socket")
                for line in recipe:
                    self.lab.sh(line)
                self.assertServes(READ_ONLY)
        self.assertFalse(self.lab.ask("apps:create x", READ_ONLY)["ok"])
        self.assertTrue(self.lab.ask("apps:create x")["ok"])
        entry = self.lab.journal(f"DOKKU_LISTENER={READ_ONLY}")[0]
        self.assertEqual(entry["DOKKU_COMMAND"], "apps:list")

    def test_the_user_dokku(self):
        self.lab.stand_in("id -un; sudo -n id -un; echo x >/var/lib/dokku/x && echo written")
        self.addCleanup(self.lab.stand_in, 'echo ran "$@"')
        self.assertEqual(self.lab.ask("apps:list")["output"].split(), ["dokku", "root", "written"])
        self.assertEqual(self.lab.sh("ps -o user= -C dokku-daemon"), "root")
        before = self.lab.read(LOG).count("[cmd] #")
        words = documented("packaging/systemd/user-dokku.conf", "^(install|systemctl)")
        self.lab.sh("; ".join(words))
        self.lab.sh("rm -f /var/lib/dokku/x")
        self.assertEqual(self.lab.ask("apps:list")["output"].split(), ["dokku", "root", "written"])
        self.assertEqual(self.lab.sh("ps -o user= -C dokku-daemon"), "dokku")
        self.assertEqual(self.lab.read(LOG).count("[cmd] #"), before + 1)
        self.assertNotIn("warning", self.lab.sh("journalctl -u dokku-daemon -p warning -o cat; true"))
        with self.subTest("and back"):
            self.lab.sh(
                "rm /etc/systemd/system/dokku-daemon.service.d/user-dokku.conf; systemctl daemon-reload; systemctl restart dokku-daemon"
            )
            self.assertEqual(self.lab.ask("apps:list")["output"].split()[0], "dokku")
            self.assertEqual(self.lab.sh("ps -o user= -C dokku-daemon"), "root")
            self.assertEqual(self.lab.property("dokku-daemon", "ActiveState"), "active")


if __name__ == "__main__":
    unittest.main()
