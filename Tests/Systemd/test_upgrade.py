"""Upgrades of the package: the socket stays, the daemon is replaced once its command has ended, and settings are kept."""

import tempfile
import unittest

from support import Bare, newer_package, released_package


class Upgrade(Bare):
    def upgrade(self):
        """Installs the same package with a later version."""
        with tempfile.TemporaryDirectory() as folder:
            newer_package(f"{folder}/newer.deb", "99.0")
            return self.lab.install(f"{folder}/newer.deb", "newer.deb")

    def install_released(self):
        with tempfile.TemporaryDirectory() as folder:
            released_package(f"{folder}/released.deb")
            self.lab.install(f"{folder}/released.deb", "released.deb")

    def assertReplaced(self, pid, inode):
        """A daemon with another process number serves on the same socket."""
        self.lab.wait_for_another(pid)
        self.assertServes()
        self.assertEqual(self.lab.inode(), inode)

    def test_it_keeps_socket_settings_and_choice(self):
        self.lab.install()
        self.lab.sh("echo DOKKU_DAEMON_TIMEOUT=60 >>/etc/default/dokku-daemon")
        self.assertServes()
        inode, pid = self.lab.inode(), self.lab.property("dokku-daemon", "MainPID")
        self.assertNotIn("onfiguration file", self.upgrade())
        self.assertReplaced(pid, inode)
        self.assertIn("TIMEOUT=60", self.lab.read("/etc/default/dokku-daemon"))
        self.lab.sh("systemctl disable --now --quiet dokku-daemon.socket dokku-daemon.service")
        self.lab.install()  # Back to the older version.
        self.assertEqual(self.lab.run("systemctl is-enabled dokku-daemon.socket").stdout.strip(), "disabled")
        self.assertEqual(self.lab.property("dokku-daemon.socket", "ActiveState"), "inactive")

    def test_it_waits_for_the_command_that_runs(self):
        self.lab.install()
        self.lab.sh("mkfifo /run/gate")
        self.addCleanup(self.lab.run, "rm /run/gate")
        self.lab.stand_in(
            'if [[ $1 == ps:rebuild ]]; then read -r word </run/gate; echo "built $word"; else echo ran "$@"; fi'
        )
        with self.lab.connect() as connection:
            connection.sendall(b"ps:rebuild app\n")
            self.lab.wait("the command", lambda: self.lab.run("pgrep -f ps:rebuild").stdout)
            self.lab.install()
            self.lab.wait_until_stopping()
            with self.subTest("a second one does not wait, either"):
                self.upgrade()
                self.assertEqual(self.lab.property("dokku-daemon", "ActiveState"), "deactivating")
            with self.lab.connect() as later:
                later.sendall(b"apps:list\n")
                self.lab.sh("echo well >/run/gate")
                self.assertEqual(connection.makefile().readline(), '{"ok":true,"output":"built well"}\n')
                self.assertEqual(later.makefile().readline(), '{"ok":true,"output":"ran apps:list"}\n')

    def test_it_starts_a_socket_that_does_not_listen(self):
        self.lab.install()
        self.lab.sh("systemctl stop dokku-daemon.socket dokku-daemon")
        self.upgrade()
        self.assertServes()

    def test_from_the_first_release(self):
        self.install_released()
        self.lab.sh("systemctl enable --now --quiet dokku-daemon-read-only.socket && systemctl restart dokku-daemon")
        self.assertServes()
        read_only = "/run/dokku-daemon/read-only.sock"
        before = self.lab.inode(read_only)
        inode, pid = self.lab.inode(), self.lab.property("dokku-daemon", "MainPID")
        self.assertNotIn("onfiguration file", self.lab.install())
        self.assertReplaced(pid, inode)
        self.assertServes(read_only)
        self.assertEqual(self.lab.inode(read_only), before)
        self.assertEqual(self.lab.sh("dpkg --verify dokku-daemon; dpkg --audit"), "")
        self.assertEqual(self.lab.sh("systemctl list-units --failed --no-legend 'dokku*'"), "")
        self.lab.sh("dpkg --purge dokku-daemon")
        self.assertEqual(self.lab.run("ls /etc/systemd/system/*.wants | grep dokku").stdout, "")

    def test_from_the_first_release_with_settings(self):
        self.install_released()
        self.lab.sh("echo DOKKU_DAEMON_TIMEOUT=60 >>/etc/default/dokku-daemon")
        self.lab.copy_package()
        self.lab.sh("dpkg --force-confold --install /root/dokku-daemon.deb")
        self.assertIn("TIMEOUT=60", self.lab.read("/etc/default/dokku-daemon"))
        self.assertServes()


if __name__ == "__main__":
    unittest.main()
