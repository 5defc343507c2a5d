"""The package: what it installs; upgrade, removal and purge, also over an older installation."""

import os
import re
import stat
import subprocess
import tempfile
import unittest

from support import HERE, LOG, SOCKET, TOP, LabTest, newer_package, package, version

FOLDERS = [
    "/usr",
    "/etc",
    "/lib",
    "/var/lib/dokku-daemon",
    "/var/log/dokku",
    "/run/dokku-daemon",
    "/run/lock",
]
# Files that dpkg and systemd keep of any package or unit.
KEPT = re.compile(
    r"/etc/ld\.so\.cache|/var/lib/dpkg|/usr/share/doc$|\.pyc$|/etc/systemd/system/[^/]*\.wants$"
)


class Fresh(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.stand_in('echo ran "$@"')

    def setUp(self):
        super().setUp()
        self.addCleanup(self.lab.run, "dpkg --purge dokku-daemon; rm -rf /var/log/dokku/*")

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
                "/usr/share/man/man8/dokku-daemon.8.gz",
                "/usr/share/man/man8/dokku-daemon-socket.8.gz",
                "/usr/share/man/man7/dokku-daemon-protocol.7.gz",
                "/etc/default/dokku-daemon",
            },
        )
        for name in ["copyright", "changelog.gz"]:
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
        self.assertEqual(self.lab.sh("systemctl --failed --no-legend --plain"), "")

    def test_a_removed_package_can_be_installed_again(self):
        for _ in range(2):
            self.lab.install()
            self.assertServes()
            self.lab.sh("dpkg --remove dokku-daemon")

    def test_an_upgrade_keeps_socket_settings_and_choice(self):
        self.lab.install()
        self.lab.sh("echo DOKKU_DAEMON_TIMEOUT=60 >>/etc/default/dokku-daemon")
        self.assertServes()
        inode, pid = self.lab.inode(), self.lab.property("dokku-daemon", "MainPID")
        with tempfile.TemporaryDirectory() as folder:
            newer_package(f"{folder}/newer.deb", "99.0")
            said = self.lab.install(f"{folder}/newer.deb", "newer.deb")
        self.assertNotIn("onfiguration file", said)
        self.lab.wait(
            "the new daemon", lambda: self.lab.property("dokku-daemon", "MainPID") not in ("0", pid)
        )
        self.assertServes()
        self.assertEqual(self.lab.inode(), inode)
        self.assertIn("TIMEOUT=60", self.lab.read("/etc/default/dokku-daemon"))
        self.lab.sh("systemctl disable --now --quiet dokku-daemon.socket dokku-daemon.service")
        self.lab.install()  # Back to the older version.
        self.assertEqual(self.lab.run("systemctl is-enabled dokku-daemon.socket").stdout.strip(), "disabled")
        self.assertEqual(self.lab.property("dokku-daemon.socket", "ActiveState"), "inactive")

    def test_an_upgrade_waits_for_the_command_that_runs(self):
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
            self.assertEqual(self.lab.property("dokku-daemon", "ActiveState"), "deactivating")
            with self.lab.connect() as later:
                later.sendall(b"apps:list\n")
                self.lab.sh("echo well >/run/gate")
                self.assertEqual(connection.makefile().readline(), '{"ok":true,"output":"built well"}\n')
                self.assertEqual(later.makefile().readline(), '{"ok":true,"output":"ran apps:list"}\n')

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


