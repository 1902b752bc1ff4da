"""Role, schema and indexes: made by anybody who starts first, closed to everybody else's role."""

import asyncio

import asyncpg
import pytest

from services.projections.balances.accounts import BY_END, BY_ID, FILTERS, _statement
from services.projections.database import migrate
from tests.projections.vocabulary import moment

CROWD = """
    INSERT INTO account (account_id, customer_name, contract_number, owed_minutes, suspended)
    SELECT 'a-' || n, 'ООО', '17/26', CASE WHEN n % 500 = 0 THEN 60 ELSE 0 END, n % 700 = 0
    FROM generate_series(1, 5000) AS n;
    INSERT INTO lot (account_id, lot_id, size_minutes, price_kopecks, starts_at, ends_at, remaining_minutes)
    SELECT 'a-' || n, 'P-' || m, 60, 0, '2026-01-01', timestamptz '2026-02-01' + n * m * interval '1 hour', 60
    FROM generate_series(1, 5000) AS n, generate_series(1, 3) AS m;
"""


async def test_processes_that_start_at_once_on_several_databases_all_succeed(database_url: str):
    """A role belongs to the whole cluster, and the advisory lock to one database."""
    other = await asyncpg.connect(database_url)
    names = [f"{database_url.rpartition('/')[2]}_{n}" for n in range(2)]
    for name in names:
        await other.execute(f"CREATE DATABASE {name}")
    urls = [database_url, *(f"{database_url}_{n}" for n in range(2))]
    await asyncio.gather(*(migrate(url, "0") for url in urls * 3))
    for name in names:
        await other.execute(f"DROP DATABASE {name}")
    await other.close()


async def test_the_projections_role_can_do_nothing_outside_its_schema(database: asyncpg.Pool, database_url: str):
    owner = await asyncpg.connect(database_url)
    await owner.execute("CREATE SCHEMA ledger; CREATE TABLE ledger.event (position bigint)")
    await owner.close()
    assert await database.fetchval("SELECT current_user") == "hourbook_projections"
    for forbidden in (
        "SELECT * FROM ledger.event",
        "CREATE TABLE public.mine (n int)",
        "CREATE TABLE projections.mine (n int)",
        "TRUNCATE projections.movement",
        "CREATE ROLE another",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(forbidden)


@pytest.mark.parametrize(
    ("template", "filters", "index"),
    [
        (BY_ID, "", "account_pkey"),
        (BY_ID, FILTERS["debt", True], "account_in_debt"),
        (BY_ID, FILTERS["suspended", True], "account_suspended"),
        (BY_END, "", "lot_ending"),
    ],
)
async def test_a_page_of_accounts_is_an_index_scan(
    database: asyncpg.Pool, database_url: str, template: str, filters: str, index: str
):
    await database.execute(CROWD)
    owner = await asyncpg.connect(database_url)
    await owner.execute("ANALYZE projections.account; ANALYZE projections.lot")
    await owner.close()
    now, until = moment("2026-03-01"), moment("2026-03-15")
    asked = (now, "", 101, until, now) if template is BY_END else (now, "", 101)
    plan = await database.fetch("EXPLAIN " + _statement(template, filters), *asked)
    scans = "\n".join(row[0] for row in plan)
    assert index in scans
    assert "Seq Scan on lot" not in scans
