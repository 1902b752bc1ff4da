"""Everything behind one address: the servers, and Hourbook's own processes, each started again when it dies."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra import processes
from infra.data_folder import DataFolder, free_port, make_usable
from infra.embedded import EmbeddedNats, EmbeddedPostgres, EmbeddedServer
from services.ledger.settings import Settings as LedgerSettings
from services.operating import door_keys
from services.operating.backup.restoring import JOURNAL
from services.operating.backup.settings import BackupSettings
from services.operating.health_watch import HealthWatch
from services.operating.migration import bring_up_to_date
from services.operating.part_logins import PartLogins
from services.operating.part_process import STARTER
from services.operating.parts import COMMANDS, Part, bound
from services.operating.start_conditions import connector_settings, door_settings, require_settings, sending_settings
from services.pages.entry_links import make_link
from services.process import nats_connection
from services.process.file_replacement import replace_file
from services.process.logins import as_part
from services.process.operator_error import OperatorError
from services.process.serving import listening
from services.process.settings import read
from services.process.tls import TlsSettings

READY_SECONDS_MAX = 120
METRICS_FILE = "metrics.json"
REQUESTS_FILE = "requests.log"
PORTAL_FILE = "bitrix24.toml"
"""In a data folder: the settings of the portal that the work comes from."""

REST_SECONDS = 2
WATCH_SECONDS = 0.5


@dataclass
class Hourbook:
    """A running Hourbook: `url` is where it is used, `parts` its processes, `servers` those it started itself.

    `key_file`: the key that may everything, where it has a door. `pages`: the folder with the links that log in once.
    """

    url: str
    parts: list[Part]
    servers: list[EmbeddedServer]
    key_file: Path | None = None
    pages: Path | None = None
    health: HealthWatch = field(init=False)
    _rest_until: float = 0.0
    _said: str = ""

    def __post_init__(self) -> None:
        self.health = HealthWatch(self.url, self.key_file)

    def entrance(self) -> str:
        """The address of the web pages; where there is a door, one that logs a browser in once with the owner's key."""
        return f"{self.url}{make_link(self.pages, self.key_file) if self.pages and self.key_file else '/'}"

    def revive(self, say: Callable[[str], None]) -> None:
        """Start again whatever has died."""
        for server in self.servers:
            if not server.alive():
                self._revive(server, say)
            bound(server.folder.log)
        for part in self.parts:
            part.revive(say)
            bound(part.log)
            bound(part.folder / REQUESTS_FILE)

    def _revive(self, server: EmbeddedServer, say: Callable[[str], None]) -> None:
        """Start it; one that cannot start now, as on a full disk, is tried again and again, and what runs goes on."""
        if time.monotonic() < self._rest_until:
            return
        try:
            server.start()
        except (OperatorError, OSError) as hindrance:
            news, self._rest_until = str(hindrance).partition("\n")[0], time.monotonic() + REST_SECONDS
        else:
            news = f"{server.title} died and is started again"
        if news != self._said or self._rest_until < time.monotonic():
            say(news)
        self._said = news


def _servers(data: Path, *, embedded: bool) -> Iterator[tuple[str, EmbeddedServer]]:
    """PostgreSQL and NATS of our own where the environment names none."""
    for variable, server in (("DATABASE_URL", EmbeddedPostgres), ("NATS_URL", EmbeddedNats)):
        if variable in os.environ:
            continue
        if not embedded:
            raise OperatorError(f"{variable} is not set: name a server with it, or leave out --no-embedded.")
        yield variable, server(data / ("postgres" if variable == "DATABASE_URL" else "nats"))


@contextmanager
def running(
    data: Path, port: int, *, sandbox: bool = False, embedded: bool = True, say: Callable[[str], None] = print
) -> Iterator[Hourbook]:
    """Hourbook at that port, ready for use within the context; everything it started is stopped after it."""
    data = data.absolute()
    url = read(TlsSettings).url(port)
    own = {
        "HOURBOOK_AUDIT_KEY_FILE": str(data / "audit" / "key.pem"),
        "HOURBOOK_SEAL_KEY_FILE": str(data / "audit" / "seal.pem"),
        "HOURBOOK_ERASURES_FILE": str(data / JOURNAL),
        "HOURBOOK_PAGES_FOLDER": str(data / "pages"),
        **os.environ,
        "HOURBOOK_LEDGER_URL": url,
        "HOURBOOK_PROJECTIONS_URL": url,
        "HOURBOOK_URL": url,
        "HOURBOOK_SANDBOX": "1" if sandbox else "0",
    }
    if backups := read(BackupSettings).folder:
        own["HOURBOOK_BACKUPS"] = str(backups.absolute())
    door = door_settings(own)
    with ExitStack() as stopping:
        taken = stopping.enter_context(listening(port, door.host))
        make_usable(data)
        if (portal := data / PORTAL_FILE).exists():
            own.setdefault("HOURBOOK_BITRIX24_FILE", str(portal))
        require_settings(own)
        STARTER.prepare()
        folder = DataFolder(data / "processes")
        folder.acquire()
        stopping.callback(folder.release)
        own.setdefault("HOURBOOK_REQUEST_LOG_FILE", str(folder.path / REQUESTS_FILE))
        servers: list[EmbeddedServer] = []
        logins = PartLogins.of(own, data)
        for variable, server in _servers(data, embedded=embedded):
            logins.prepare(server)
            servers.append(stopping.enter_context(server))
            own[variable] = server.url
        asyncio.run(bring_up_to_date(read(LedgerSettings, database_url=own["DATABASE_URL"])))
        if not asyncio.run(nats_connection.log_in(own["NATS_URL"])):
            say("NATS does not answer yet; commands and queries go on without it")
        logins.give(own, servers)
        owners_key = _close_door(own, data, say) if door.access == "closed" else None
        parts = _parts(own, folder.path, taken, port)
        if backups and any(isinstance(server, EmbeddedPostgres) for server in servers):
            parts.insert(1, Part("archive", ["archive", "--data", str(data)], own, folder.path))
        hourbook = Hourbook(url, parts, servers, owners_key, Path(own["HOURBOOK_PAGES_FOLDER"]))
        for part in reversed(hourbook.parts):  # so that the auditor, the last of them, stops after all others
            part.start()
            stopping.callback(part.stop)
        _await_ready(hourbook, say)
        yield hourbook


