"""Whatever is changed in a read model, a full audit finds, and it accuses none that was made of the log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from contracts.placement import log_of
from services.auditing import auditor, side_tables, table_differences
from services.auditing.auditor import Audit
from services.auditing.side_tables import TABLES, SideTables
from services.auditing.table_differences import LEFT_OUT, Difference
from services.ledger.event_store.store import EventStore
from services.operating.demo import SAMPLE
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.projections.catalogue import FIRST_TABLES
from services.projections.nodes import IN_DOUBT
from tests.auditing.projected import projected_sample
from tests.auditing.table_changes import ColumnOf, change_value, columns, delete_row, lift_limits, repeat_row, rows
from tests.databases import Databases
from tests.ledger.event_store.events import event
from tests.projections.sample import TRADE


@pytest.fixture(scope="module", params=(1, 4))
async def sample(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[tuple[str, int]]:
    """A ledger with both samples, of one log or four, and its read models: its address, and how many logs it has."""
    async with databases.empty() as url:
        await projected_sample(url, request.param, samples=(SAMPLE, TRADE))
        yield url, request.param


@pytest.fixture(scope="module")
async def side(sample: tuple[str, int]) -> AsyncIterator[SideTables]:
    """What the log makes of the read models, on a connection in whose transactions tests change the live ones."""
    async with EventStore.connected(*sample) as store, SideTables.beside(sample[0], store, sample[1]) as made:
        async for _ in made.follow():
            pass
        yield made


@pytest.fixture(autouse=True)
def _name_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_differences, "ROWS_MAX", 1000)


@asynccontextmanager
async def as_superuser(side: SideTables) -> AsyncIterator[asyncpg.Connection]:
    """For the time of the context, and then all is as it was."""
    transaction = side.connection.transaction(isolation="repeatable_read")
    await transaction.start()
    await side.connection.execute("SET ROLE NONE")
    try:
        yield side.connection
    finally:
        await transaction.rollback()


async def differences(side: SideTables) -> list[Difference]:
    return [difference async for difference in side.compare()]


async def test_what_was_made_of_the_log_is_not_accused(side: SideTables):
    assert await differences(side) == []


async def test_every_value_of_every_table_is_compared(side: SideTables):
    """One is changed in each column, each in a row of its own."""
    async with as_superuser(side) as connection:
        await lift_limits(connection)
        there = {table: iter(await rows(connection, table)) for table in TABLES}
        changed = {
            column: await change_value(connection, column, next(there[column.table]))
            for column in await columns(connection)
        }
        found = await differences(side)
    assert len(changed) > 120
    for column, before in changed.items():
        assert any(tells_of(difference, column, before) for difference in found), column


def tells_of(difference: Difference, column: ColumnOf, before: str) -> bool:
    """Whether it names the value, or the row of that key."""
    said = difference.said
    is_named = f"): {column.name} is " in said or ("lacks a row" in said and f"{column.name} {before}" in said)
    return difference.table == column.table and is_named


async def test_a_row_less_in_each_table_is_found(side: SideTables):
    async with as_superuser(side) as connection:
        await lift_limits(connection)
        for table in TABLES:
            await delete_row(connection, (await rows(connection, table))[-1])
        found = await differences(side)
    assert [(each.table, "lacks a row" in each.said) for each in found] == [(table, True) for table in TABLES]


async def test_a_row_more_in_each_table_is_found_even_if_it_is_there_already(side: SideTables):
    async with as_superuser(side) as connection:
        await lift_limits(connection)
        for table in TABLES:
            await repeat_row(connection, (await rows(connection, table))[0])
        found = await differences(side)
    assert [(each.table, "1 more differ" in each.said) for each in found] == [(table, True) for table in TABLES]


HIDDEN = {
    "a view": "ALTER TABLE projections.lot RENAME TO elsewhere;"
    " CREATE VIEW projections.lot AS SELECT * FROM projections.elsewhere",
    "another type": "DROP VIEW reporting.balances, reporting.lots;"
    " ALTER TABLE projections.lot ALTER remaining_minutes TYPE numeric",
    "a column more": "ALTER TABLE projections.lot ADD COLUMN more text",
    "rows for some alone": "ALTER TABLE projections.lot ENABLE ROW LEVEL SECURITY;"
    " CREATE POLICY others ON projections.lot USING (true)",
    "rules": "CREATE RULE nothing AS ON DELETE TO projections.lot DO INSTEAD NOTHING",
}


@pytest.mark.parametrize("by", HIDDEN)
async def test_a_table_that_may_show_others_something_else_is_found(side: SideTables, by: str):
    async with as_superuser(side) as connection:
        await connection.execute(HIDDEN[by])
        found = [str(difference) for difference in await differences(side)]
    assert any("lot is not the table that this program makes" in difference for difference in found)


async def test_a_view_for_dashboards_that_is_another_is_found(side: SideTables):
    async with as_superuser(side) as connection:
        query = await connection.fetchval("SELECT pg_get_viewdef('reporting.debts'::regclass)")
        await connection.execute(
            f"CREATE OR REPLACE VIEW reporting.debts AS SELECT * FROM ({query.strip(' ;')}) LIMIT 1"
        )
        await connection.execute("DROP VIEW reporting.lots")
        found = await differences(side)
    assert {each.table for each in found} == {"debts", "lots"}


async def test_a_place_in_the_log_that_was_never_reached_is_found(side: SideTables):
    async with as_superuser(side) as connection:
        await connection.execute("UPDATE projections.tracking SET hash = repeat('0', 64) WHERE projection = 'tasks'")
        await connection.execute("UPDATE projections.tracking SET position = 5000 WHERE projection = 'balances'")
        found = [str(difference) for difference in await differences(side)]
    assert any("balances is not what the log makes of it: tracking is at 5000 of log 0" in each for each in found)
    assert any("of log 0, which has another" in each for each in found)


async def test_an_account_that_is_called_halted_is_found(side: SideTables):
    async with as_superuser(side) as connection:
        row = "('balances', '0', 'c4-00', 5, 'e', 'r')"
        await connection.execute(f"INSERT INTO projections.halted_account VALUES {row}")
        (found,) = await differences(side)
    assert found.table == "halted_account"


async def test_every_table_is_compared_or_left_out_for_a_reason(side: SideTables):
    tables = await side.connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'projections'")
    assert {row["tablename"] for row in tables} == {*TABLES, "halted_account", *LEFT_OUT}


OF_A_TASK = "WHERE (account_id, task_id) = (SELECT account_id, min(task_id) FROM projections.task GROUP BY 1 LIMIT 1)"


@pytest.fixture
async def audited(database_url: str, tmp_path: Path) -> Audit:
    """The sample's ledger with two logs, which a test may change for good."""
    await projected_sample(database_url, 2)
    return Audit(database_url, 2, tmp_path / "verified.json")


