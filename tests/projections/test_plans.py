"""However many accounts there are, a question about one of them, or for a page of them, reads a page's worth of rows.

What the routes ask is explained as they ask it, of ten thousand accounts with a year each; times are of no interest.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

import asyncpg
import orjson
import pytest

from services.process.postgres_link import Link
from services.projections.balances.search import grams, searched
from services.projections.catalogue import PROJECTIONS
from services.projections.debt_alerts.episodes import begin
from services.projections.following.logged import Logged
from services.projections.settings import Settings
from tests.projections.following.log_server import LOGS, serving
from tests.projections.questions import client_of
from tests.projections.vocabulary import Log, closed, moment, opened, purchased, suspended

KINDS = 20
ACCOUNTS = 10_000
PACKAGES = 12
ALIVE = 2
PAGE = 50
FEW = 20  # a table that has next to nothing in it is read as it is

COLUMNS = """
    SELECT array_agg(column_name::text) FROM information_schema.columns
    WHERE table_schema = 'projections' AND table_name = $1 AND is_generated = 'NEVER'
"""

COME_SO_FAR = """
    INSERT INTO tracking (projection, log, version, tables, position) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (projection, log) DO UPDATE SET position = excluded.position
"""


class Explained(Link):
    """A connection that keeps the plan of everything it is asked."""

    plans: ClassVar[list[dict[str, Any]]] = []

    async def _execute(self, query: str, arguments: Any, *how: Any, **options: Any) -> Any:
        if query.lstrip().startswith(("SELECT", "WITH")):
            explain = "EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) " + query
            rows = await super()._execute(explain, arguments, 0, None)
            self.plans.append(orjson.loads(rows[0][0])[0]["Plan"])
        return await super()._execute(query, arguments, *how, **options)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def rows_read(node: dict[str, Any]) -> int:
    """What it took from a table, with what it threw away."""
    if "Relation Name" not in node:
        return 0
    thrown_away = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return round((node["Actual Rows"] + thrown_away) * node["Actual Loops"])


def record_kinds(log: Log) -> None:
    """Accounts with a package and a closing a month; all end apart, and the first is in debt and suspended."""
    for number in range(KINDS):
        account_id = f"kind-{number}"
        log.record(account_id, opened(name=f"ООО «{number}»"))
        for month in range(1, PACKAGES + 1):
            start = f"{2025 + month // 12}-{month % 12 + 1:02}"
            until = date(2026, 3, 1 + number).isoformat()
            log.record(account_id, purchased(f"P-{month}", 600, on=f"{start}-01", until=until))
            drawn = 600 if month <= PACKAGES - ALIVE else 300
            log.record(account_id, closed(f"T-{month}", on=f"{start}-10", draws={f"P-{month}": drawn}))
    log.record("kind-0", closed("T-debt", on="2026-01-20", owed=5000), suspended(on="2026-01-21"))


async def multiply(owner: asyncpg.Connection) -> None:
    """Ten thousand accounts from those few, in every table that has rows of an account."""
    await owner.execute("SET search_path = projections")
    for table in (table for projection in PROJECTIONS for table in projection.tables):
        columns = await owner.fetchval(COLUMNS, table)
        if "account_id" in columns:
            kept = ", ".join(column for column in columns if column != "account_id")
            await owner.execute(
                f"INSERT INTO {table} (account_id, {kept}) SELECT account_id || '-' || copy, {kept} "
                f"FROM {table}, generate_series(1, {ACCOUNTS // KINDS - 1}) AS copy"
            )
    text = searched("ООО «Такой один»", "17/26")
    await owner.execute(
        "UPDATE customer SET folded = $1, grams = $2 WHERE account_id = $3", text, grams(text), "kind-7-77"
    )
    await owner.execute("ANALYZE")


async def plans_of(database_url: str, log: Log, monkeypatch: pytest.MonkeyPatch, *paths: str) -> list[dict[str, Any]]:
    """The plans of all that is asked of PostgreSQL to answer these."""
    monkeypatch.setattr("services.process.postgres_pool.Link", Explained)
    log.clock = moment("2026-02-27")
    async with serving(log) as server:
        settings = Settings(database_url=database_url, ledger_url=server.url, sandbox=True)
        async with client_of(settings, worker=False) as client:
            Explained.plans.clear()
            for path in paths:
                (await client.get(path)).raise_for_status()
    return Explained.plans


async def test_questions_read_a_pages_worth_of_rows_by_index(
    database: asyncpg.Pool, database_url: str, log: Log, monkeypatch: pytest.MonkeyPatch
):
    record_kinds(log)
    await begin(database, [log.position], log.clock)
    async with database.acquire() as connection:
        for projection in PROJECTIONS:
            await projection.project(connection, [Logged.read(line) for line in log.lines])
            for each in map(str, range(LOGS)):
                place = (projection.name, each, projection.version, list(projection.tables), log.position)
                await connection.execute(COME_SO_FAR, *place)
    owner = await asyncpg.connect(database_url)
    await multiply(owner)
    assert await owner.fetchval("SELECT count(*) FROM account") == ACCOUNTS
    await owner.close()

    page = (PAGE + 1) * (PACKAGES + 2)  # an account, and its packages, of which most have nothing left
    asked = {
        f"/v1/accounts?debt=true&limit={PAGE}": page,
        f"/v1/accounts?expiring_within=4&limit={PAGE}": page * ALIVE * 2,
        f"/v1/accounts?limit={PAGE}": page,
        f"/v1/accounts?suspended=true&limit={PAGE}": page,
        "/v1/accounts?q=такой один": 100,
        "/v1/accounts?q=такого нет&sort=balance": FEW,
        "/v1/accounts/kind-7-77": 100,
        "/v1/accounts/kind-7-77/packages": 100,
        f"/v1/accounts/kind-7-77/tasks?limit={PAGE}": 100,
        f"/v1/accounts/kind-7-77/tasks?state=open&limit={PAGE}": 100,
        "/v1/accounts/kind-7-77/balance": 100,
        "/v1/accounts/kind-7-77/balance?as_of=2026-01-01T00:00:00Z&known_at=40": 200,
        "/v1/accounts/kind-7-77/balance/history": 200,
        f"/v1/accounts/kind-7-77/statement?limit={PAGE}": 200,
        "/v1/accounts/kind-7-77/reports/2025-08": 200,
        "/v1/accounts/kind-7-77/acts/2025-08": 200,
    }
    for path, rows_max in asked.items():
        plans = await plans_of(database_url, log, monkeypatch, path)
        scans = [node for plan in plans for node in nodes(plan) if "Relation Name" in node]
        assert scans
        whole = [node for node in scans if node["Node Type"] == "Seq Scan" and rows_read(node) > FEW]
        assert not whole, path
        assert sum(map(rows_read, scans)) <= rows_max, path
