"""A data folder is made anew from backups: at the end of what they hold, at an instant, or at a position of a log."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

from infra.data_folder import DataFolder
from services.operating.backup.backup_folder import BESIDE, DATABASE, SETTINGS, Backup, Backups, Source
from services.operating.backup.beside import put_back
from services.operating.backup.erasures import erase_again, journaled, recorded
from services.operating.backup.kept_checkpoints import Kept, kept_of_note
from services.operating.backup.ledger_state import Head, asked, checkpoints, heads, ledger_of
from services.operating.backup.manifest import Manifest
from services.operating.backup.recovery import Target, recovered
from services.operating.backup.signer_state import remember
from services.process.operator_error import OperatorError

JOURNAL = Path("audit", "erasures.ndjson")

_TRANSACTION = "SELECT xmin::text FROM ledger.event WHERE log_id = $1 AND position = $2"


@dataclass(frozen=True)
class Wanted:
    """To where: the end, or the last commit up to a time, or the commit of a position of a log."""

    time: datetime | None = None
    position: int | None = None
    log: int = 0

    @property
    def is_all(self) -> bool:
        return self.time is None and self.position is None


@dataclass(frozen=True)
class Restored:
    """What there is now. `there_were`: the ends of the logs as far as the backups have them.

    `reached`: the backups have commits after the time that was asked for. `signed`: the last checkpoints in them.
    """

    backup: Backup
    ledger_id: str
    logs: int
    heads: Mapping[int, Head]
    there_were: Mapping[int, Head]
    erased_again: int
    reached: bool
    signed: list[Kept]
    seconds: float


async def restore(
    backups: Backups,
    into: Path,
    wanted: Wanted,
    journals: Iterable[Path],
    kept: Iterable[Kept],
    say: Callable[[str], None],
) -> Restored:
    """Into a folder that is empty or not there; OperatorError where it cannot be, and the folder is as it was then.

    By one program at a time.

    Its signer remembers the latest checkpoint of `kept` and of what the backups have, so that `hourbook restored` knows
    what is lost.
    """
    begun = time.monotonic()
    _require_empty(into)
    backup = _chosen(backups, wanted)
    say(f"backup {backup.manifest.name}: every file is compared with its manifest, then restored")
    source = await asyncio.to_thread(Source.of, backups, backup)
    workshop = DataFolder(into.with_name(f"{into.name}.restoring"), "--into")
    workshop.acquire()
    beside = workshop.path / into.name
    try:
        workshop.path.chmod(0o711)  # PostgreSQL may run as another user, and has to come through
        shutil.rmtree(beside, ignore_errors=True)
        put_beside(backup, beside)
        restored = await _restored(source, beside, wanted, [*journals, *_journals(beside)], begun)
        remember(beside, restored.ledger_id, restored.logs, [*kept, *restored.signed])
        _put_in_place(beside, into)
    finally:
        shutil.rmtree(workshop.path, ignore_errors=True)
        workshop.release()
    return restored


def _journals(folder: Path) -> list[Path]:
    """Of erasures, as the backup has them: under their own name, or where a setting has named another."""
    named = folder.glob(f"{SETTINGS}/HOURBOOK_ERASURES_FILE/*")
    places = (place for place in folder.iterdir() if place.name != DATABASE)
    return sorted({*named, *(file for place in places for file in place.rglob(JOURNAL.name))})


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OperatorError(f"{folder} is not empty: name another folder with --into, or move what is in it away.")


def _put_in_place(beside: Path, folder: Path) -> None:
    _require_empty(folder)
    if folder.exists():
        folder.rmdir()
    beside.chmod(0o700)
    beside.rename(folder)


def put_beside(backup: Backup, folder: Path) -> None:
    """The keys, what was signed and verified, the logins, and the files of settings; the database comes beside them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o711)
    put_back(backup.path / BESIDE, folder)
    put_back(backup.path / SETTINGS, folder / SETTINGS)
    (folder / DATABASE).mkdir(exist_ok=True, mode=0o700)
    folder.chmod(0o711)  # PostgreSQL may run as another user, and has to come through


async def _restored(source: Source, folder: Path, wanted: Wanted, journals: Iterable[Path], begun: float) -> Restored:
    """Everything is replayed first, also where less is wanted: what was erased later has to be erased again."""
    backup, known = source.chain[-1], journaled(*journals)
    async with recovered(source, folder / DATABASE, Target()) as server, asked(server.url) as connection:
        ledger_id, logs = await ledger_of(connection)
        there_are = there_were = await heads(connection, logs)
        signed = [kept_of_note(folder, note) for note in (await checkpoints(connection)).values()]
        reached = True
        if wanted.is_all:
            erased = await erase_again(connection, known)
        else:
            known += await recorded(connection)
            target = await _target(connection, wanted, backup, there_were)
    if not wanted.is_all:
        shutil.rmtree(folder / DATABASE / "data")
        async with recovered(source, folder / DATABASE, target) as server, asked(server.url) as connection:
            erased, there_are = await erase_again(connection, known), await heads(connection, logs)
            reached = server.reached
    seconds = time.monotonic() - begun
    return Restored(backup, ledger_id, logs, there_are, there_were, erased, reached, signed, seconds)


async def _target(
    connection: asyncpg.Connection, wanted: Wanted, backup: Backup, there_were: Mapping[int, Head]
) -> Target:
    """A position is where the transaction ends that recorded it: what was recorded in one is restored together.

    The last one that the backup has may have been recorded long before: no log that is replayed has it then.
    """
    if wanted.time:
        return Target(time=wanted.time)
    if wanted.position and backup.manifest.at_least.get(wanted.log) == wanted.position:
        return Target(own=True)
    transaction = await connection.fetchval(_TRANSACTION, wanted.log, wanted.position)
    if transaction is None:
        last = there_were[wanted.log].position if wanted.log in there_were else 0
        raise OperatorError(f"The backups have log {wanted.log} up to position {last}: there is no {wanted.position}.")
    return Target(transaction=transaction)


def _chosen(backups: Backups, wanted: Wanted) -> Backup:
    """The newest that is not past what is wanted; OperatorError where there is none."""
    names = backups.names()
    if wanted.is_all or not names:
        return backups.newest()
    for name in reversed(names):
        manifest = backups.backup(name).manifest
        if wanted.time and manifest.ended_at <= wanted.time:
            return backups.backup(name)
        if wanted.position is not None and _is_before(manifest, wanted.log, wanted.position):
            return backups.backup(name)
    raise OperatorError(
        f"No backup in {backups.path} is from before then: the earliest is {names[0]}. Ask for what came later."
    )


def _is_before(manifest: Manifest, log: int, position: int) -> bool:
    """Whether the position is the last that the backup has, or was recorded after all that it may have."""
    at_most = manifest.at_most.get(log, 0)
    return at_most < position or manifest.at_least.get(log, 0) == at_most == position