async def test_a_full_audit_names_projection_table_row_column_and_both_values(audited: Audit):
    """An account's is a fault of its log."""
    assert [findings.faults for findings in (await audited.run(full=True)).values()] == [[], [], []]
    superuser = await asyncpg.connect(audited.database_url)
    changed = f"UPDATE projections.task SET title = 'Другое' {OF_A_TASK} RETURNING account_id, task_id"
    account_id, task_id = await superuser.fetchrow(changed)
    await superuser.close()
    found = await audited.run(full=True)
    (fault,) = found[log_of(account_id, 2)].faults
    assert fault.startswith(
        f"the projection tasks is not what the log makes of it: task (account_id {account_id}, task_id {task_id}): "
        "title is Другое, and follows from the log as "
    )
    assert found[1 - log_of(account_id, 2)].faults == []


async def test_halted_and_lagging_projections_are_told_apart_from_changed_ones(audited: Audit):
    superuser = await asyncpg.connect(audited.database_url)
    await superuser.execute(
        "UPDATE projections.tracking SET halted = 'no more' WHERE (projection, log) = ('tasks', '0')"
    )
    async with EventStore.connected(audited.database_url, 2) as store:
        last = (await store.page(1, await store.head(1) - 1, 1))[0]
        again = event(last.account_id, last.version + 1, "later")._replace(
            type="WorkSuspended", recorded_at=last.recorded_at, follows=last.event_id,
            data='{"effective_at":"2026-09-01T00:00:00Z","booking_month":"2026-09","reason":"?","balance_minutes":-1}',
        )  # fmt: skip
        await store.append(1, [again], {})
    found = await audited.run(full=True)
    assert not any(findings.faults for findings in found.values())
    (halted,) = found[0].notices
    assert halted.endswith("where it has halted: no more")
    assert len(found[1].notices) == 4, "each projection is an event behind"
    await superuser.execute(f"UPDATE projections.task SET closings = 9 {OF_A_TASK}")
    await superuser.close()
    assert any(findings.faults for findings in (await audited.run(full=True)).values())


