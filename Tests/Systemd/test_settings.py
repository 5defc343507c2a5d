"""Wrong settings: where they are reported, and what an upgrade and `--check` do with them."""

import tempfile
import unittest

from support import LabTest, newer_package

FILE = "/etc/default/dokku-daemon"
UNIT = "dokku-daemon.service"


class Wrong(LabTest):
    def setUp(self):
        super().setUp()
        self.assertServes()
        self.lab.sh(f"cp {FILE} /root/settings; echo DOKKU_DAEMON_TIMEOUT=many >>{FILE}")
        self.addCleanup(self.lab.sh, f"cp /root/settings {FILE}; systemctl restart {UNIT}")

    def assertMisconfigured(self):
        reply = self.lab.ask("apps:list")
        self.assertFalse(reply["ok"])
        self.assertIn('DOKKU_DAEMON_TIMEOUT is "many"', reply["output"])

    def test_clients_and_the_administrator_are_told_until_it_is_mended(self):
        inode = self.lab.inode()
        since = self.lab.sh("date '+%F %T'")
        self.lab.sh(f"systemctl restart {UNIT}")
        for _ in range(3):
            self.assertMisconfigured()
        self.assertIn('DOKKU_DAEMON_TIMEOUT is "many"', self.lab.property(UNIT, "StatusText"))
        self.assertEqual(self.lab.properties(UNIT, "ActiveState", "NRestarts"), {"ActiveState": "active", "NRestarts": "0"})
        said = self.lab.sh(
            f"journalctl --sync; journalctl -q -u {UNIT} -o cat -p warning --since '{since}' _COMM=dokku-daemon"
        ).splitlines()
        self.assertEqual(len(said), 1, said)
        with self.subTest("a reload does for a restart"):
            self.lab.sh(f"cp /root/settings {FILE}; systemctl reload {UNIT}")
            self.lab.wait("the next daemon", lambda: self.lab.property(UNIT, "NRestarts") == "1")
            self.assertServes()
        self.assertEqual(self.lab.inode(), inode)

    def test_the_check_comes_before_the_restart(self):
        done = self.lab.run("dokku-daemon --check && systemctl restart dokku-daemon")
        self.assertEqual(done.returncode, 78)
        self.assertIn('DOKKU_DAEMON_TIMEOUT is "many"', done.stdout)
        self.assertServes()

    def test_an_upgrade_leaves_the_daemon_that_runs(self):
        pid = self.lab.property(UNIT, "MainPID")
        with tempfile.TemporaryDirectory() as folder:
            newer_package(f"{folder}/newer.deb", "99.0")
            said = self.lab.install(f"{folder}/newer.deb", "newer.deb")
        self.assertIn('DOKKU_DAEMON_TIMEOUT is "many"', said)
        self.assertIn("systemctl restart dokku-daemon", said)
        self.assertServes()
        self.assertEqual(self.lab.property(UNIT, "MainPID"), pid)


class Files(LabTest):
    """`--check` reads a file as systemd does."""

    def test_values(self):
        values = ["b c", "b c \t", '"b c " ', "'b \"c\\'", '"b\\"\\$\\`\\x"', "b\\\nc", 'b\\ \\"c', "'b' 'c'", "b'c'"]
        values += ["b=c", "b # c", "b\\", " = b", "b\r"]
        for value in values:
            with self.subTest(value):
                self.lab.write("/root/file", f"#x\\\nDOKKU_DAEMON_JOURNAL=y\nDOKKU_DAEMON_JOURNAL = {value}\n")
                read = self.lab.sh(
                    "systemd-run --quiet --wait --pipe -p EnvironmentFile=/root/file printenv DOKKU_DAEMON_JOURNAL"
                )
                checked = self.lab.run("dokku-daemon --check /root/file").stdout
                self.assertIn(f'DOKKU_DAEMON_JOURNAL is "{read}", but', checked)


if __name__ == "__main__":
    unittest.main()
