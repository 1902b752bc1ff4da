"""Every read model that there is, and the schema that they share."""

from collections.abc import Sequence

import asyncpg

from services.projections.balances import BALANCES
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.following import halted_accounts, identity, tracking
from services.projections.following.tracking import Tracking
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.tasks import TASKS
from services.projections.views import READER_ROLE, open_to_readers

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


async def migrate(database_url: str, logs: Sequence[str]) -> None:
    """Make roles, schema, tables and views where they are missing, and places to keep in those logs.

    Any number of processes may do it at once. Tables of another version are left as they are: a worker builds new
    ones and swaps them in.
    """
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(ROLE + READER_ROLE)
        async with connection.transaction():
            await connection.execute(LOCK)
            await connection.execute(SCHEMA)
            await connection.execute(identity.SCHEMA + halted_accounts.SCHEMA + tracking.SCHEMA)
            for projection in PROJECTIONS:
                await connection.execute(projection.beside)
                if not await connection.fetchval(OTHER_VERSION, projection.name, projection.version):
                    await connection.execute(projection.schema)
                    for log in logs:
                        await Tracking(projection, log).enter(connection)
            await open_to_readers(connection)
    finally:
        await connection.close()
