"""What a backup has to know of the database that it is of."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from contracts.placement import every_log
from services.operating.backup.manifest import Login
from services.operating.backup.wal_archive import SEGMENT_BYTES
from services.process.operator_error import OperatorError

CONNECT_SECONDS_MAX = 10
TOOLS_MAJOR = 18
SUMMARIES_SINCE = 17

_SERVER = """
    SELECT current_setting('server_version_num')::integer / 10000 AS major, system_identifier::text,
        pg_size_bytes(current_setting('wal_segment_size')) AS segment_bytes, pg_is_in_recovery() AS standby,
        current_setting('summarize_wal') = 'on' AS summaries, session_user::text AS "user",
        current_database()::text AS database
    FROM pg_control_system()
"""
_LEDGER = "SELECT ledger_id::text, (SELECT number FROM ledger.logs) AS logs FROM ledger.identity"
_HAS_EPOCHS = "SELECT to_regclass('ledger.epoch') IS NOT NULL"
_EPOCH = "SELECT coalesce(max(number), 1) FROM ledger.epoch"
_HEADS = """
    SELECT log_id, position, recorded_at FROM unnest($1::integer[]) AS log (log_id) CROSS JOIN LATERAL (
        SELECT position, recorded_at FROM ledger.event WHERE event.log_id = log.log_id ORDER BY position DESC LIMIT 1
    ) AS last
"""
_CHECKPOINTS = """
    SELECT DISTINCT ON (log_id) log_id, note FROM ledger.checkpoint ORDER BY log_id, size DESC
"""
_FIRST_AFTER = "SELECT recorded_at FROM ledger.event WHERE log_id = $1 AND position = $2 + 1"


@dataclass(frozen=True)
class Head:
    """The last event of a log."""

    position: int
    recorded_at: datetime


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL."""

    system_identifier: str
    summaries: bool
    login: Login


@asynccontextmanager
async def asked(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection for the time of the context; OperatorError where there is none to be had."""
    try:
        connection = await asyncpg.connect(database_url, timeout=CONNECT_SECONDS_MAX)
    except (OSError, TimeoutError, asyncpg.PostgresError) as refused:
        said = f": {refused}" if isinstance(refused, asyncpg.PostgresError) else ""
        raise OperatorError(
            f"PostgreSQL cannot be reached ({type(refused).__name__}{said}): see DATABASE_URL."
        ) from refused
    try:
        yield connection
    except (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, ConnectionError) as lost:
        raise OperatorError(
            f"The connection to PostgreSQL was lost ({lost}): run this again when it is there."
        ) from lost
    finally:
        await connection.close()


async def server_of(connection: asyncpg.Connection) -> Server:
    """OperatorError where the tools of this program do not fit the server, or the login may not look."""
    try:
        found = await connection.fetchrow(_SERVER)
    except asyncpg.InsufficientPrivilegeError as refused:
        raise OperatorError(f"DATABASE_URL: backups need a superuser's login ({refused}).") from refused
    except asyncpg.UndefinedObjectError:
        found = None
    if found is None or found["major"] != TOOLS_MAJOR or found["segment_bytes"] != SEGMENT_BYTES:
        raise OperatorError(
            f"`hourbook backup` is for PostgreSQL {TOOLS_MAJOR} with segments of 16 MB: back this server up with "
            "pgBackRest or Barman (docs/backups.md)."
        )
    login = Login(user=found["user"], database=found["database"])
    return Server(found["system_identifier"], found["summaries"], login)


async def ledger_of(connection: asyncpg.Connection) -> tuple[str, int]:
    """The ledger's identity, and its number of logs; OperatorError where there is no ledger."""
    try:
        found = await connection.fetchrow(_LEDGER)
    except asyncpg.PostgresError:
        found = None
    if found is None:
        raise OperatorError("There is no ledger in this database: start Hourbook once before it is backed up.")
    return found["ledger_id"], found["logs"] or 1


async def epoch(connection: asyncpg.Connection) -> int:
    """Which it is now; a database of an earlier version has the first."""
    return await connection.fetchval(_EPOCH) if await connection.fetchval(_HAS_EPOCHS) else 1


async def heads(connection: asyncpg.Connection, logs: int) -> dict[int, Head]:
    """Of each log that has begun."""
    rows = await connection.fetch(_HEADS, list(every_log(logs)))
    return {row["log_id"]: Head(row["position"], row["recorded_at"]) for row in rows}


async def checkpoints(connection: asyncpg.Connection) -> dict[int, str]:
    """The newest of each log."""
    return {row["log_id"]: row["note"] for row in await connection.fetch(_CHECKPOINTS)}


async def first_missing(connection: asyncpg.Connection, kept: Mapping[int, Head], logs: int) -> datetime | None:
    """When the earliest event was recorded that this database has and the other one has not."""
    found = [
        await connection.fetchval(_FIRST_AFTER, log_id, kept[log_id].position if log_id in kept else 0)
        for log_id in every_log(logs)
    ]
    return min(filter(None, found), default=None)
