"""`make install`, `make develop` and `make uninstall`, also with a package over or beside them."""

import os
import subprocess
import unittest

from support import LOG, Bare, package


class FromTheTree(Bare):
    """`make install` and `make develop` install the same files, and the package replaces them."""

    def packaged(self):
        """The files of the package, and the target of each link."""
        listing = subprocess.run(
            ["dpkg-deb", "-c", package()], capture_output=True, text=True, check=True
        ).stdout
        names = {line.split()[5].lstrip(".") for line in listing.splitlines() if not line.startswith("d")}
        return {name for name in names if not name.startswith(("/usr/share/doc/", "/usr/share/lintian/"))}

    def test_make_install_and_the_package_over_it(self):
        self.lab.sh("/src/packaging/install")
        self.lab.sh("systemctl start dokku-daemon")
        self.assertServes()
        for name in self.packaged():
            self.assertTrue(self.lab.path(name).is_file(), name)
        self.assertEqual(self.lab.sh("dokku-client apps:list"), "ran apps:list")
        inode, pid = self.lab.inode(), self.lab.property("dokku-daemon", "MainPID")
        self.lab.install()
        self.lab.wait_for_another(pid)
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
        self.lab.wait_for_another(pid)
        self.assertServes()
        self.assertEqual(self.lab.inode(), inode)
        self.lab.sh("/src/packaging/uninstall")
        self.assertEqual(self.lab.sh("find /usr -name '*dokku-daemon*' -o -name '*dokku-client*'"), "")
        self.assertEqual(self.lab.run("pgrep -x dokku-daemon").stdout, "")

    def test_a_purge_of_a_package_that_was_removed_before_leaves_it_alone(self):
        self.lab.install()
        self.lab.sh("dpkg --remove dokku-daemon; /src/packaging/install")
        self.lab.sh("systemctl enable --quiet --now dokku-daemon.socket")
        self.addCleanup(self.lab.run, "/src/packaging/uninstall")
        self.lab.sh("dokku-daemon-socket add team --allow team >/dev/null")
        self.addCleanup(self.lab.run, "dokku-daemon-socket remove team; rm -rf /etc/dokku-daemon")
        self.assertServes()
        unit = "/etc/systemd/system/dokku-daemon-team.socket"
        kept = ["/etc/dokku-daemon/allow/team", unit, "/var/lib/dokku-daemon", LOG]
        inode = self.lab.inode()
        self.lab.sh("dpkg --purge dokku-daemon")
        self.assertServes()
        self.assertEqual(self.lab.inode(), inode)
        self.assertEqual([name for name in kept if not self.lab.path(name).exists()], [])

    def test_make_develop_links_to_the_tree(self):
        self.lab.sh("/src/packaging/install --link; systemctl start dokku-daemon")
        self.assertServes()
        for name in ["/usr/bin/dokku-daemon", "/usr/lib/systemd/system/dokku-daemon.service"]:
            self.assertTrue(os.readlink(self.lab.path(name)).startswith("/src/"))
        self.lab.sh("/src/packaging/uninstall")
        self.assertFalse(os.path.lexists(self.lab.path("/usr/bin/dokku-daemon")))


if __name__ == "__main__":
    unittest.main()
