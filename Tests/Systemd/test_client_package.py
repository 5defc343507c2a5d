"""The client's package: what it installs, alone and beside the daemon."""

import os
import subprocess
import unittest

from support import Bare, package, version


class Client(Bare):
    """The client's package, which needs nothing but a socket."""

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


if __name__ == "__main__":
    unittest.main()
