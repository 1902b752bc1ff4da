"""The schema that is there to read is the one that is there: schema.sql and functions/ against migrated databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.ledger.audit.catalogue import listed
from services.ledger.event_store import migrations
from services.ledger.event_store.migrations import FUNCTIONS, MIGRATIONS, fix_logs, migrate
from services.ledger.event_store.roles import RELAY, ROLES
from services.ledger.settings import Settings
from services.process.postgres_roles import made
from services.process.schema import Schema
from tests.databases import Databases
from tests.ledger.event_store.test_earlier_databases import make_with_keys_of_all_accounts

STORE = Path(migrations.__file__).parent

STORED = """
    SELECT 'stored', relname, attnum::text, attname, attstorage::text, attstattarget::text, attcompression::text
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'ledger'::regnamespace AND attnum > 0 AND relkind IN ('r', 'p')
    UNION ALL SELECT 'named', conrelid::regclass::text, conname, '', '', '', '' FROM pg_constraint
    WHERE connamespace = 'ledger'::regnamespace AND contype <> 'n'
    UNION ALL SELECT 'named', indrelid::regclass::text, indexrelid::regclass::text, '', '', '', ''
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'ledger'::regnamespace
    UNION ALL SELECT 'options', relname, reloptions::text, '', '', '', '' FROM pg_class
    WHERE relnamespace = 'ledger'::regnamespace
"""
"""What the audit does not compare, for nothing that is read depends on it: how columns are stored, and names."""


async def catalogue(database_url: str) -> list[object]:
    """Everything that the schema consists of."""
    connection = await asyncpg.connect(database_url)
    try:
        stored = [tuple(row) for row in await connection.fetch(STORED)]
        return [*sorted(await listed(connection, "ledger")), *sorted(stored, key=repr)]
    finally:
        await connection.close()


@pytest.fixture
async def as_written(databases: Databases) -> AsyncIterator[str]:
    """A database made from the texts that are there to read."""
    async with databases.empty() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(made(*ROLES) + Schema("ledger").beginning)
        for file in [*FUNCTIONS, STORE / "schema.sql"]:
            await connection.execute(file.read_text(encoding="utf-8"))
        await connection.close()
        yield url


@pytest.fixture(params=[1, 3], ids=["one log", "three logs"])
def logs(request: pytest.FixtureRequest) -> int:
    return request.param


async def test_a_new_database_is_as_written(database_url: str, as_written: str, logs: int):
    await migrate(database_url)
    await fix_logs(database_url, logs)
    await fix_logs(as_written, logs)
    assert await catalogue(database_url) == await catalogue(as_written)


async def test_an_earlier_database_is_as_written_once_it_is_migrated(database_url: str, as_written: str, logs: int):
    await make_with_keys_of_all_accounts(Settings(database_url=database_url, logs=logs))
    await migrate(database_url)
    await fix_logs(as_written, logs)
    assert await catalogue(database_url) == await catalogue(as_written)


CHANGES = [
    "ALTER TABLE ledger.event ADD COLUMN note text",
    "ALTER TABLE ledger.event ALTER COLUMN fingerprint SET NOT NULL",
    "DROP INDEX ledger.event_command_of_account",
    "ALTER TABLE ledger.event DISABLE TRIGGER event_is_insert_only",
    "GRANT UPDATE ON ledger.event TO hourbook_ledger",
    "CREATE TABLE ledger.notes (log_id integer)",
    "CREATE OR REPLACE FUNCTION ledger.lock_log(log integer) RETURNS void LANGUAGE sql AS 'SELECT'",
    "CREATE VIEW ledger.events AS SELECT * FROM ledger.event",
    "CREATE RULE quiet AS ON INSERT TO ledger.event DO INSTEAD NOTHING",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_difference_is_seen(as_written: str, change: str):
    before = await catalogue(as_written)
    connection = await asyncpg.connect(as_written)
    await connection.execute(change)
    await connection.close()
    assert await catalogue(as_written) != before


@pytest.fixture
def changed_function(tmp_path: Path) -> Path:
    """Another text of one of the functions."""
    file = tmp_path / "lock_log.sql"
    file.write_text("CREATE OR REPLACE FUNCTION ledger.lock_log(log integer) RETURNS void LANGUAGE sql AS 'SELECT'")
    return file


async def test_a_function_is_replaced_where_its_text_has_changed(
    database_url: str, changed_function: Path, monkeypatch: pytest.MonkeyPatch
):
    await migrate(database_url)
    for files in ([*FUNCTIONS, changed_function], FUNCTIONS):
        before = await catalogue(database_url)
        monkeypatch.setattr(migrations, "FUNCTIONS", files)
        await migrate(database_url)
        assert await catalogue(database_url) != before


async def test_a_part_leaves_functions_alone_that_another_release_has_replaced(
    database_url: str, changed_function: Path, monkeypatch: pytest.MonkeyPatch
):
    await migrate(database_url)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "FUNCTIONS", [*FUNCTIONS, changed_function])
        await migrate(database_url)
    before = await catalogue(database_url)
    await migrate(database_url, RELAY)
    assert await catalogue(database_url) == before


async def test_functions_of_a_newer_program_are_left_to_it(
    database_url: str, changed_function: Path, monkeypatch: pytest.MonkeyPatch
):
    await migrate(database_url)
    before = await catalogue(database_url)
    monkeypatch.setattr(migrations, "MIGRATIONS", MIGRATIONS[:-1])
    monkeypatch.setattr(migrations, "FUNCTIONS", [*FUNCTIONS, changed_function])
    await migrate(database_url)
    assert await catalogue(database_url) == before
