"""The write-ahead log is archived as it is written: by pg_receivewal, from a slot, so that nothing is passed over."""

import os
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from infra.embedded_postgres import binary
from services.operating.backup.backup_folder import Backups
from services.operating.backup.ledger_state import asked, server_of
from services.operating.backup.postgres_tools import address_and_password

SLOT = "hourbook_archive"

_KEPT = "SELECT wal_status IS DISTINCT FROM 'lost' FROM pg_replication_slots WHERE slot_name = $1"
_MAKE = "SELECT pg_create_physical_replication_slot($1, true)"
_DROP = "SELECT pg_drop_replication_slot($1)"
_TIMELINE = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer"


async def stretch_to_go_on(database_url: str, backups: Backups) -> Path:
    """The folder that takes what comes next; a new one where something may be missing before it."""
    async with asked(database_url) as connection:
        server = await server_of(connection)
        backups.make(server.system_identifier)
        goes_on = await _slot_goes_on(connection)
        timeline = await connection.fetchval(_TIMELINE)
    newest = backups.archive.newest(timeline)
    return newest if newest and goes_on else backups.archive.begin(timeline, datetime.now(UTC))


async def _slot_goes_on(connection: asyncpg.Connection) -> bool:
    """Whether PostgreSQL has kept all that was not fetched; where not, it does from now on."""
    kept = await connection.fetchval(_KEPT, SLOT)
    if kept:
        return True
    if kept is False:
        await connection.fetchval(_DROP, SLOT)
    await connection.fetchval(_MAKE, SLOT)
    return False


def become_receiver(database_url: str, stretch: Path) -> None:
    """Turn this process into pg_receivewal, which asks again by itself after an outage."""
    address, environment = address_and_password(database_url)
    program = binary("pg_receivewal")
    line = [program, "--dbname", address, "--no-password", "--directory", str(stretch), "--slot", SLOT, "--synchronous"]
    os.execve(program, line, environment)  # noqa: S606 - no shell is wanted
