"""Role, schema and indexes: made by anybody who starts first, closed to everybody else's role."""

import asyncio
from datetime import date
from itertools import product
from typing import Any

import asyncpg
import pytest

from services.projections.balances.accounts import EXPIRING, FILTERS, ORDERS, RUNNING_OUT, Sort, page_of
from services.projections.catalogue import migrate
from services.projections.database import OWNER
from tests.projections.vocabulary import moment

CROWD = """
    INSERT INTO account (account_id, customer_name, contract_number, owed_minutes, held_minutes, suspended,
                         next_expiry_at)
    SELECT 'a-' || n, 'ООО ' || n * 7919 % 5000, '17/26', CASE WHEN n % 500 = 0 THEN 60 ELSE 0 END, n * 7907 % 5000,
           n % 700 = 0, timestamptz '2026-03-01' + (n - 2) * interval '1 hour'
    FROM generate_series(1, 5000) AS n;
    INSERT INTO lot (account_id, lot_id, size_minutes, price_kopecks, starts_at, package_ends_at, ends_at,
                     remaining_minutes)
    SELECT 'a-' || n, 'P-' || m, 60, 0, '2026-01-01', ends_at, ends_at, 60
    FROM generate_series(1, 5000) AS n, generate_series(1, 3) AS m,
        LATERAL (SELECT timestamptz '2026-03-01' + (n - 2) * m * interval '1 hour') AS ending (ends_at);
    INSERT INTO projections.forecast (account_id, position, as_of, p10, p50, p90)
    SELECT 'a-' || n, 1, '2026-03-01', day, day, day
    FROM generate_series(1, 5000) AS n, LATERAL (SELECT date '2026-03-01' + n % 400) AS run_out (day);
"""


async def test_processes_that_start_at_once_on_several_databases_all_succeed(database_url: str):
    """A role belongs to the whole cluster, and the advisory lock to one database."""
    other = await asyncpg.connect(database_url)
    names = [f"{database_url.rpartition('/')[2]}_{n}" for n in range(2)]
    for name in names:
        await other.execute(f"CREATE DATABASE {name}")
    urls = [database_url, *(f"{database_url}_{n}" for n in range(2))]
    await asyncio.gather(*(migrate(url, ["0"]) for url in urls * 3))
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


OWNED_BY_OTHERS = """
    SELECT relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
    WHERE (nspname IN ('projections', 'reporting') OR nspname LIKE 'projections_building%')
        AND (relowner <> $1::regrole OR nspowner <> $1::regrole)
"""


async def test_what_an_earlier_version_made_is_given_to_the_owner_of_the_schemas(database_url: str):
    """An earlier version made it all as its login, and left a rebuild that was cut short."""
    await migrate(database_url, ["0"])
    login = await asyncpg.connect(database_url)
    tables = await login.fetch(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'projections' UNION ALL "
        "SELECT schemaname, viewname FROM pg_views WHERE schemaname = 'reporting'"
    )
    for schema, table in tables:
        await login.execute(f"ALTER TABLE {schema}.{table} OWNER TO CURRENT_USER")
    await login.execute(
        "ALTER SCHEMA projections OWNER TO CURRENT_USER; ALTER SCHEMA reporting OWNER TO CURRENT_USER; "
        "CREATE SCHEMA projections_building_balances; CREATE TABLE projections_building_balances.account (n integer)"
    )
    assert await login.fetch(OWNED_BY_OTHERS, OWNER)
    await migrate(database_url, ["0"])
    assert await login.fetch(OWNED_BY_OTHERS, OWNER) == []
    await login.close()


LISTS: list[tuple[Sort, list[str], str]] = [
    ("account_id", [], "account_pkey"),
    ("customer_name", [], "account_by_name"),
    ("balance", [], "account_by_balance"),
    ("-balance", [], "account_by_balance"),
    ("expiry", [], "account_by_expiry"),
    ("expiry", [EXPIRING], "account_by_expiry"),
    ("account_id", [FILTERS["debt", True]], "account_in_debt"),
    ("customer_name", [FILTERS["debt", True]], "account_in_debt"),
    ("expiry", [FILTERS["debt", True]], "account_in_debt"),
    ("account_id", [FILTERS["suspended", True]], "account_suspended"),
    ("run_out", [RUNNING_OUT], "forecast_by_run_out"),
]
LIMITS = {EXPIRING: moment("2026-03-15"), RUNNING_OUT: date(2026, 9, 1)}
AFTER: dict[Sort, list[Any]] = {
    "account_id": ["a-17"],
    "customer_name": ["ООО 17", "a-17"],
    "balance": [2500, "a-17"],
    "-balance": [2500, "a-17"],
    "expiry": [moment("2026-03-03"), "a-17"],
    "run_out": [date(2026, 4, 1), "a-17"],
}


async def test_every_page_of_accounts_is_an_index_scan(database: asyncpg.Pool, database_url: str):
    """Of 5,000 accounts ten are in debt, and the expiry of two is due and not recorded yet."""
    await database.execute(CROWD)
    owner = await asyncpg.connect(database_url)
    await owner.execute("ANALYZE projections.account; ANALYZE projections.lot; ANALYZE projections.forecast")
    await owner.close()
    for (sort, filters, index), later_page in product(LISTS, (False, True)):
        asked: list[Any] = [moment("2026-03-01"), 101, *(LIMITS[each] for each in filters if each in LIMITS)]
        after = ORDERS[sort].after(len(asked) + 1) if later_page else ""
        asked += AFTER[sort] if later_page else []
        given = [each.format(3) for each in filters]
        statement = page_of(sort, given, after=after, forecast_only=RUNNING_OUT in filters)
        plan = "\n".join(row[0] for row in await database.fetch("EXPLAIN " + statement, *asked))
        assert index in plan, (sort, filters)
        assert "Seq Scan" not in plan, (sort, filters)
