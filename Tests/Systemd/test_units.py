"""The units: how systemd reads them. They restrict the daemon and not its children."""

import unittest

from support import LabTest

UNITS = ["dokku-daemon.service", "dokku-daemon.socket", "dokku-daemon-read-only.socket"]


class Properties(LabTest):
    def test_systemd_has_nothing_to_say_about_them(self):
        self.lab.sh(
            "install -D -m 644 /usr/share/dokku-daemon/user-dokku.conf /run/systemd/system/dokku-daemon.service.d/x.conf"
        )
        for drop_in in [True, False]:
            if not drop_in:
                self.lab.sh("rm -r /run/systemd/system/dokku-daemon.service.d")
            done = self.lab.run(
                "systemd-analyze verify --man=yes "
                + " ".join(f"/usr/lib/systemd/system/{unit}" for unit in UNITS)
            )
            self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_the_service(self):
        names = {
            "Type": "notify",
            "KillMode": "process",
            "OOMPolicy": "continue",
            "TasksMax": "infinity",
            "LimitNOFILE": "8192",
            "StartLimitIntervalUSec": "0",
            "Restart": "on-failure",
            "RestartUSec": "500ms",
            "User": "",
            "NotifyAccess": "main",
        }
        self.assertEqual(self.lab.properties("dokku-daemon.service", *names), names)
        others = self.lab.properties(
            "dokku-daemon.service",
            "After",
            "ExecReload",
            "EnvironmentFiles",
            "Environment",
            "TimeoutStopUSec",
            "WatchdogUSec",
            "RuntimeDirectory",
            "Requires",
            "BindsTo",
            "PartOf",
        )
        self.assertIn("docker.service", others["After"])
        self.assertIn("/bin/kill -HUP $MAINPID", others["ExecReload"])
        self.assertEqual(
            self.lab.sh("systemctl show -p EnvironmentFiles --value dokku-daemon.service").splitlines(),
            [
                "/etc/default/dokku-daemon (ignore_errors=yes)",
                "/etc/systemd/system/dokku-daemon.env (ignore_errors=yes)",
            ],
        )
        self.assertIn("DOKKU_DAEMON_STOP_GRACE=600", others["Environment"])
        self.assertEqual(others["TimeoutStopUSec"], "11min")
        self.assertNotEqual(others["WatchdogUSec"], "0")
        # If systemd removed the folder with the service, it would remove the socket, too.
        self.assertNotIn("dokku-daemon", others["RuntimeDirectory"].split())
        self.assertEqual(others["BindsTo"] + others["PartOf"], "")

    def test_the_sockets(self):
        for unit in UNITS[1:]:
            names = {
                "SocketMode": "0666",
                "DirectoryMode": "0750",
                "TriggerLimitIntervalUSec": "0",
                "SocketGroup": "",
                "RemoveOnStop": "no",
                "Accept": "no",
            }
            self.assertEqual(self.lab.properties(unit, *names), names)
            self.assertIn("docker.service", self.lab.property(unit, "Before"))
        self.assertEqual(
            self.lab.property("dokku-daemon-read-only.socket", "FileDescriptorName"), "read-only"
        )

    def test_only_the_first_socket_is_enabled(self):
        states = [self.lab.run(f"systemctl is-enabled {unit}").stdout.strip() for unit in UNITS]
        self.assertEqual(states, ["disabled", "enabled", "disabled"])


class Settings(LabTest):
    """Where settings come from, and what a reload does."""

    def test_the_originals_file_overrides_the_default_file(self):
        self.lab.stand_in("env | grep ^DOKKU_ | sort")
        self.lab.sh("echo 'DOKKU_LAB=default' >>/etc/default/dokku-daemon; systemctl restart dokku-daemon")
        self.assertIn("DOKKU_LAB=default", self.lab.ask("apps:list")["output"])
        self.lab.write("/etc/systemd/system/dokku-daemon.env", "DOKKU_LAB=original\n")
        self.lab.sh("systemctl restart dokku-daemon")
        self.assertIn("DOKKU_LAB=original", self.lab.ask("apps:list")["output"])

    def test_a_reload_opens_the_log_anew_and_leaves_the_daemon(self):
        self.lab.ask("apps:list")
        before = self.lab.property("dokku-daemon", "MainPID")
        self.lab.sh("mv /var/log/dokku/dokku-daemon.log /var/log/dokku/moved; systemctl reload dokku-daemon")
        self.lab.wait("a new log", lambda: self.lab.path("/var/log/dokku/dokku-daemon.log").exists())
        self.assertEqual(self.lab.property("dokku-daemon", "MainPID"), before)


