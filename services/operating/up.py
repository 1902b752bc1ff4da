"""Everything behind one address: the servers, and Hourbook's own processes, each started again when it dies."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from infra import processes
from infra.embedded import EmbeddedNats, EmbeddedPostgres, EmbeddedServer
from services.ledger.running import prepared
from services.ledger.settings import Settings
from services.process.operator_error import OperatorError

READY_SECONDS_MAX = 120
STOP_SECONDS_MAX = 20
RESTART_SECONDS = 0.1
AUDIT_SECONDS = "60"
RESTART_SECONDS_MAX = 10


@dataclass
class Part:
    """One process of Hourbook: the command line that makes it, and its present incarnation."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it; its pid is in a file, for operators."""
        command = [sys.executable, "-m", "services", *self.arguments]
        self.starts = [*(at for at in self.starts if time.monotonic() - at < 60), time.monotonic()]
        self.process = processes.spawn(
            command, processes.own_identity(), signal.SIGTERM, self.log, environment=self.environment
        )
        (self.folder / f"{self.name}.pid").write_text(f"{self.process.pid}\n", encoding="ascii")

    def to_revive(self) -> bool:
        """Whether it has died, and rested: the longer, the oftener it did in a minute."""
        rest = min(RESTART_SECONDS * 2 ** len(self.starts), RESTART_SECONDS_MAX)
        return (
            self.process is not None and self.process.poll() is not None and time.monotonic() - self.starts[-1] > rest
        )

    def stop(self) -> None:
        """Let it finish what it is doing."""
        if self.process is not None:
            processes.end(self.process.pid, signal.SIGTERM, STOP_SECONDS_MAX)
            self.process.wait()


@dataclass
class Hourbook:
    """A running Hourbook: `url` is where it is used, `parts` its processes, `servers` those it started itself."""

    url: str
    parts: list[Part]
    servers: list[EmbeddedServer]

    def revive(self, say: Callable[[str], None]) -> None:
        """Start again whatever has died."""
        for server in self.servers:
            if not server.alive():
                say(f"{server.title} died and is started again")
                server.start()
        for part in self.parts:
            if part.to_revive():
                say(f"{part.name} died and is started again; see {part.log}")
                part.start()

    def ready(self) -> bool:
        """Whether commands and queries are answered now."""
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


def _servers(data: Path, *, embedded: bool) -> Iterator[tuple[str, EmbeddedServer]]:
    """PostgreSQL and NATS of our own where the environment names none."""
    for variable, server in (("DATABASE_URL", EmbeddedPostgres), ("NATS_URL", EmbeddedNats)):
        if os.environ.get(variable):
            continue
        if not embedded:
            raise OperatorError(f"{variable} is not set: name a server with it, or leave out --no-embedded.")
        yield variable, server(data / ("postgres" if variable == "DATABASE_URL" else "nats"))


def _prepare(database_url: str) -> None:
    """What stands in the way of every process is said here, once, and not in each one's log."""

    async def in_time() -> None:
        async with asyncio.timeout(READY_SECONDS_MAX):
            await prepared(database_url, Settings(database_url=database_url).logs)

    try:
        asyncio.run(in_time())
    except TimeoutError as late:
        raise OperatorError(f"PostgreSQL did not answer within {READY_SECONDS_MAX} s: see DATABASE_URL.") from late


@contextmanager
def running(
    data: Path, port: int, *, sandbox: bool = False, embedded: bool = True, say: Callable[[str], None] = print
) -> Iterator[Hourbook]:
    """Hourbook on 127.0.0.1, ready for use within the context; everything it started is stopped after it."""
    url = f"http://127.0.0.1:{port}"
    environment = {
        "HOURBOOK_AUDIT_KEY_FILE": str(data.resolve() / "audit" / "key.pem"),
        **os.environ,
        "HOURBOOK_LEDGER_URL": url,
        "HOURBOOK_PROJECTIONS_URL": url,
        "HOURBOOK_SANDBOX": "1" if sandbox else "0",
    }
    folder = data.resolve() / "processes"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stopping:
        servers: list[EmbeddedServer] = []
        for variable, server in _servers(data, embedded=embedded):
            servers.append(stopping.enter_context(server))
            environment[variable] = server.url
        _prepare(environment["DATABASE_URL"])
        commands = {
            "service": ["serve", "--port", str(port)],
            "relay": ["ledger", "--only", "relay"],
            "expiry": ["ledger", "--only", "expiry"],
            "worker": ["projections", "--only", "worker"],
            "auditor": ["audit", "verify", "--every", AUDIT_SECONDS, "--data", str(data.resolve())],
        }
        hourbook = Hourbook(url, [Part(name, line, environment, folder) for name, line in commands.items()], servers)
        for part in reversed(hourbook.parts):  # so that the auditor, the last of them, stops after all others
            part.start()
            stopping.callback(part.stop)
        _await_ready(hourbook, say)
        yield hourbook


@contextmanager
def another_service(hourbook: Hourbook, port: int) -> Iterator[str]:
    """A second service on the same database, ready within the context; yields its address."""
    first = hourbook.parts[0]
    second = Part(f"service-{port}", ["serve", "--port", str(port)], first.environment, first.folder)
    second.start()
    try:
        _await_ready(Hourbook(f"http://127.0.0.1:{port}", [second], []), print)
        yield f"http://127.0.0.1:{port}"
    finally:
        second.stop()


def _await_ready(hourbook: Hourbook, say: Callable[[str], None]) -> None:
    for _ in processes.until(time.monotonic() + READY_SECONDS_MAX):
        if hourbook.ready():
            return
        hourbook.revive(say)
    raise OperatorError(f"{hourbook.url} did not answer within {READY_SECONDS_MAX} s; see {hourbook.parts[0].folder}")


def watch(hourbook: Hourbook, say: Callable[[str], None]) -> None:
    """Keep everything alive until SIGINT or SIGTERM."""
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: stopping.append(number))
    while not stopping:
        hourbook.revive(say)
        time.sleep(0.2)
