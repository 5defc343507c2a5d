"""README.md: a user with sudo runs each of its blocks, in their order, and sees what the page shows.

A stand-in plays dokku and docker: a container is the system's own files in a mount namespace, with what is mounted, and
nothing else of this host's sockets and clients.
"""

import re
import subprocess
import unittest

from blocks import README, blocks, conversation
from support import PATIENCE, SOCKET, TOP, LabTest, package

READ_ONLY = "/run/dokku-daemon/read-only.sock"
GATE = "/var/lib/gate"
#: What dokku and docker do: mounts count from the next start of the app on. A rebuild waits while there is a gate.
DOKKU = f"""#!/bin/bash
set -eu
[[ $(id -un) == dokku ]] || exec sudo -n -u dokku -E -H "$0" "$@"
cd /var/lib/dokku
case ${{1:-}} in
    storage:mount) echo "$3" >>"$2.wanted" && exit ;;
    ps:restart) if [[ -e $2.wanted ]]; then cp "$2.wanted" "$2.mounts"; fi ;;
    ps:rebuild) if [[ -p {GATE} ]]; then read -r word <{GATE}; fi ;;
    enter) exec sudo -n /usr/local/bin/container "/var/lib/dokku/$2.mounts" "${{@:4}}" ;;
esac
STAND_IN_STATE=/var/lib/dokku/apps exec /src/Tests/StandIn/dokku "$@"
"""
#: The user in the container is nobody on the host, and in none of its groups.
CONTAINER = """#!/bin/bash
# container MOUNTS COMMAND…
set -eu
[[ $1 == inside ]] || exec unshare --mount --propagation private "$0" inside "$@"
shift
root=/mnt
mount --bind / $root
mount --rbind /dev $root/dev
mount -t tmpfs none $root/run
# An image has neither dokku nor its client.
mount --bind /dev/null $root/usr/bin/dokku
mount -t tmpfs none $root/usr/lib/dokku-daemon
while IFS=: read -r source target; do
    target=$root$(chroot $root readlink -m "$target")
    if [[ -d $source ]]; then mkdir -p "$target"; elif [[ ! -e $target ]]; then install -D /dev/null "$target"; fi
    mount --bind "$source" "$target"
done <"$1"
exec chroot --userspec=4711:4711 --groups= $root env -i PATH=/usr/bin:/bin "${@:2}"
"""
#: Pages that only the source has. The package has its changelog under Debian's name.
SOURCE_ALONE = ["CONTRIBUTING.md", "CHANGELOG.md"]
#: What builds and installs from source: Tests/Releases/run takes these blocks from the page, too.
FROM_SOURCE = ["make demo", "sudo make install", "make deb"]


