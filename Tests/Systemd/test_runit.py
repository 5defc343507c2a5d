"""The service in dokku's container, and who may use its socket."""

import re
import unittest

from runit import CLIENT, PAGE, SOCKET, RunitTest


class Service(RunitTest):
    def test_the_image_has_no_systemd(self):
        container = self.serving()
        self.assertEqual(container.run("command -v systemctl systemd-tmpfiles").returncode, 1)
        self.assertNotIn("systemd", re.findall(r"^Setting up (\S+) ", self.installation, re.M))
        states = container.sh("dpkg-query -f '${Status}\n' -W dokku-daemon dokku-client | sort -u")
        self.assertEqual(states, "install ok installed")

    def test_an_upgrade_in_place_and_a_removal(self):
        container = self.serving()
        inode = self.file.stat().st_ino
        container.install()
        self.assertEqual(self.file.stat().st_ino, inode)
        container.expect("restart")
        container.expect("down")
        container.sh("dpkg --remove dokku-daemon")
        container.sh("dpkg --purge dokku-daemon")

    def test_lines_of_the_page(self):
        container = self.serving()
        lines = re.findall(r"^    docker exec dokku (.*)$", PAGE, re.M)
        self.assertGreater(len(lines), 4)
        for line in lines:
            container.sh(line)

    def test_other_containers_use_the_folder(self):
        container, other = self.serving(), self.other()
        self.assertEqual(other.sh(f"{CLIENT} apps:list"), "ran apps:list")
        self.assertEqual(container.sh("dokku-client apps:list"), "ran apps:list")
        container.wait_until_said(" pid=0 uid=0 gid=0 apps:list\n")
        with self.subTest("read-only"):
            self.assertIn("Read-only", other.run(f"rm {SOCKET}").stdout)
        with self.subTest("the client is the daemon's version"):
            container.sh("cmp /run/dokku-daemon/dokku-client /usr/lib/dokku-daemon/dokku")
        with self.subTest("as dokku, it takes all words as dokku's own"):
            self.assertEqual(other.sh("/var/run/dokku-daemon/dokku --quiet apps:list"), "ran --quiet apps:list")

    def test_who_may_use_it(self):
        container, other = self.serving(), self.other()
        group = container.sh("getent group dokku | cut -d : -f 3")
        self.assertEqual(container.sh("stat -L -c '%a %U %G' /var/run/dokku-daemon"), "750 root dokku")
        self.assertEqual(container.sh(f"stat -c %a {SOCKET}"), "777")
        # setpriv(1) itself could still enter, so it does not start the client.
        user = "setpriv --reuid 1000 --regid 1000"
        denied = f"{user} --clear-groups sh -c"
        self.assertEqual(other.run(f"{denied} '{CLIENT} apps:list'").returncode, 126)
        self.assertEqual(other.run(f"{denied} 'dokku-client -S {SOCKET} apps:list'").returncode, 77)
        self.assertEqual(other.sh(f"{user} --groups {group} sh -c '{CLIENT} apps:list'"), "ran apps:list")
        self.assertEqual(container.sh("runuser -u dokku -- dokku-client apps:list"), "ran apps:list")
        self.assertEqual(container.run("runuser -u nobody -- dokku-client apps:list").returncode, 77)

    def test_the_folder_can_be_open_to_all(self):
        self.serving(environment={"DOKKU_SOCK_DIR_MODE": "0755"})
        other = self.other()
        self.assertEqual(other.sh(f"setpriv --reuid 1000 --clear-groups sh -c '{CLIENT} apps:list'"), "ran apps:list")

    def test_the_socket_can_have_rules(self):
        container = self.serving(environment={"DOKKU_DAEMON_LISTENER": "read-only"})
        self.assertEqual(container.sh("dokku-client apps:list"), "ran apps:list")
        self.assertEqual(container.run("dokku-client apps:create wiki").returncode, 77)

    def test_group_dokku_may_wait_for_the_lock(self):
        container = self.serving()
        lock = "/run/lock/dokku-daemon/dokku-daemon.lock"
        self.assertEqual(container.sh(f"stat -c '%a %G' {lock}"), "640 dokku")
        self.assertEqual(container.sh(f"runuser -u dokku -- flock {lock} echo mine"), "mine")

    def test_the_socket_may_be_read_only(self):
        self.serving(environment={"DOKKU_DAEMON_LISTENER": "read-only"})
        other = self.other()
        self.assertEqual(other.sh(f"{CLIENT} apps:list"), "ran apps:list")
        self.assertEqual(other.run(f"{CLIENT} apps:create wiki").returncode, 77)

    def test_hup_reads_the_list_of_the_socket_again(self):
        dokku, other = self.dokku(environment={"DOKKU_DAEMON_LISTENER": "allow=blog"}), self.other()
        dokku.write("/etc/dokku-daemon/allow/blog", "ps:restart blog\n")
        dokku.expect("start")
        first = dokku.pid()
        self.assertEqual(other.sh(f"{CLIENT} ps:restart blog"), "ran ps:restart blog")
        self.assertEqual(other.run(f"{CLIENT} apps:list").returncode, 77)
        dokku.write("/etc/dokku-daemon/allow/blog", "apps:list\n")
        dokku.expect("hup")
        dokku.wait("the new list", lambda: other.run(f"{CLIENT} apps:list").returncode == 0)
        self.assertEqual(other.run(f"{CLIENT} ps:restart blog").returncode, 77)
        self.assertEqual(dokku.pid(), first)


if __name__ == "__main__":
    unittest.main()