def _close_door(own: dict[str, str], data: Path, say: Callable[[str], None]) -> Path:
    """Have a key for each role, and give the parts theirs; returns the file of the owner's."""
    sandbox = own["HOURBOOK_SANDBOX"] == "1"
    login = {"DATABASE_URL": own.get("DATABASE_URL")} | as_part("expiry", folder=Path(own["HOURBOOK_LOGINS"]))
    settings = read(
        LedgerSettings, **login, sandbox=sandbox,
        audit_key_file=own["HOURBOOK_AUDIT_KEY_FILE"], seal_key_file=own["HOURBOOK_SEAL_KEY_FILE"],
    )  # fmt: skip
    asyncio.run(door_keys.keep_keys(settings, data, say))
    for variable in ("HOURBOOK_LEDGER_KEY_FILE", "HOURBOOK_PROJECTIONS_KEY_FILE"):
        own.setdefault(variable, str(door_keys.file_of(data, door_keys.FOLLOWER)))
    own.setdefault("HOURBOOK_BILLING_KEY_FILE", str(door_keys.file_of(data, door_keys.BILLING)))
    owners_key = door_keys.file_of(data, door_keys.OWNER)
    say(f"every request shows a key: {owners_key} may everything, the others beside it what their roles may")
    return owners_key


def _parts(environment: dict[str, str], folder: Path, taken: socket.socket, port: int) -> list[Part]:
    """The processes. The service answers on a socket of ours: nobody else can answer in its place.

    Where each shows its metrics is in a file, as Prometheus reads it (file_sd_configs).
    """
    needed = {"sender": sending_settings(environment).is_on, "bitrix24": bool(connector_settings(environment).file)}
    others = {name: line for name, line in COMMANDS.items() if name != "service" and needed.get(name, True)}
    key_file = door_keys.file_of(folder.parent, door_keys.CONNECTOR)
    shown = ("--key-file", str(key_file)) if door_settings(environment).access == "closed" else ()
    options = {
        "auditor": ("--data", str(folder.parent)),
        "bitrix24": ("--url", environment["HOURBOOK_URL"], *shown),
    }
    ports = {"service": port} | {name: free_port() for name in others}
    targets = [{"targets": [f"127.0.0.1:{each}"], "labels": {"part": name}} for name, each in ports.items()]
    replace_file(folder / METRICS_FILE, json.dumps(targets, indent=2), mode=0o644)
    return [
        Part("service", [*COMMANDS["service"]], environment, folder, taken),
        *(
            Part(name, [*line, *options.get(name, ()), "--metrics-port", str(ports[name])], environment, folder)
            for name, line in others.items()
        ),
    ]


@contextmanager
def another_service(hourbook: Hourbook, port: int) -> Iterator[str]:
    """A second service on the same database, ready within the context; yields its address."""
    first = hourbook.parts[0]
    with listening(port) as taken:
        second = Part(f"service-{port}", first.arguments, first.environment, first.folder, taken)
        second.start()
        try:
            url = read(TlsSettings).url(port)
            _await_ready(Hourbook(url, [second], [], hourbook.key_file), print)
            yield url
        finally:
            second.stop()


def _await_ready(hourbook: Hourbook, say: Callable[[str], None]) -> None:
    for _ in processes.until(time.monotonic() + READY_SECONDS_MAX):
        for part in hourbook.parts:
            part.require_start()
        if hourbook.health.usable():
            for line in hourbook.health.first_lines():
                say(line)
            return
        hourbook.revive(say)
    reasons = " ".join(hourbook.health.first_lines())
    raise OperatorError(f"{hourbook.url} was not ready within {READY_SECONDS_MAX} s. {reasons}")


def watch(hourbook: Hourbook, say: Callable[[str], None]) -> None:
    """Keep everything alive until SIGINT or SIGTERM, and say what stops working and what works again."""
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: stopping.append(number))
    while not stopping:
        hourbook.revive(say)
        for line in hourbook.health.changes():
            say(line)
        time.sleep(WATCH_SECONDS)