class Client(LabTest):
    """The client's package, which needs nothing but a socket."""

    options = [f"--bind-ro={TOP}:/src"]

    @classmethod
    def prepare(cls):
        cls.lab.stand_in('echo ran "$@"')

    def setUp(self):
        super().setUp()
        self.addCleanup(
            self.lab.run,
            "systemctl stop dokku-daemon.socket dokku-daemon; dpkg --purge dokku-client dokku-daemon; rm -rf /run/dokku-daemon",
        )

    def test_its_content(self):
        listing = subprocess.run(
            ["dpkg-deb", "-c", package("dokku-client")], capture_output=True, text=True, check=True
        ).stdout
        files = {line.split()[5].lstrip("."): line for line in listing.splitlines() if not line.startswith("d")}
        self.assertEqual(
            set(files),
            {
                "/usr/bin/dokku-client",
                "/usr/lib/dokku-daemon/dokku",
                "/usr/share/man/man1/dokku-client.1.gz",
                "/usr/share/bash-completion/completions/dokku-client",
                "/usr/share/zsh/vendor-completions/_dokku-client",
                "/usr/share/fish/vendor_completions.d/dokku-client.fish",
                "/usr/share/doc/dokku-client/copyright",
                "/usr/share/doc/dokku-client/changelog.gz",
                "/usr/share/lintian/overrides/dokku-client",
            },
        )
        self.assertTrue(files["/usr/bin/dokku-client"].endswith("-> ../lib/dokku-daemon/dokku"))
        control = subprocess.run(
            ["dpkg-deb", "-f", package("dokku-client"), "Depends"], capture_output=True, text=True, check=True
        ).stdout
        self.assertEqual(control.strip(), "")

    def test_it_stands_alone_and_beside_the_daemon(self):
        self.lab.install(package("dokku-client"), "dokku-client.deb")
        self.assertEqual(self.lab.sh("dokku-client --version"), f"dokku-client {version()}")
        self.assertEqual(self.lab.run("dokku-client apps:list").returncode, 69)
        self.assertIn("DOKKU_HOST", self.lab.sh("man --encoding=ascii 1 dokku-client"))
        self.lab.install()
        self.assertEqual(self.lab.sh("dokku-client apps:list"), "ran apps:list")
        self.assertEqual(self.lab.sh("/usr/lib/dokku-daemon/dokku apps:list"), "ran apps:list")
        self.lab.sh("dpkg --purge dokku-daemon")
        self.assertEqual(self.lab.sh("dpkg --verify dokku-client; dpkg --audit"), "")
        self.lab.sh("dpkg --purge dokku-client")
        self.assertFalse(os.path.lexists(self.lab.path("/usr/lib/dokku-daemon")))

    def test_make_install_and_the_package_over_it(self):
        self.lab.sh("/src/packaging/install; systemctl start dokku-daemon.socket")
        self.assertEqual(self.lab.sh("dokku-client apps:list"), "ran apps:list")
        self.lab.install(package("dokku-client"), "dokku-client.deb")
        self.assertEqual(self.lab.sh("dpkg --verify dokku-client"), "")
        self.lab.sh("/src/packaging/uninstall")
        self.assertEqual(self.lab.sh("dokku-client --version"), f"dokku-client {version()}", "the package's stays")
        self.lab.sh("dpkg --purge dokku-client; /src/packaging/install; /src/packaging/uninstall")
        for name in ["/usr/bin/dokku-client", "/usr/lib/dokku-daemon", "/usr/share/doc/dokku-client"]:
            self.assertFalse(os.path.lexists(self.lab.path(name)), name)

    def test_a_mounted_folder_and_a_mounted_file_have_it(self):
        self.lab.install(package("dokku-client"), "dokku-client.deb")
        self.lab.sh("mkdir -p /run/mounted && touch /run/mounted/file && mkdir -p /run/mounted/folder")
        for source, target, program in [
            ("/usr/lib/dokku-daemon", "/run/mounted/folder", "/run/mounted/folder/dokku"),
            ("/usr/lib/dokku-daemon/dokku", "/run/mounted/file", "/run/mounted/file"),
            ("/usr/bin/dokku-client", "/run/mounted/file", "/run/mounted/file"),
        ]:
            with self.subTest(source):
                # Called as dokku, it would send dokku's --version.
                said = self.lab.sh(
                    f"unshare --mount bash -c 'mount --bind {source} {target} && exec -a dokku-client {program} --version'"
                )
                self.assertEqual(said, f"dokku-client {version()}")


class FromTheTree(LabTest):
    """`make install` and `make develop` install the same files, and the package replaces them."""

    options = [f"--bind-ro={TOP}:/src"]

    @classmethod
    def prepare(cls):
        cls.lab.stand_in('echo ran "$@"')

    def setUp(self):
        super().setUp()
        self.addCleanup(
            self.lab.run,
            "systemctl stop dokku-daemon.socket dokku-daemon; dpkg --purge dokku-daemon; rm -rf /run/dokku-daemon",
        )

    def packaged(self):
        """The files of the package, and the target of each link."""
        listing = subprocess.run(
            ["dpkg-deb", "-c", package()], capture_output=True, text=True, check=True
        ).stdout
        names = {line.split()[5].lstrip(".") for line in listing.splitlines() if not line.startswith("d")}
        return {name for name in names if not name.startswith("/usr/share/doc/")}

    def test_make_install_and_the_package_over_it(self):
        self.lab.sh("/src/packaging/install")
        self.lab.sh("systemctl start dokku-daemon")
        self.assertServes()
        for name in self.packaged():
            self.assertTrue(self.lab.path(name).is_file(), name)
        self.assertEqual(self.lab.sh("dokku-client apps:list"), "ran apps:list")
        inode = self.lab.inode()
        self.lab.install()
        self.assertServes()
        self.assertEqual(self.lab.inode(), inode, "whoever has the socket mounted keeps it")
        self.assertEqual(self.lab.sh("dpkg --verify dokku-daemon"), "")
        self.lab.sh("dpkg --purge dokku-daemon")
        self.assertEqual([name for name in self.packaged() if self.lab.path(name).exists()], [])

    def test_make_install_again_keeps_the_socket_and_uninstall_takes_all_away(self):
        self.lab.sh("/src/packaging/install; systemctl enable --quiet --now dokku-daemon.socket")
        self.assertServes()
        inode, pid = self.lab.inode(), self.lab.property("dokku-daemon", "MainPID")
        self.lab.sh("/src/packaging/install")
        self.lab.wait(
            "the new daemon", lambda: self.lab.property("dokku-daemon", "MainPID") not in ("0", pid)
        )
        self.assertServes()
        self.assertEqual(self.lab.inode(), inode)
        self.lab.sh("/src/packaging/uninstall")
        self.assertEqual(
            [name for name in self.packaged() if self.lab.path(name).exists() and name.startswith("/usr")], []
        )
        self.assertEqual(self.lab.run("pgrep -x dokku-daemon").stdout, "")

    def test_make_develop_links_to_the_tree(self):
        self.lab.sh("/src/packaging/install --link; systemctl start dokku-daemon")
        self.assertServes()
        for name in ["/usr/bin/dokku-daemon", "/usr/lib/systemd/system/dokku-daemon.service"]:
            self.assertTrue(os.readlink(self.lab.path(name)).startswith("/src/"))
        self.lab.sh("/src/packaging/uninstall")
        self.assertFalse(os.path.lexists(self.lab.path("/usr/bin/dokku-daemon")))


class OverTheOriginal(LabTest):
    """A host with the original daemon: the package replaces it, and its users can go on."""

    options = [f"--bind-ro={TOP}:/src"]

    @classmethod
    def prepare(cls):
        cls.lab.stand_in('echo ran "$@"')

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