def matches(text, pattern):
    """Each part between two ellipses is there, in its order."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), text, re.S) is not None


class Readme(LabTest):
    options = [f"--bind-ro={TOP}:/src"]

    @classmethod
    def prepare(cls):
        cls.lab.write("/usr/bin/dokku", DOKKU, 0o755)
        cls.lab.write("/usr/local/bin/container", CONTAINER, 0o755)
        cls.lab.sh(
            "useradd --create-home --shell /bin/bash dev; echo 'dev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/dev;"
            "chmod 440 /etc/sudoers.d/dev; install -d -o dokku /var/lib/dokku/apps"
        )
        for name in ["dokku-daemon", "dokku-client"]:
            cls.lab.install(package(name), f"{name}.deb")

    def as_user(self, script):
        """The finished process of a script of the user with sudo."""
        self.lab.write("/home/dev/script", script, 0o755)
        return self.lab.run("cd /home/dev; exec sudo -u dev env -i HOME=/home/dev PATH=/usr/bin:/bin bash script")

    def as_shown(self, script):
        """What a script prints of which each command must succeed."""
        done = self.as_user(f"set -e\n{script}")
        self.assertEqual(done.returncode, 0, f"{script}\n{done.stdout}")
        return done.stdout

    def in_app(self, app, command):
        return self.as_user(f"dokku enter {app} web dokku {command}")

    # ----- The page

    def test_each_block_does_what_the_page_says(self):
        self.addCleanup(self.lab.run, f"rm -f {GATE}; dokku-daemon-socket remove blog")
        checks = {
            "sudo dokku-client apps:create": self.as_shown,
            "dokku storage:mount python-app": self.as_shown,
            "echo DOKKU_DAEMON_READERS=4": self.serves_a_dashboard,
            "sudo dokku-client daemon:events": self.shows_a_board,
            "sudo dokku-daemon-socket add blog": self.confines_an_app,
            "sudo dokku-daemon --check": self.explains_sockets,
            "job=$(sudo dokku-client --detach": self.brings_the_result,
            "sudo dokku-daemon --check && sudo": self.refuses_wrong_settings,
        }
        used = []
        for block in blocks():
            first = block.lines[0]
            with self.subTest(first):
                if block.kind == "console":
                    self.converses(block)
                elif first in FROM_SOURCE:
                    self.assertRegex((TOP / "Tests/Releases/run").read_text(), rf"\n    follow as_\w+ '{first}'\n")
                else:
                    self.assertEqual(block.kind, "sh")
                    known = max((each for each in checks if first.startswith(each)), key=len, default=None)
                    self.assertIsNotNone(known, "no test knows this block")
                    used.append(known)
                    checks[known]("\n".join(block.lines))
        self.assertEqual(used, list(checks))

    def converses(self, block):
        for command, shown in conversation(block):
            said = self.as_user(command).stdout
            self.assertTrue(matches(said, "".join(f"{line}\n" for line in shown)), f"{command}\n{said}")

    def serves_a_dashboard(self, script):
        self.as_shown(f"dokku apps:create dashboard\n{script}")
        self.assertEqual(self.in_app("dashboard", "config:get python-app GREETING").returncode, 77)
        # It does not wait while an app is deployed.
        self.lab.sh(f"mkfifo --mode=666 {GATE}")
        with self.lab.connect() as connection:
            connection.sendall(b"ps:rebuild python-app\n")
            try:
                self.lab.wait("the deploy", lambda: "ps:rebuild" in self.lab.property("dokku-daemon", "StatusText"))
                self.as_shown("dokku enter dashboard web timeout --signal=KILL 20 dokku --quiet apps:list")
            finally:
                self.lab.sh(f"timeout 20 bash -c 'echo >{GATE}'; rm {GATE}")
            self.assertIn('"ok":true', connection.makefile().readline())

    def shows_a_board(self, script):
        process = subprocess.Popen(
            self.lab.command(
                f"export TERM=xterm; exec timeout {PATIENCE} script --quiet --command 'sudo -u dev {script}' /dev/null"
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addCleanup(process.communicate)
        said = b""
        while b"=====> 0 running, 0 waiting" not in said or b"live" not in said:
            part = process.stdout.read1()
            self.assertTrue(part, said)
            said += part
        process.stdin.write(b"\x03")
        process.stdin.flush()
        process.wait()

    def confines_an_app(self, script):
        inode = self.lab.inode()
        # The first line prints what to do for the app.
        made = self.as_shown(f"dokku apps:create blog\n{script}")
        for line in re.findall("^dokku .*$", script, re.M):
            self.assertIn(f"  {line}\n", made)
        restarted = self.in_app("blog", "ps:restart blog")
        self.assertEqual(restarted.returncode, 0, restarted.stdout)
        for command in ["ps:restart python-app", "apps:destroy --force blog", "daemon:queue", "ps:restart blog --force"]:
            denied = self.in_app("blog", command)
            self.assertEqual(denied.returncode, 77, f"{command}\n{denied.stdout}")
        self.assertEqual(self.lab.inode(), inode)

    def explains_sockets(self, script):
        self.lab.sh("echo 'plugin:install ...' >>/etc/dokku-daemon/allow/blog")
        said = self.as_shown(script)
        for text in [SOCKET, READ_ONLY, "/run/dokku-daemon/blog.sock", "plugin:install"]:
            self.assertIn(text, said)
        self.lab.sh("sed -i /plugin/d /etc/dokku-daemon/allow/blog")

    def brings_the_result(self, script):
        listed, result = self.as_shown(script).split("-----> Cleaning up...", 1)
        self.assertIn("ps:rebuild python-app", listed)
        self.assertIn("=====> Application deployed:", result)

    def refuses_wrong_settings(self, script):
        before = self.lab.property("dokku-daemon", "MainPID")
        self.lab.sh("echo DOKKU_DAEMON_READERS=many >>/etc/default/dokku-daemon")
        done = self.as_user(script)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("DOKKU_DAEMON_READERS", done.stdout)
        self.assertEqual(self.lab.property("dokku-daemon", "MainPID"), before)
        self.lab.sh("sed -i /many/d /etc/default/dokku-daemon")
        self.as_shown(script)
        self.assertNotEqual(self.lab.property("dokku-daemon", "MainPID"), before)

    # ----- What else it shows

    def test_its_settings_have_these_defaults(self):
        rows = re.findall(r"^\| `(DOKKU_\w+)` \| (\S+) \|", README.read_text(), re.M)
        self.assertGreater(len(rows), 3)
        file = (TOP / "packaging/systemd/default").read_text().splitlines()
        for name, default in rows:
            self.assertIn(f"#{name}={default}", file)

    def test_its_picture_is_what_the_programs_show(self):
        self.lab.sh("/src/packaging/picture --programs /usr/bin --to /root/session.svg")
        self.assertEqual(self.lab.read("/root/session.svg"), (TOP / "docs/session.svg").read_text())

    def test_the_links_of_the_installed_pages_lead_somewhere(self):
        folder = self.lab.path("/usr/share/doc/dokku-daemon")
        pages = list(folder.rglob("*.md"))
        self.assertIn(folder / "README.md", pages)
        for page in pages:
            for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
                if not target.startswith("https://") and target not in SOURCE_ALONE:
                    self.assertTrue((page.parent / target).exists(), f"{page.name} links to {target}")


if __name__ == "__main__":
    unittest.main()
