"""Every read model that there is, and the schema that they share."""

from collections.abc import Sequence

import asyncpg

from services.process.operator_error import CANNOT_START, OperatorError
from services.process.postgres_roles import AUDITOR, joined, let_make_schemas, made
from services.process.schema import Schema, Standing
from services.projections.balances import BALANCES
from services.projections.database import AS_OWNER, OWNER, READER, ROLE
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.following import halted_accounts, identity, tracking
from services.projections.following.tracking import Tracking
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.nodes import reach_nodes
from services.projections.tasks import TASKS
from services.projections.views import GRANTS, VIEWS, open_to_readers

PROJECTIONS = (BALANCES, MONTHLY_REPORTS, TASKS, DEBT_ALERTS)

FIRST_TABLES = ", ".join(f"projections.{projection.tables[0]}" for projection in PROJECTIONS)
"""What readers of each projection lock, and whoever moves it."""

ROLES = (ROLE, OWNER, READER, AUDITOR)

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hourbook projections', 0))"

# What an earlier version made, or a rebuild of one left, belonged to whichever login did it.
GIVE_TO_OWNER = f"""
DO $$ DECLARE command text; BEGIN
    FOR command IN
        WITH namespace AS (
            SELECT oid, nspname, nspowner FROM pg_namespace
            WHERE nspname IN ('projections', 'reporting') OR starts_with(nspname, 'projections_building_')
        )
        SELECT format('ALTER SCHEMA %I OWNER TO {OWNER}', nspname) FROM namespace
        WHERE nspowner <> '{OWNER}'::regrole AND pg_has_role(current_user, nspowner, 'USAGE')
        UNION ALL
        SELECT format('ALTER TABLE %I.%I OWNER TO {OWNER}', nspname, relname)
        FROM pg_class JOIN namespace ON namespace.oid = relnamespace
        WHERE relkind IN ('r', 'v') AND relowner <> '{OWNER}'::regrole AND pg_has_role(current_user, relowner, 'USAGE')
    LOOP
        IF has_database_privilege('{OWNER}', current_database(), 'CREATE') THEN
            EXECUTE command;
        END IF;
    END LOOP;
END $$;
"""  # noqa: S608 - nothing in it comes from outside

SHARED = identity.SCHEMA + halted_accounts.SCHEMA + tracking.SCHEMA
SCHEMA = Schema(
    "projections",
    texts=[SHARED, *(each.beside + each.schema for each in PROJECTIONS), GRANTS, VIEWS],
    kind="tables",
)
"""Its texts are executed by `migrate`, as far as the tables that stand are of this program's version."""

OTHER_VERSION = "SELECT EXISTS (SELECT FROM tracking WHERE projection = $1 AND version <> $2)"


async def migrate(database_url: str, logs: Sequence[str]) -> None:
    """Make roles, schema, tables and views where they are missing, and places to keep in those logs.

    Any number of processes may do it at once. Tables of another version are left as they are: a worker builds new
    ones and swaps them in. OperatorError where the login lacks a right that this takes.
    """
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(made(*ROLES) + joined(ROLE, OWNER))
        async with connection.transaction():
            await connection.execute(LOCK)
            await connection.execute(let_make_schemas(OWNER) + GIVE_TO_OWNER)
            await connection.execute(AS_OWNER, OWNER, True)
            await reach_nodes(connection)
            await connection.execute(f"{SCHEMA.beginning} SET LOCAL search_path = projections; {SHARED}")
            for projection in PROJECTIONS:
                await connection.execute(projection.beside)
                if not await connection.fetchval(OTHER_VERSION, projection.name, projection.version):
                    await connection.execute(projection.schema)
                    for log in logs:
                        await Tracking(projection, log).enter(connection)
            await open_to_readers(connection)
            await SCHEMA.record(connection)
    except asyncpg.InsufficientPrivilegeError as refused:
        reason = str(refused).splitlines()[0]
        raise OperatorError(
            f"DATABASE_URL: this login may not make the schema of the projections ({reason}). Run `hourbook migrate` "
            f"with one that may: it has CREATE on the database and is a member of the roles: as a superuser, "
            f"{'; '.join(f'CREATE ROLE {role} NOLOGIN' for role in ROLES)}, as far as they are missing; "
            f"GRANT {ROLE}, {OWNER} TO the login.",
            exit_code=CANNOT_START,
        ) from refused
    finally:
        await connection.close()


async def standing(database_url: str, logs: Sequence[str]) -> Standing:
    """What this program's schema has and the database has not; tables of another version are a worker's business."""
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        roles = [row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")]
        lacking = [role for role in ROLES if role not in roles]
        if await connection.fetchval("SELECT to_regclass('projections.tracking') IS NOT NULL"):
            entered = {tuple(row) for row in await connection.fetch("SELECT projection, log FROM projections.tracking")}
            places = [(projection.name, log) for projection in PROJECTIONS for log in logs]
            lacking += [f"{name} of log {log}" for name, log in places if (name, log) not in entered]
        return (await SCHEMA.standing(connection)).lacking(*lacking)
    finally:
        await connection.close()
