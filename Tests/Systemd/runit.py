"""Tests of the daemon as a service of runit: dokku's container and others that share the socket's folder, as
docs/in-a-container.md describes them."""

import os
import pathlib
import re
import select
import tempfile
import unittest

from containers import SERVICE, Container, Image
from support import PATIENCE, SOCKET, TOP

PAGE = (TOP / "docs/in-a-container.md").read_text()
#: The client, as other containers call it.
CLIENT = "/var/run/dokku-daemon/dokku-client"
#: A dokku whose deploys begin and go on when a test says so.
GATED = """
    if [[ $1 == ps:rebuild ]]; then
        echo "$2" >/mnt/dokku/begun
        read -r word </mnt/dokku/go
        echo "went $word"
    fi
    echo ran "$@"
"""


def block(language):
    """The block of the page in this language."""
    return re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)[1]


def settings():
    """What the page's docker-compose.yml gives to dokku's container."""
    lines = re.search(r"^ {4}environment:\n((?: {6}.*\n)+)", block("yaml"), re.M)[1]
    return {name: value.strip('"') for name, value in re.findall(r"^ +(\w+): (.*)$", lines, re.M)}


class Gate:
    """Commands that tell when they have begun, and then wait until they may go on, through FIFOs in a shared folder."""

    def __init__(self, folder):
        self.ends = {}
        for name in ("begun", "go"):
            os.mkfifo(folder / name)
            (folder / name).chmod(0o666)
            # With both ends open here, neither side waits for the other to open it.
            self.ends[name] = os.open(folder / name, os.O_RDWR | os.O_CLOEXEC)

    def begun(self):
        """Waits for the next command to begin, and returns its app."""
        if not select.select([self.ends["begun"]], [], [], PATIENCE)[0]:
            raise AssertionError("no command has begun")
        return os.read(self.ends["begun"], 100).decode().strip()

    def open(self, word="on"):
        os.write(self.ends["go"], f"{word}\n".encode())

    def close(self):
        for end in self.ends.values():
            os.close(end)


class RunitTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.image = Image()
        cls.addClassCleanup(cls.image.remove)
        cls.image.copy_packages(re.search(r"^COPY \S+ \S+ (\S+)$", block("Dockerfile"), re.M)[1])
        # The image of dokku has this folder.
        cls.image.path("/etc/my_init.pre_shutdown.d").mkdir()
        cls.installation = cls.image.build(re.search(r"^RUN (.*)", block("Dockerfile"), re.M | re.S)[1])
        # Debian's runit brings a service of its own, which does not start here.
        cls.image.build("rm -f /etc/service/default-syslog")
        cls.image.stand_in(GATED)

    def setUp(self):
        self.socket = self.volume()
        self.data = self.volume()
        self.gate = Gate(self.data)
        self.addCleanup(self.gate.close)

    def volume(self):
        """A new folder, with the mode that an engine gives it."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.image.folder))
        folder.chmod(0o755)
        return folder

    @property
    def file(self):
        return self.socket / os.path.basename(SOCKET)

    def container(self, *words):
        container = Container(self.image, *words)
        self.addCleanup(container.remove)
        self.addCleanup(container.kill)
        return container

    def dokku(self, environment=(), socket=None):
        """dokku's container, when runit has its service."""
        volumes = {socket or self.socket: "/run/dokku-daemon", self.data: "/mnt/dokku"}
        container = self.container(volumes, {**settings(), **dict(environment)}, "/usr/sbin/container-init")
        container.wait("runsv", lambda: container.path(f"{SERVICE}/supervise/ok").exists())
        return container

    def serving(self, **options):
        """The same when its daemon listens."""
        container = self.dokku(**options)
        container.expect("start")
        return container

    def other(self, place="/run/dokku-daemon:ro", path=None):
        """A container of a client."""
        return self.container({path or self.socket: place})

    def assertEnds(self, process, status, output, errors=""):
        said = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, *said), (status, output, errors))