async def test_what_is_live_goes_on_during_a_comparison(audited: Audit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(side_tables, "NEAR_EVENTS", 0)
    monkeypatch.setattr(side_tables, "PAGE_EVENTS", 50)
    superuser = await asyncpg.connect(audited.database_url)
    async with (
        EventStore.connected(audited.database_url, 2) as store,
        SideTables.beside(audited.database_url, store, 2) as side,
    ):
        async for _ in side.follow():
            await superuser.execute("UPDATE projections.tracking SET halted = 'meanwhile'")
        comparing = side.compare()
        await superuser.execute("DELETE FROM projections.task")
        assert "task lacks a row" in str(await anext(comparing))
        await superuser.execute("DELETE FROM projections.lot", timeout=10)
        await comparing.aclose()
    await superuser.close()


async def test_nothing_is_left_of_a_comparison_that_is_cut_off(audited: Audit):
    temporary = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"
    superuser = await asyncpg.connect(audited.database_url)
    async with EventStore.connected(audited.database_url, 2) as store:

        async def cut_off() -> None:
            async with SideTables.beside(audited.database_url, store, 2) as side:
                assert await superuser.fetchval(temporary)
                await superuser.execute("SELECT pg_terminate_backend($1)", side.connection.get_server_pid())
                async for _ in side.follow():
                    pass

        with pytest.raises(POSTGRES_UNAVAILABLE):
            await cut_off()
    async with asyncio.timeout(60):
        while await superuser.fetchval(temporary):
            pass
    await superuser.close()


NODES = """
    CREATE SCHEMA distribution;
    CREATE TABLE distribution.shard (account_id text);
    CREATE TABLE distribution.not_ended (gid text);
    CREATE FUNCTION distribution.place(regnamespace) RETURNS void LANGUAGE sql AS '';
    CREATE FUNCTION distribution.in_doubt() RETURNS boolean SECURITY DEFINER LANGUAGE sql
        AS 'SELECT EXISTS (SELECT FROM distribution.not_ended)';
    GRANT USAGE ON SCHEMA distribution TO hourbook_auditor;
    GRANT SELECT ON distribution.shard TO hourbook_auditor;
    GRANT UPDATE ON {tables} TO hourbook_auditor;
"""
"""What a database distributed over nodes of Citus has besides."""

HELD = "SELECT count(*) FROM pg_locks WHERE mode = 'RowShareLock' AND pid = pg_backend_pid()"


async def test_on_several_nodes_an_audit_takes_its_state_while_no_projection_moves(audited: Audit):
    mover = await asyncpg.connect(audited.database_url)
    await mover.execute(NODES.format(tables=FIRST_TABLES))
    moving = mover.transaction()
    await moving.start()
    await mover.execute("LOCK TABLE projections.account IN EXCLUSIVE MODE")

    async def seen() -> asyncpg.Record:
        async with auditor._snapshot(audited.database_url) as connection:
            return await connection.fetchrow(f"SELECT ({HELD}) AS held, count(*) AS rows FROM projections.movement")

    seeing = asyncio.create_task(seen())
    async with asyncio.timeout(60):
        while not await mover.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            assert not seeing.done()
    await mover.execute("DELETE FROM projections.movement")
    await moving.commit()
    assert dict(await seeing) == {"held": 0, "rows": 0}
    await mover.close()


async def test_on_several_nodes_an_audit_waits_until_each_shows_what_was_committed(audited: Audit):
    node = await asyncpg.connect(audited.database_url)
    await node.execute(NODES.format(tables=FIRST_TABLES))
    await node.execute("INSERT INTO distribution.not_ended VALUES ('citus_0_1_1_0')")

    async def seen() -> int:
        async with auditor._snapshot(audited.database_url) as connection:
            return await connection.fetchval("SELECT count(*) FROM projections.movement")

    seeing = asyncio.create_task(seen())
    async with asyncio.timeout(60):
        while not await node.fetchval("SELECT count(*) FROM pg_stat_activity WHERE query = $1", IN_DOUBT):
            assert not seeing.done()
    await node.execute("DELETE FROM projections.movement; DELETE FROM distribution.not_ended")
    assert await seeing == 0
    await node.close()
