"""The package and `make install` on a host with the original daemon."""

import stat
import unittest

from support import HERE, SOCKET, Bare


class OverTheOriginal(Bare):
    """A host with the original daemon: the package replaces it, and its users can go on."""

    def setUp(self):
        super().setUp()
        self.lab.write(
            "/usr/bin/dokku-daemon",
            "#!/bin/bash\nmkdir -p /var/run/dokku-daemon; umask 0\n"
            "exec socat UNIX-LISTEN:/var/run/dokku-daemon/dokku-daemon.sock,fork,unlink-early SYSTEM:cat\n",
            0o755,
        )
        self.lab.copy(HERE / "original.service", "/etc/systemd/system/dokku-daemon.service", 0o644)
        self.lab.write(
            "/etc/systemd/system/dokku-daemon.env", "DOKKU_DAEMON_LOGFILE=/var/log/dokku/kept.log\n"
        )
        self.lab.sh("systemctl daemon-reload; systemctl enable --now --quiet dokku-daemon")
        self.lab.wait("the original", self.lab.path(SOCKET).exists)
        self.addCleanup(
            self.lab.run,
            "systemctl stop dokku-daemon.socket dokku-daemon; dpkg --purge dokku-daemon;"
            "rm -rf /etc/systemd/system/dokku-daemon* /etc/tmpfiles.d/dokku-daemon.conf /run/dokku-daemon; systemctl daemon-reload",
        )

    def assertItMadeWay(self, said):
        self.assertServes()
        self.assertIn("/lib/systemd/system/", self.lab.property("dokku-daemon", "FragmentPath"))
        self.assertEqual(self.lab.run("pgrep socat").stdout, "")
        self.assertIn("every user of this host", said)
        self.assertTrue(self.lab.path("/etc/systemd/system/dokku-daemon.service.original").exists())
        self.assertIn("apps:list", self.lab.read("/var/log/dokku/kept.log"), "its settings hold")
        self.assertEqual(stat.S_IMODE(self.lab.path("/run/dokku-daemon").stat().st_mode), 0o755)
        self.assertEqual(
            self.lab.run(
                "setpriv --reuid=65534 --regid=65534 --clear-groups socat -u OPEN:/dev/null UNIX-CONNECT:"
                + SOCKET
            ).returncode,
            0,
        )
        self.assertEqual(self.lab.sh("systemctl is-enabled dokku-daemon.socket"), "enabled")

    def test_the_package(self):
        self.assertItMadeWay(self.lab.install())
        with self.subTest("one line closes it"):
            self.lab.sh("rm /etc/tmpfiles.d/dokku-daemon.conf; systemd-tmpfiles --create dokku-daemon.conf")
            self.assertEqual(stat.S_IMODE(self.lab.path("/run/dokku-daemon").stat().st_mode), 0o750)
            self.assertServes()
        with self.subTest("a later upgrade does not open it"):
            self.lab.install()
            self.assertEqual(stat.S_IMODE(self.lab.path("/run/dokku-daemon").stat().st_mode), 0o750)

    def test_the_package_where_the_socket_may_not_start(self):
        with self.subTest("an administrator has masked it"):
            self.lab.sh("systemctl mask --quiet dokku-daemon.socket")
            self.assertIn("dokku-daemon.socket does not listen", self.lab.install())
            self.assertEqual(self.lab.sh("dpkg --audit"), "")
            self.lab.sh("systemctl unmask --quiet dokku-daemon.socket; dpkg --remove dokku-daemon")
        with self.subTest("the host's policy forbids it"):
            self.lab.copy(HERE / "original.service", "/etc/systemd/system/dokku-daemon.service", 0o644)
            self.lab.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
            self.addCleanup(self.lab.run, "rm -f /usr/sbin/policy-rc.d")
            self.assertIn("may not start", self.lab.install())
            self.assertEqual(self.lab.property("dokku-daemon.socket", "ActiveState"), "inactive")
            self.assertEqual(self.lab.sh("systemctl is-enabled dokku-daemon.socket"), "enabled")
            self.lab.sh("rm /usr/sbin/policy-rc.d; systemctl start dokku-daemon.socket")
            self.assertServes()

    def test_make_install(self):
        self.assertItMadeWay(self.lab.sh("/src/packaging/install"))

    def test_a_unit_of_somebodys_own_stays(self):
        self.lab.write(
            "/etc/systemd/system/dokku-daemon.service",
            "[Service]\nExecStart=/usr/bin/dokku-daemon\nEnvironment=MINE=1\n",
        )
        said = self.lab.install()
        self.assertIn("MINE=1", self.lab.read("/etc/systemd/system/dokku-daemon.service"))
        self.assertIn("hides the unit", said)


if __name__ == "__main__":
    unittest.main()
