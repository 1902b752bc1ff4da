"""A backup is made: by pg_basebackup, while the ledger is at work; whole when its manifest is there, and not before."""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from services.operating.backup.backup_folder import (
    BESIDE,
    DATABASE,
    PARTIAL,
    SETTINGS,
    Backup,
    Backups,
    wal_listed_by,
)
from services.operating.backup.beside import copy_beside, copy_settings
from services.operating.backup.ledger_state import asked, checkpoints, epoch, heads, ledger_of, server_of
from services.operating.backup.manifest import Damaged, FileHash, Manifest, hashes_within
from services.operating.backup.outcomes import note_backup
from services.operating.backup.postgres_tools import address_and_password, run_tool
from services.process.operator_error import OperatorError
from services.process.version import VERSION

INCREMENTS_MAX = 6
"""After so many a full one is made: a restore needs all that it rests on."""

_SUMMARIZE = ("ALTER SYSTEM SET summarize_wal = 'on'", "SELECT pg_reload_conf()")


@dataclass(frozen=True)
class Ledger:
    """What is backed up: a data folder, and the database that belongs to it."""

    data: Path
    database_url: str


async def back_up(ledger: Ledger, backups: Backups, *, full: bool, say: Callable[[str], None]) -> Backup:
    """Make one, incremental where that can be. OperatorError where it cannot be made; nothing is left of it then."""
    async with asked(ledger.database_url) as connection:
        backups.make((await server_of(connection)).system_identifier)
    alone = backups.lock()
    alone.acquire()
    begun_at = datetime.now(UTC)
    partial = backups.path / f"{begun_at:%Y%m%dT%H%M%S%fZ}{PARTIAL}"
    try:
        _make_room(backups, partial)
        base = None if full else _base(backups)
        manifest = await _made(ledger, backups, partial, begun_at, base, say)
        await asyncio.to_thread(partial.rename, backups.path / manifest.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        alone.release()
    note_backup(backups.path, manifest)
    kind = "incremental" if manifest.based_on else "full"
    say(f"{kind} backup, {sum(each.size for each in manifest.files.values()):,} bytes in {len(manifest.files)} files")
    return backups.backup(manifest.name)


def _make_room(backups: Backups, partial: Path) -> None:
    """Away with what interruptions have left behind."""
    for remains in backups.path.glob(f"*{PARTIAL}"):
        shutil.rmtree(remains)
    partial.mkdir(mode=0o700)


async def _made(
    ledger: Ledger,
    backups: Backups,
    partial: Path,
    begun_at: datetime,
    base: Backup | None,
    say: Callable[[str], None],
) -> Manifest:
    async with asked(ledger.database_url) as connection:
        server, (ledger_id, logs) = await server_of(connection), await ledger_of(connection)
        if not server.summaries:
            base = None
            for statement in _SUMMARIZE:
                await connection.execute(statement)
        # Before the database: what was signed or verified must never be ahead of the log that it is restored with.
        copy_beside(ledger.data, partial / BESIDE)
        copy_settings(os.environ, ledger.data, partial / SETTINGS)
        number = await epoch(connection)
        at_least, signed = await heads(connection, logs), await checkpoints(connection)
        base = await _base_backup(ledger.database_url, partial / DATABASE, base, say)
        at_most = await heads(connection, logs)
    listed, files = wal_listed_by(backups.readable()), await asyncio.to_thread(hashes_within, partial)
    manifest = Manifest(
        name=partial.name.removesuffix(PARTIAL),
        program=VERSION,
        begun_at=begun_at,
        ended_at=datetime.now(UTC),
        based_on=base.manifest.name if base else None,
        system_identifier=server.system_identifier,
        **_wal_range(partial / DATABASE),
        login=server.login,
        ledger_id=ledger_id,
        epoch=number,
        logs=logs,
        at_least={log_id: head.position for log_id, head in at_least.items()},
        at_most={log_id: head.position for log_id, head in at_most.items()},
        checkpoints=signed,
        files=files,
        wal={name: FileHash.of(file) for name, file in backups.archive.complete().items() if name not in listed},
    )
    manifest.write(partial)
    return manifest


def _base(backups: Backups) -> Backup | None:
    """What the next one rests on: the newest, unless that is damaged or rests on too many."""
    try:
        newest = backups.newest() if backups.names() else None
        return newest if newest and len(backups.chain(newest)) <= INCREMENTS_MAX else None
    except Damaged:
        return None


async def _base_backup(database_url: str, into: Path, base: Backup | None, say: Callable[[str], None]) -> Backup | None:
    """Returns what it rests on: nothing where PostgreSQL does not know what has changed since the base."""
    if base:
        try:
            await _copied(database_url, into, base)
        except OperatorError as refused:
            say(f"a full backup is made, for none can be made upon the last one: {refused}")
            shutil.rmtree(into, ignore_errors=True)
        else:
            return base
    await _copied(database_url, into, None)
    return None


async def _copied(database_url: str, into: Path, base: Backup | None) -> None:
    address, environment = address_and_password(database_url)
    upon = ["--incremental", base.path / DATABASE / "backup_manifest"] if base else []
    await run_tool(
        "pg_basebackup", "--dbname", address, "--no-password", "--pgdata", into, "--wal-method=stream",
        "--checkpoint=fast", "--manifest-checksums=SHA256", *upon, environment=environment,
    )  # fmt: skip


def _wal_range(database: Path) -> dict[str, Any]:
    """The timeline, and from where to where PostgreSQL's own manifest says that its write-ahead log is needed."""
    (needed,) = orjson.loads((database / "backup_manifest").read_bytes())["WAL-Ranges"]
    return {"timeline": needed["Timeline"], "begins_at": needed["Start-LSN"], "ends_at": needed["End-LSN"]}
