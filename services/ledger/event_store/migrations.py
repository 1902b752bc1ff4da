"""The schema of the log, as `hourbook migrate` brings it up to date; several processes may do so at once.

Tables are changed by migrations, each applied once. A function stands in a file of its own, and is replaced where the
text of any of them has changed. `schema.sql` says what is there once all are applied.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import asyncpg

from services.ledger.event_store.roles import AUDITOR, ROLES
from services.process import postgres_roles
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.schema import Schema, Standing

MIGRATIONS = sorted(Path(__file__).parent.glob("[0-9]*.sql"))
FUNCTIONS = sorted(Path(__file__).parent.glob("functions/*.sql"))

_LOCK = "SELECT pg_advisory_xact_lock(1213156950)"
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
_ROLES_THERE = "SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)"
_MEMBER = "SELECT bool_and(pg_has_role(current_user, rolname, 'SET')) FROM pg_roles WHERE rolname = ANY ($1)"


async def migrate(database_url: str, *roles: str) -> None:
    """Make the parts' roles, apply the migrations that are missing, and replace functions that have changed.

    Where the schema is this program's and the login a member of all roles, nothing is done. A part names the `roles` as
    which it works: its own login, which may change nothing, is enough, and functions of another release stay. They stay
    too where a newer program has migrated. OperatorError where the login lacks a right that this takes.
    """
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        if not await _stands(connection, roles):
            await _migrate(connection)
    except asyncpg.InsufficientPrivilegeError as refused:
        reason = str(refused).splitlines()[0]
        raise OperatorError(
            f"DATABASE_URL: this login may not make the ledger's schema ({reason}). Run `hourbook migrate` with the "
            f"login that owns the schema ledger, or that has CREATE on the database. It has to be a member of the "
            f"roles: as a superuser, {'; '.join(f'CREATE ROLE {role} NOLOGIN' for role in ROLES)}, as far as they are "
            f"missing; GRANT {', '.join(ROLES)} TO the login.",
            exit_code=CANNOT_START,
        ) from refused
    finally:
        await connection.close()


async def standing(database_url: str) -> Standing:
    """What this program's schema has and the database has not, and what the database has beyond it."""
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        found = await _standing(connection)
        without_logs = not found.missing and await connection.fetchval(_LOGS) is None
        return found.lacking("the number of its logs") if without_logs else found
    finally:
        await connection.close()


async def _standing(connection: asyncpg.Connection) -> Standing:
    roles = {row["rolname"] for row in await connection.fetch(_ROLES_THERE, ROLES)}
    return (await _schema().standing(connection)).lacking(*(role for role in ROLES if role not in roles))


async def _stands(connection: asyncpg.Connection, roles: Sequence[str]) -> bool:
    found = await _standing(connection)
    return not (found.missing if roles else found.due) and await connection.fetchval(_MEMBER, roles or ROLES)


def _schema() -> Schema:
    texts = [file.read_text(encoding="utf-8") for file in FUNCTIONS]
    return Schema("ledger", MIGRATIONS, texts, kind="functions")


async def _migrate(connection: asyncpg.Connection) -> None:
    schema = _schema()
    await connection.execute(postgres_roles.made(*ROLES) + postgres_roles.joined(*ROLES))
    async with connection.transaction():
        await connection.execute(_LOCK)
        await connection.execute(schema.beginning + postgres_roles.let_make_schemas(AUDITOR))
        await schema.apply(connection)


async def fix_logs(database_url: str, logs: int) -> None:
    """Give a new ledger its number of logs, for good, and a partition to each of several. After `migrate`.

    OperatorError where it has another one: by `ledger.logs`, or by its tables if that row was lost.
    """
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        if await connection.fetchval(_LOGS) == logs:
            return
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
    schema = _schema()
    yield schema.beginning
    yield from (file.read_text(encoding="utf-8") for file in schema.migrations)
    yield from schema.texts
    if logs > 1:
        yield f"INSERT INTO ledger.logs (number) VALUES ({logs:d})"  # noqa: S608 - a number
        yield _PARTITIONS.read_text(encoding="utf-8")
