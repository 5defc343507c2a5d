"""The package: what it installs; upgrade, removal and purge, also over an older installation."""

import re
import subprocess
import unittest

from support import LOG, Bare, package, version

FOLDERS = [
    "/usr",
    "/etc",
    "/lib",
    "/var/lib/dokku-daemon",
    "/var/log/dokku",
    "/run/dokku-daemon",
    "/run/lock",
]
# Files that dpkg, systemd and runit keep of any package or unit.
KEPT = re.compile(
    r"/etc/ld\.so\.cache|/etc/runit/|/etc/sv/default-syslog|/var/lib/dpkg|/usr/share/doc$|\.pyc$|/etc/systemd/system/[^/]*\.wants$"
)


class Fresh(Bare):
    def files(self):
        """Every existing path in the folders that the package or the daemon may touch."""
        names = self.lab.sh("find " + " ".join(FOLDERS) + " 2>/dev/null || true").splitlines()
        return {name for name in names if not KEPT.search(name)}

    def test_its_content(self):
        listing = subprocess.run(
            ["dpkg-deb", "-c", package()], capture_output=True, text=True, check=True
        ).stdout
        files = {
            line.split()[5].lstrip("."): line.split()[:2]
            for line in listing.splitlines()
            if not line.startswith("d")
        }
        self.assertEqual(
            set(filter(lambda name: not name.startswith("/usr/share/doc/"), files)),
            {
                "/usr/bin/dokku-daemon",
                "/usr/sbin/dokku-daemon-socket",
                "/usr/lib/dokku-daemon/settle",
                "/usr/lib/systemd/system/dokku-daemon.service",
                "/usr/lib/systemd/system/dokku-daemon.socket",
                "/usr/lib/systemd/system/dokku-daemon-read-only.socket",
                "/usr/lib/tmpfiles.d/dokku-daemon.conf",
                "/usr/lib/tmpfiles.d/dokku-daemon-lock.conf",
                "/usr/share/dokku-daemon/user-dokku.conf",
                "/usr/share/dokku-daemon/pre-shutdown",
                "/usr/share/dokku-daemon/runit/check",
                "/usr/share/dokku-daemon/runit/control/t",
                "/usr/share/dokku-daemon/runit/finish",
                "/usr/share/dokku-daemon/runit/run",
                "/usr/share/lintian/overrides/dokku-daemon",
                "/usr/share/man/man8/dokku-daemon.8.gz",
                "/usr/share/man/man8/dokku-daemon-socket.8.gz",
                "/usr/share/man/man7/dokku-daemon-protocol.7.gz",
                "/etc/default/dokku-daemon",
            },
        )
        for name in ["copyright", "changelog.gz", "NEWS.Debian.gz"]:
            self.assertIn(f"/usr/share/doc/dokku-daemon/{name}", files)
        self.assertEqual({owner for _, owner in files.values()}, {"root/root"})

    def test_a_fresh_installation_listens_and_starts_with_the_first_connection(self):
        self.lab.install()
        self.assertEqual(self.lab.sh("systemctl is-active dokku-daemon.socket"), "active")
        self.assertEqual(self.lab.property("dokku-daemon.service", "ActiveState"), "inactive")
        self.assertServes()
        self.assertEqual(self.lab.property("dokku-daemon.service", "ActiveState"), "active")
        self.assertEqual(self.lab.sh("/usr/bin/dokku-daemon -v"), f"Version {version()}")
        self.assertEqual(self.lab.sh("dpkg --verify dokku-daemon; dpkg --audit"), "")
        for page in ["8 dokku-daemon", "8 dokku-daemon-socket", "7 dokku-daemon-protocol"]:
            self.assertIn("DOKKU", self.lab.sh(f"man --encoding=ascii {page}").upper())

    def test_remove_leaves_the_settings_and_purge_nothing(self):
        before = self.files()
        self.lab.install()
        self.lab.sh("echo DOKKU_DAEMON_TIMEOUT=60 >>/etc/default/dokku-daemon")
        self.assertServes()
        self.lab.sh("dpkg --remove dokku-daemon")
        self.assertEqual(
            self.lab.run("systemctl is-active dokku-daemon.socket dokku-daemon.service").stdout.split(),
            ["inactive"] * 2,
        )
        self.assertEqual(self.lab.run("pgrep -x dokku-daemon").stdout, "")
        left = self.files() - before
        self.assertFalse({name for name in left if name.startswith(("/usr", "/run/dokku-daemon"))}, left)
        self.assertIn("TIMEOUT=60", self.lab.read("/etc/default/dokku-daemon"))
        self.assertTrue(self.lab.path(LOG).exists())
        self.lab.sh("dpkg --purge dokku-daemon")
        self.assertEqual(self.files() - before, set())
        self.assertEqual(before - self.files(), set())
        self.assertEqual(self.lab.sh("systemctl list-units --failed --no-legend --plain 'dokku*'"), "")

    def test_a_removed_package_can_be_installed_again(self):
        for _ in range(2):
            self.lab.install()
            self.assertServes()
            self.lab.sh("dpkg --remove dokku-daemon")

    def test_a_container_keeps_the_folder_through_remove_and_purge(self):
        container = "container.service"
        self.lab.install()
        self.lab.sh(
            f"systemd-run --quiet --unit={container} unshare --mount"
            " sh -c 'mount --bind /run/dokku-daemon /mnt && touch /run/mounted && exec sleep infinity'"
        )
        self.addCleanup(self.lab.run, f"systemctl stop {container}; rm -f /run/mounted")
        self.lab.wait("the mount", self.lab.path("/run/mounted").exists)
        pid = self.lab.property(container, "MainPID")
        for way in ["remove", "purge"]:
            with self.subTest(way):
                self.lab.sh(f"dpkg --{way} dokku-daemon")
                self.assertEqual(self.lab.sh("ls -A /run/dokku-daemon"), "")
                self.lab.install()
                said = self.lab.sh(
                    f"echo apps:list | nsenter --target {pid} --mount socat -t 60 - UNIX-CONNECT:/mnt/dokku-daemon.sock"
                )
                self.assertEqual(said, '{"ok":true,"output":"ran apps:list"}')
        self.lab.sh(f"systemctl stop {container}; dpkg --remove dokku-daemon")
        self.assertFalse(self.lab.path("/run/dokku-daemon").exists())

    def test_folders_that_docker_made_in_place_of_sockets(self):
        folder = "/run/dokku-daemon/dokku-daemon.sock"
        self.lab.sh(f"mkdir -p {folder}")
        self.assertIn(f"{folder} was a folder", self.lab.install())
        self.assertServes()
        self.lab.sh("dpkg --remove dokku-daemon")
        with self.subTest("one that holds something stays, and is not passed over in silence"):
            self.lab.sh(f"mkdir -p {folder}/kept")
            self.assertIn("dokku-daemon.socket does not listen", self.lab.install())
            self.assertTrue(self.lab.path(f"{folder}/kept").exists())
            self.lab.sh(f"rm -r {folder}; systemctl start dokku-daemon.socket")
            self.assertServes()

    def test_a_wrong_rule_for_the_folder_is_told_and_no_obstacle(self):
        rule = "/etc/tmpfiles.d/dokku-daemon.conf"
        self.lab.write(rule, "d /run/dokku-daemon 0750 root nobody-knows-this -\n")
        self.addCleanup(self.lab.run, f"rm -f {rule}")
        self.assertIn(f"{rule}:1: ", self.lab.install())
        self.assertEqual(self.lab.sh("dpkg --audit"), "")
        self.assertServes()

    def test_there_is_no_second_rotation_of_the_log(self):
        self.lab.write(
            "/etc/logrotate.d/dokku",
            "/var/log/dokku/*.log {\n daily\n rotate 7\n copytruncate\n su root root\n}\n",
        )
        self.addCleanup(self.lab.run, "rm /etc/logrotate.d/dokku")
        self.lab.install()
        self.assertServes()
        before = self.lab.path(LOG).stat()
        self.assertNotIn("error", self.lab.sh("logrotate --force /etc/logrotate.conf 2>&1"))
        self.assertServes()
        after = self.lab.path(LOG).stat()
        # Truncated in place: the daemon's next line is at the beginning of the file.
        self.assertEqual(after.st_ino, before.st_ino)
        self.assertRegex(self.lab.read(LOG).splitlines()[0], r"^\[[^]]+ UTC\] \[cmd\] ")

if __name__ == "__main__":
    unittest.main()
