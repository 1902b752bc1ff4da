"""The schema of billing in PostgreSQL, which nothing can make again: its role, its migrations, its connections."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncpg

from services.process.operator_error import CANNOT_START, OperatorError
from services.process.postgres_pool import role_pool, session_settings
from services.process.postgres_roles import joined, made
from services.process.schema import Schema, Standing

ROLE = "hourbook_billing"
"""Reads and adds; what it may change or delete, the migration of each room says."""

MIGRATIONS = sorted(Path(__file__).parent.glob("migrations/[0-9]*.sql"))
CONNECTIONS = 10

_SCHEMA = Schema("billing", MIGRATIONS)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hourbook billing', 0))"
_ROLE_IS_THERE = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
_IS_MEMBER = "SELECT pg_has_role(current_user, $1, 'SET')"


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
        if (await _standing(connection)).due or not await connection.fetchval(_IS_MEMBER, ROLE):
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


async def standing(database_url: str) -> Standing:
    """What this program's schema has and the database has not, and what the database has beyond it."""
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        return await _standing(connection)
    finally:
        await connection.close()


async def _standing(connection: asyncpg.Connection) -> Standing:
    role = [] if await connection.fetchval(_ROLE_IS_THERE, ROLE) else [ROLE]
    return (await _SCHEMA.standing(connection)).lacking(*role)


async def _migrate(connection: asyncpg.Connection) -> None:
    await connection.execute(made(ROLE) + joined(ROLE))
    async with connection.transaction():
        await connection.execute(_LOCK)
        await connection.execute(_SCHEMA.beginning)
        await _SCHEMA.apply(connection)
