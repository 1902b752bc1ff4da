"""The schema of the log, brought up to date at every start; several processes may start at once.

Tables are changed by migrations, each applied once. A function stands in a file of its own, and is replaced where the
text of any of them has changed. `schema.sql` says what is there once all are applied.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import asyncpg

from services.process.operator_error import CANNOT_START, OperatorError

ROLE = "hourbook_ledger"
MIGRATIONS = sorted(Path(__file__).parent.glob("[0-9]*.sql"))
FUNCTIONS = sorted(Path(__file__).parent.glob("functions/*.sql"))

# Roles belong to the whole cluster and advisory locks to one database: another database's migrations may be
# creating the same role at this moment, and PostgreSQL reports that in several ways.
_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    IF NOT pg_has_role(current_user, '{ROLE}', 'SET') THEN
        GRANT {ROLE} TO CURRENT_USER;
    END IF;
END $$;
"""
_LOCK = "SELECT pg_advisory_xact_lock(1213156950)"
# Only where it is missing: the right to make schemas is asked for even where there is nothing to make.
_TABLE = """
DO $$ BEGIN
    IF to_regnamespace('ledger') IS NULL THEN
        CREATE SCHEMA ledger;
    END IF;
END $$;
CREATE TABLE IF NOT EXISTS ledger.migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
"""
_APPLIED = "INSERT INTO ledger.migration VALUES ($1)"
_LOGS = "SELECT number FROM ledger.logs"
_FIX_LOGS = "INSERT INTO ledger.logs (number) VALUES ($1) ON CONFLICT DO NOTHING"
_LOGS_OF_TABLES = """
    SELECT CASE relkind
        WHEN 'p' THEN (
            SELECT count(*) FROM pg_inherits
            WHERE inhparent = event.oid AND inhrelid <> coalesce(to_regclass('ledger.event_access'), 0::oid)
        )
        ELSE (SELECT max(log_id) + 1 FROM ledger.event WHERE log_id >= 0)
    END
    FROM pg_class AS event WHERE oid = 'ledger.event'::regclass
"""
_PARTITIONS = Path(__file__).with_name("partitions.sql")


async def migrate(database_url: str) -> None:
    """Create the service's role, apply the migrations that are missing, and replace functions that have changed.

    A database that a newer program has migrated keeps that program's functions. OperatorError where the login lacks a
    right that this takes.
    """
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        await connection.execute(_ROLE)
        async with connection.transaction():
            await connection.execute(_LOCK)
            await connection.execute(_TABLE)
            applied = {row["name"] for row in await connection.fetch("SELECT name FROM ledger.migration")}
            for file in MIGRATIONS:
                if file.name not in applied:
                    await connection.execute(file.read_text(encoding="utf-8"))
                    await connection.execute(_APPLIED, file.name)
            functions = [file.read_text(encoding="utf-8") for file in FUNCTIONS]
            present = f"functions {sha256(''.join(functions).encode()).hexdigest()}"
            newer = {name for name in applied if name.endswith(".sql")} - {file.name for file in MIGRATIONS}
            if present not in applied and not newer:
                for function in functions:
                    await connection.execute(function)
                await connection.execute("DELETE FROM ledger.migration WHERE name LIKE 'functions %'")
                await connection.execute(_APPLIED, present)
    except asyncpg.InsufficientPrivilegeError as refused:
        reason = str(refused).splitlines()[0]
        raise OperatorError(
            f"DATABASE_URL: this login may not make the ledger's schema ({reason}). It has to be a member of {ROLE}, "
            f"and to own the schema ledger or to have CREATE on the database: as a superuser, CREATE ROLE {ROLE} "
            f"NOLOGIN; GRANT {ROLE} TO the login.",
            exit_code=CANNOT_START,
        ) from refused
    finally:
        await connection.close()


async def fix_logs(database_url: str, logs: int) -> None:
    """Give a new ledger its number of logs, for good, and a partition to each of several. After `migrate`.

    OperatorError where it has another one: by `ledger.logs`, or by its tables if that row was lost.
    """
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute(_LOCK)
            fixed = await connection.fetchval(_LOGS) or await connection.fetchval(_LOGS_OF_TABLES)
            if fixed not in {None, logs}:
                raise OperatorError(
                    f"HOURBOOK_LOGS is {logs}, but this ledger placed its accounts in {fixed} at its first start, and "
                    f"that never changes: set HOURBOOK_LOGS={fixed}, or start a new ledger on an empty database.",
                    exit_code=CANNOT_START,
                )
            await connection.execute(_FIX_LOGS, logs)
            if fixed is None and logs > 1:
                await connection.execute(_PARTITIONS.read_text(encoding="utf-8"))
    finally:
        await connection.close()


def texts(logs: int) -> Iterator[str]:
    """All SQL that makes the schema of a new ledger, in order."""
    yield _TABLE
    for file in (*MIGRATIONS, *FUNCTIONS):
        yield file.read_text(encoding="utf-8")
    if logs > 1:
        yield f"INSERT INTO ledger.logs (number) VALUES ({logs:d})"  # noqa: S608 - a number
        yield _PARTITIONS.read_text(encoding="utf-8")