class Hardening(LabTest):
    """A command may do whatever it may do without the daemon."""

    @classmethod
    def prepare(cls):
        # Each command runs a script that the test has written, as root in the service.
        cls.lab.stand_in("exec bash /run/probe 2>&1")
        cls.lab.install()
        cls.lab.sh("echo DOKKU_SYSTEM_USER=root >>/etc/default/dokku-daemon; systemctl restart dokku-daemon")

    def probe(self, script):
        self.lab.write("/run/probe", script)
        return self.lab.ask("apps:list")

    def assertWorks(self, script, output=""):
        self.assertEqual(self.probe(script), {"ok": True, "output": output})

    def assertForbidden(self, script):
        self.assertFalse(self.probe(script)["ok"])
        self.assertEqual(
            self.lab.run(script).returncode, 0, "without the daemon it works: else this shows nothing"
        )

    def test_it_is_root_with_all_capabilities_and_may_gain_privileges(self):
        self.assertWorks("id -u; umask", "0\n0022")
        bounding = self.lab.sh("grep CapBnd /proc/self/status").split()[1]
        status = self.probe("grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status")["output"]
        allowed = {line.split()[0]: line.split()[1] for line in status.splitlines()}
        self.assertEqual(allowed["NoNewPrivs:"], "0")
        # ProtectClock= removes the capabilities to set the clock (25) and its alarm (35).
        missing = int(bounding, 16) & ~int(allowed["CapBnd:"], 16)
        self.assertEqual(missing & ~(1 << 25 | 1 << 35), 0)

    def test_sudo_works(self):
        self.assertWorks("sudo -u dokku sudo -n id -u", "0")

    def test_it_may_write_everywhere(self):
        for folder in [
            "/etc",
            "/etc/cron.d",
            "/etc/nginx/conf.d",
            "/usr/local/bin",
            "/usr/share",
            "/var/lib/dokku",
            "/home/dokku",
            "/root",
            "/boot",
            "/opt",
            "/tmp",
            "/var/tmp",
            "/dev/shm",
        ]:
            with self.subTest(folder):
                self.assertWorks(f"mkdir -p {folder} && echo x >{folder}/probed && cat {folder}/probed", "x")
                self.assertEqual(self.lab.read(f"{folder}/probed"), "x\n", "the host sees it")

    def test_it_may_install_a_crontab(self):
        self.assertWorks("echo '@daily true' | crontab -u dokku - && crontab -u dokku -l", "@daily true")
        self.assertIn("@daily", self.lab.sh("crontab -u dokku -l"))

    def test_its_mounts_are_the_hosts(self):
        self.assertWorks("mkdir -p /mnt/probe && mount -t tmpfs probe /mnt/probe && touch /mnt/probe/x")
        self.assertEqual(self.lab.sh("ls /mnt/probe"), "x")
        self.assertEqual(
            self.probe("readlink /proc/self/ns/mnt")["output"], self.lab.sh("readlink /proc/1/ns/mnt")
        )

    def test_it_may_make_namespaces_devices_and_links(self):
        self.assertWorks("unshare --mount --pid --fork --net true")
        self.assertWorks("mknod /dev/probed c 1 3 && echo x >/dev/probed && rm /dev/probed")
        self.assertWorks("ip address add 192.0.2.1/32 dev lo && ip address delete 192.0.2.1/32 dev lo")

    def test_it_may_run_programs_of_any_mode(self):
        self.assertWorks("cp /bin/true /run/suid && chmod u+s /run/suid && /run/suid && rm /run/suid")
        self.assertWorks("systemctl is-system-running --wait >/dev/null; systemctl start cron", "")
        self.assertWorks("python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)'")

    def test_it_may_not_change_what_only_the_host_may(self):
        self.assertForbidden("dmesg >/dev/null")
        self.assertForbidden("setarch --addr-no-randomize true")
        self.probe("hostname probed")
        self.assertEqual(self.lab.sh("hostname"), "lab")
        self.assertForbidden("chrt --rr 1 true")
        # The test looks only at the capability and does not set the clock, which is also the clock of this host.
        self.assertFalse(int(self.probe("grep CapEff /proc/self/status")["output"].split()[1], 16) & 1 << 25)

    def test_a_memory_kill_of_a_command_is_not_the_daemons_end(self):
        # On a host with cgroups v1 this always holds, because systemd does not notice such a kill there.
        self.lab.write(
            "/run/systemd/system/dokku-daemon.service.d/memory.conf",
            "[Service]\nMemoryMax=64M\nMemorySwapMax=0\n",
        )
        self.lab.sh("systemctl daemon-reload; systemctl restart dokku-daemon")
        before = self.lab.property("dokku-daemon", "MainPID")
        self.assertFalse(self.probe("exec python3 -c 'bytearray(300 << 20)'")["ok"])
        self.lab.sh("rm /run/systemd/system/dokku-daemon.service.d/memory.conf; systemctl daemon-reload")
        self.assertWorks("echo alive", "alive")
        self.assertEqual(self.lab.property("dokku-daemon", "MainPID"), before)


if __name__ == "__main__":
    unittest.main()
