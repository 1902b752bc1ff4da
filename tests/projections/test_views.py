"""The views for dashboards: what they say, what their reader may do, and that they stand aside for new tables."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.projections.balances import BALANCES
from services.projections.following.logged import Logged
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.views import VIEWS
from tests.ledger.vocabulary import ACCOUNT_ID, buy, close, correct, given, pay, refund
from tests.projections.monthly_reports.conftest import logged
from tests.projections.sample import sample_log

DASHBOARD = Path(__file__).parents[2] / "infra" / "grafana" / "dashboards" / "hourbook.json"
VIEW_NAMES = ["account_months", "accounts", "balances", "debts", "lots", "monthly_totals", "task_charges"]

UNDOCUMENTED = """
    SELECT relname || coalesce('.' || attname, '') FROM pg_class
    LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
    WHERE relnamespace = 'reporting'::regnamespace AND (
        obj_description(pg_class.oid) IS NULL OR col_description(pg_class.oid, attnum) IS NULL)
"""


@pytest.fixture
async def filled(database: asyncpg.Pool) -> asyncpg.Pool:
    """The sample, projected."""
    lines = [Logged.read(line) for line in sample_log().lines]
    async with database.acquire() as connection:
        for projection in (BALANCES, MONTHLY_REPORTS):
            for first in range(0, len(lines), 200):
                await projection.project(connection, lines[first : first + 200])
    return database


@pytest.fixture
async def owner(database_url: str, database: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """Who migrates."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def reader(database_url: str, filled: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A login as a dashboard has it."""
    connection = await asyncpg.connect(database_url, server_settings={"role": "hourbook_reader"})
    yield connection
    await connection.close()


async def test_the_views_say_what_the_tables_hold(reader: asyncpg.Connection, filled: asyncpg.Pool):
    views = await reader.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'reporting' ORDER BY viewname")
    assert [view["viewname"] for view in views] == VIEW_NAMES
    assert await reader.fetchval("SELECT count(*) FROM reporting.accounts") == 12
    assert await reader.fetchval("SELECT sum(owed_minutes) FROM reporting.debts") == await filled.fetchval(
        "SELECT sum(owed_minutes) FROM account"
    )
    by_task = await reader.fetchval("SELECT sum(charged_minutes) FROM reporting.task_charges")
    by_account = await reader.fetchval("SELECT sum(used_minutes) FROM reporting.account_months")
    overall = await reader.fetchval("SELECT sum(charged_minutes) FROM reporting.monthly_totals")
    assert by_task == by_account == overall
    assert await reader.fetchval("SELECT sum(amount_kopecks) FROM reporting.task_charges") == await reader.fetchval(
        "SELECT sum(used_kopecks) FROM reporting.account_months"
    )
    assert await reader.fetchval("SELECT sum(remaining_minutes) FROM reporting.lots WHERE alive") == (
        await reader.fetchval("SELECT sum(held_minutes) FROM reporting.balances")
    )
    closing = "SELECT DISTINCT ON (account_id) * FROM reporting.account_months ORDER BY account_id, booking_month DESC"
    booked = await filled.fetchval("SELECT sum(balance_minutes) FROM report_entry")
    assert await reader.fetchval(f"SELECT sum(closing_balance_minutes) FROM ({closing}) AS last") == booked


async def test_debt_that_a_correction_takes_over_is_owed_by_the_closing_in_its_place(
    reader: asyncpg.Connection, filled: asyncpg.Pool
):
    story = given(
        close(worked=1680, title="Старое", on="2026-03-10"), correct(worked=1740, title="Новое", on="2026-03-10"),
        pay(100, on="2026-03-20"),
    )  # fmt: skip
    lines = logged(story.recorded)
    async with filled.acquire() as connection:
        for projection in (BALANCES, MONTHLY_REPORTS):
            await projection.project(connection, lines)
    debts = await reader.fetch(
        "SELECT closure, title, owed_minutes FROM reporting.debts WHERE account_id = $1", ACCOUNT_ID
    )
    assert [tuple(debt) for debt in debts] == [(2, "Новое", 1640)]


async def test_refunds_stand_in_the_months_of_accounts(reader: asyncpg.Connection, filled: asyncpg.Pool):
    story = given(buy("spring", on="2026-03-01"), refund("spring", 100_00, on="2026-03-20"))
    async with filled.acquire() as connection:
        for projection in (BALANCES, MONTHLY_REPORTS):
            await projection.project(connection, logged(story.recorded))
    asked = "SELECT refunded_minutes, refunded_kopecks, retained_kopecks FROM reporting.account_months"
    row = await reader.fetchrow(f"{asked} WHERE account_id = $1", ACCOUNT_ID)
    assert tuple(row) == (1200, 100_00, 63_700_00)


async def test_the_reader_reads_the_views_and_nothing_else(reader: asyncpg.Connection):
    assert await reader.fetchval("SELECT current_user") == "hourbook_reader"
    for view in VIEW_NAMES:
        await reader.fetch(f"SELECT * FROM reporting.{view} LIMIT 1")
    for forbidden in (
        "SELECT * FROM projections.account",
        "SELECT * FROM projections.tracking",
        "UPDATE reporting.lots SET plan = 'x'",
        "DELETE FROM reporting.lots",
        "CREATE VIEW reporting.mine AS SELECT 1",
        "CREATE TABLE public.mine (n int)",
        "DROP VIEW reporting.lots",
        "TRUNCATE projections.lot",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(forbidden)


async def test_every_view_and_column_is_documented(owner: asyncpg.Connection):
    assert [row[0] for row in await owner.fetch(UNDOCUMENTED)] == []


async def test_views_stand_aside_while_tables_are_replaced(owner: asyncpg.Connection, reader: asyncpg.Connection):
    before = await reader.fetch("SELECT * FROM reporting.lots ORDER BY account_id, lot_id")
    async with owner.transaction():
        await owner.execute("CREATE SCHEMA built; CREATE TABLE built.lot (LIKE projections.lot INCLUDING ALL)")
        await owner.execute("INSERT INTO built.lot SELECT * FROM projections.lot")
        await owner.execute("DROP TABLE projections.lot CASCADE; ALTER TABLE built.lot SET SCHEMA projections")
        await owner.execute(VIEWS)
    assert before
    assert await reader.fetch("SELECT * FROM reporting.lots ORDER BY account_id, lot_id") == before


async def test_the_dashboard_asks_what_its_reader_may(reader: asyncpg.Connection):
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    queries = [target["rawSql"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(queries) == len({panel["id"] for panel in dashboard["panels"]}) > 5
    for query in queries:
        assert "reporting." in query
        await reader.fetch(query)
