"""The projections' own schema and role in PostgreSQL: this role sees no table of the ledger, nor the ledger's these."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from services.projections.balances import BALANCES
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.following import tracking
from services.projections.following.tracking import Tracking
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.tasks import TASKS
from services.projections.views import READER_ROLE, VIEWS

PROJECTIONS = (BALANCES, MONTHLY_REPORTS, TASKS, DEBT_ALERTS)

# Roles belong to the whole cluster, where another database may be creating the same one at this moment. A login that
# is not a superuser has to be a member to take the role on.
ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hourbook_projections') THEN
        CREATE ROLE hourbook_projections NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    IF NOT pg_has_role(current_user, 'hourbook_projections', 'SET') THEN
        GRANT hourbook_projections TO current_user;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
"""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hourbook projections', 0))"

SCHEMA = "CREATE SCHEMA IF NOT EXISTS projections; SET LOCAL search_path = projections;"

OTHER_VERSION = "SELECT EXISTS (SELECT FROM tracking WHERE projection = $1 AND version <> $2)"

GRANTS = """
GRANT USAGE ON SCHEMA projections TO hourbook_projections;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projections TO hourbook_projections;
"""

POSTGRES_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InterfaceError,
    asyncpg.InvalidCachedStatementError,  # tables of another shape have taken the place of those it was prepared for
    asyncpg.InternalClientError,
)
"""What asyncpg raises when PostgreSQL is away or wants the transaction tried again; asyncpg.DataError is an
InterfaceError too, and means no such thing: catch it first where the data come from outside."""


async def migrate(database_url: str, logs: Sequence[str]) -> None:
    """Make roles, schema, tables and views where they are missing, and places to keep in those logs.

    Any number of processes may do it at once. Tables of another version are left as they are: a worker builds those
    of its own beside them.
    """
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(ROLE + READER_ROLE)
        async with connection.transaction():
            await connection.execute(LOCK)
            await connection.execute(SCHEMA)
            await connection.execute(tracking.SCHEMA)
            for projection in PROJECTIONS:
                if not await connection.fetchval(OTHER_VERSION, projection.name, projection.version):
                    await connection.execute(projection.schema)
                    for log in logs:
                        await Tracking(projection, log).enter(connection)
            await open_to_readers(connection)
    finally:
        await connection.close()


async def open_to_readers(connection: asyncpg.Connection) -> None:
    """What is made anew whenever tables are: grants, and the views over them.

    Views over tables of another version, which have other columns, wait until those are replaced as well.
    """
    await connection.execute(GRANTS)
    with suppress(asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        async with connection.transaction():
            await connection.execute(VIEWS)


def pool(database_url: str, connections: int) -> asyncpg.Pool:
    """Connections of the projections' role, made when needed.

    Beside an open transaction, nothing a session does has to be undone before its next use.
    """
    return asyncpg.create_pool(
        database_url,
        min_size=0,
        max_size=connections,
        reset=_end_transaction,
        **connection_settings("hourbook projections"),
    )


def connection_settings(name: str) -> dict[str, Any]:
    """Of a connection of the projections' role, and what it is for."""
    session = {"role": "hourbook_projections", "search_path": "projections", "application_name": name}
    return {"timeout": 5, "command_timeout": 60, "server_settings": session}


async def _end_transaction(connection: asyncpg.Connection) -> None:
    """Who was cancelled while it began a transaction may have left it open; it costs a round trip only then."""
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")
