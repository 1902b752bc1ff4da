"""A restored PostgreSQL: laid down from a chain of backups, and brought to an instant, a transaction or the end."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from infra.data_folder import DataFolder
from infra.embedded_postgres import POSTGRES_SETTINGS, EmbeddedPostgres
from services.operating.backup.backup_folder import DATABASE, Source
from services.operating.backup.beside import copy_tree
from services.operating.backup.manifest import Damaged, Login
from services.operating.backup.postgres_tools import run_tool
from services.operating.backup.wal_archive import segment_number
from services.process.operator_error import OperatorError

NOTHING_AFTER = "recovery ended before configured recovery target was reached"
_SETTINGS = "postgresql.auto.conf"
_SWITCHED = re.compile(r"^\d+\t([0-9A-F]+/[0-9A-F]+)\t", re.MULTILINE)


class RecoveringPostgres(EmbeddedPostgres):
    """Answers when everything up to the target is there, however long that takes.

    Its settings are its own, whatever those of the server are that was backed up: it archives nothing and listens
    nowhere but in its folder `own`, where it asks for no password, and only this user and PostgreSQL's can enter.
    """

    start_seconds_max = 24 * 3600

    def __init__(self, path: Path, own: Path, login: Login) -> None:
        super().__init__(path)
        self._own = own
        self._login = login

    @property
    def url(self) -> str:
        user, database = quote(self._login.user, safe=""), quote(self._login.database, safe="")
        return f"postgresql://{user}@/{database}?host={quote(str(self._own))}&port={self.port}"

    def _prepare(self) -> None:
        (self._own / "hba").write_text("local all all trust\n", encoding="ascii")
        (self._own / "settings").touch()
        DataFolder(self._own).give_to(self._identity.owner)
        self._take_over()

    def _settings(self) -> Mapping[str, str]:
        own = {"config_file": self._own / "settings", "hba_file": self._own / "hba"}
        unwanted = {"listen_addresses": "", "archive_mode": "off", "ssl": "off", "shared_preload_libraries": ""}
        given = POSTGRES_SETTINGS | own | unwanted | {"unix_socket_directories": self._own}
        return {name: str(value) for name, value in given.items()}


@dataclass(frozen=True)
class Target:
    """Where recovery ends: after the last commit up to a time, after a transaction, or, without either, at the end.

    `own`: with what the backup itself has.
    """

    time: datetime | None = None
    transaction: str | None = None
    own: bool = False

    @property
    def is_the_end(self) -> bool:
        return self.time is None and self.transaction is None and not self.own

    def settings(self) -> str:
        """As PostgreSQL reads them. What is to be replayed lies in pg_wal: nothing is fetched."""
        lines = ["restore_command = 'false'", "hot_standby = off", "recovery_target_action = 'promote'"]
        if self.time:
            lines.append(f"recovery_target_time = '{self.time.isoformat()}'")
        if self.transaction:
            lines.append(f"recovery_target_xid = '{self.transaction}'")
        if self.own:
            lines.append("recovery_target = 'immediate'")
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class Recovered:
    """A server that has come to its target. `reached`: there were commits after the target's time."""

    url: str
    reached: bool


@asynccontextmanager
async def recovered(source: Source, folder: Path, target: Target) -> AsyncIterator[Recovered]:
    """Lay it down in a new folder `data` of that server's folder, and have it run for the time of the context.

    Damaged where not all of the write-ahead log can be replayed to the end.
    """
    await _lay_down(source, folder / "data")
    with tempfile.TemporaryDirectory(prefix="hourbook-") as own:
        server = RecoveringPostgres(folder, Path(own), source.chain[-1].manifest.login)
        reached = await asyncio.to_thread(_recover, server, folder / "data", target)
        try:
            if target.is_the_end:
                _require_all_replayed(folder / "data", source)
            yield Recovered(server.url, reached)
        finally:
            await asyncio.to_thread(server.stop)


async def _lay_down(source: Source, data: Path) -> None:
    chain = [each.path / DATABASE for each in source.chain]
    if len(chain) == 1:
        await asyncio.to_thread(copy_tree, chain[0], data)
    else:
        await run_tool("pg_combinebackup", *chain, "--output", data)
    await asyncio.to_thread(_lay_wal_down, source, data)


def _lay_wal_down(source: Source, data: Path) -> None:
    data.chmod(0o700)
    for segment in source.segments.values():
        shutil.copyfile(segment.file, data / "pg_wal" / segment.name)
    for history in source.histories:
        shutil.copyfile(history, data / "pg_wal" / history.name)


def _recover(server: RecoveringPostgres, data: Path, target: Target) -> bool:
    """Start it; False where nothing was committed after the target's time, and all that there is was replayed."""
    own = (data / _SETTINGS).read_text(encoding="utf-8")
    try:
        _start(server, data, own, target)
        reached = True
    except OperatorError as failure:
        if target.time is None or NOTHING_AFTER not in str(failure):
            raise
        _start(server, data, own, Target())
        reached = False
    (data / _SETTINGS).write_text(own, encoding="utf-8")
    return reached


def _start(server: RecoveringPostgres, data: Path, own: str, target: Target) -> None:
    (data / _SETTINGS).write_text(own + target.settings(), encoding="utf-8")
    (data / "recovery.signal").touch(mode=0o600)
    server.start()


def _require_all_replayed(data: Path, source: Source) -> None:
    """What PostgreSQL cannot read it takes for the end of the log; segments after it say otherwise."""
    known = [each.number for each in source.segments.values() if not each.partial or each.begins_a_record()]
    histories = sorted((data / "pg_wal").glob("*.history"))
    ended = _SWITCHED.findall(histories[-1].read_text(encoding="ascii"))[-1]
    if known and segment_number(ended) < max(known):
        raise Damaged(
            f"The write-ahead log cannot be read from {ended} on, though there are segments after it: one of its files "
            "is not as it was written."
        )
