"""The schema of billing in PostgreSQL, which nothing can make again: its role, its migrations, its connections."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncpg

from services.process.operator_error import CANNOT_START, OperatorError
from services.process.postgres_pool import role_pool, session_settings
from services.process.postgres_roles import joined, made

ROLE = "hourbook_billing"
"""Reads and adds; what it may change or delete, the migration of each room says."""

MIGRATIONS = sorted(Path(__file__).parent.glob("migrations/[0-9]*.sql"))
CONNECTIONS = 10

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hourbook billing', 0))"
# Only where it is missing: the right to make schemas is asked for even where there is nothing to make.
_SCHEMA = """
DO $$ BEGIN
    IF to_regnamespace('billing') IS NULL THEN
        CREATE SCHEMA billing;
    END IF;
END $$;
CREATE TABLE IF NOT EXISTS billing.migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
"""
_HAS_BEGUN = "SELECT to_regclass('billing.migration') IS NOT NULL"
_ROLE_IS_THERE = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
_IS_MEMBER = "SELECT pg_has_role(current_user, $1, 'SET')"
_APPLIED = "SELECT name FROM billing.migration"
_APPLY = "INSERT INTO billing.migration VALUES ($1)"


def pool(database_url: str) -> AbstractAsyncContextManager[asyncpg.Pool]:
    """Connections of billing's role, made when needed, open for the time of the context."""
    return role_pool(database_url, CONNECTIONS, "billing", session_settings("hourbook billing", ROLE, "billing"))


async def migrate(database_url: str) -> None:
    """Make the role, and apply the migrations that are missing; several processes may do it at once.

    Where nothing is missing nothing is done: billing's own login, which may change no schema, is enough. OperatorError
    where the login lacks a right that this takes.
    """
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        if await _missing(connection) or not await connection.fetchval(_IS_MEMBER, ROLE):
            await _migrate(connection)
    except asyncpg.InsufficientPrivilegeError as refused:
        reason = str(refused).splitlines()[0]
        raise OperatorError(
            f"DATABASE_URL: this login may not make the schema of billing ({reason}). Run `hourbook migrate` with the "
            f"login that owns the schema billing, or that has CREATE on the database. It has to be a member of the "
            f"role: as a superuser, CREATE ROLE {ROLE} NOLOGIN, if it is missing; GRANT {ROLE} TO the login.",
            exit_code=CANNOT_START,
        ) from refused
    finally:
        await connection.close()


async def missing(database_url: str) -> list[str]:
    """What `migrate` would make, by its name."""
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        return await _missing(connection)
    finally:
        await connection.close()


async def _missing(connection: asyncpg.Connection) -> list[str]:
    role = [] if await connection.fetchval(_ROLE_IS_THERE, ROLE) else [ROLE]
    applied = await _applied(connection) if await connection.fetchval(_HAS_BEGUN) else set[str]()
    return [*role, *(f"billing {file.name}" for file in MIGRATIONS if file.name not in applied)]


async def _applied(connection: asyncpg.Connection) -> set[str]:
    return {row["name"] for row in await connection.fetch(_APPLIED)}


async def _migrate(connection: asyncpg.Connection) -> None:
    await connection.execute(made(ROLE) + joined(ROLE))
    async with connection.transaction():
        await connection.execute(_LOCK)
        await connection.execute(_SCHEMA)
        applied = await _applied(connection)
        for file in MIGRATIONS:
            if file.name not in applied:
                await connection.execute(file.read_text(encoding="utf-8"))
                await connection.execute(_APPLY, file.name)
