"""The projections' own schema and role in PostgreSQL: this role sees no table of the ledger, nor the ledger's these."""

import asyncpg

from services.projections import tracking
from services.projections.balances import BALANCES
from services.projections.debt_alerts import DEBT_ALERTS
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
    asyncpg.InternalClientError,
)
"""What asyncpg raises when PostgreSQL is away or wants the transaction tried again; asyncpg.DataError is an
InterfaceError too, and means no such thing: catch it first where the data come from outside."""


async def migrate(database_url: str) -> None:
    """Make roles, schema, tables and views where they are missing. Any number of processes may do it at once."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(ROLE + READER_ROLE)
        async with connection.transaction():
            await connection.execute(LOCK)
            await connection.execute(SCHEMA)
            for schema in (tracking.SCHEMA, *(projection.schema for projection in PROJECTIONS)):
                await connection.execute(schema)
            await connection.execute(GRANTS)
            await connection.execute(VIEWS)
    finally:
        await connection.close()


def pool(database_url: str, connections: int) -> asyncpg.Pool:
    """Connections of the projections' role, made when needed.

    Nothing a session does has to be undone before its next use.
    """
    return asyncpg.create_pool(
        database_url,
        min_size=0,
        max_size=connections,
        reset=_leave_as_is,
        timeout=5,
        command_timeout=60,
        server_settings={
            "role": "hourbook_projections",
            "search_path": "projections",
            "application_name": "hourbook projections",
        },
    )


async def _leave_as_is(_: object) -> None:
    pass
