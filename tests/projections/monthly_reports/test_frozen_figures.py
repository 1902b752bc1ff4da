"""A document of a closed month is made only of the figures that it was closed with."""

import asyncpg
import httpx
import pytest

from contracts.events import FrozenReport, MonthClosed
from contracts.report_hash import Figures, report_hash
from tests.projections.questions import Queries
from tests.projections.vocabulary import Log, closed, moment, opened, purchased, times

LINES = [Figures("T-1", 1, 100, 100, 531_667)]
FILES = (
    "reports/2026-03", "reports/2026-03.pdf", "reports/2026-03.xlsx", "acts/2026-03", "acts/2026-03.pdf",
    "reconciliations/2026-03-01/2026-03-31", "reconciliations/2026-03-15/2026-04-01.pdf",
)  # fmt: skip


@pytest.fixture
def closed_month(log: Log) -> Log:
    """March, in which an account bought 1200 minutes and used 100, is closed with its figures."""
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    log.record("romashka", closed("T-1", on="2026-03-05", draws={"spring": 100}, amount=531_667))
    log.clock = moment("2026-04-02")
    frozen = FrozenReport(
        month="2026-03",
        opening_balance_minutes=0,
        closing_balance_minutes=1100,
        report_hash=report_hash("romashka", "2026-03", 0, 1100, LINES),
    )
    log.record("romashka", MonthClosed(**times("2026-04-02"), month="2026-03", reports=(frozen,), account_version=3))
    return log


UPD = "acts/2026-03/upd.xml"
"""Whose requisites are not known: it is refused for those, where it is not for its figures."""


async def faults(client: httpx.AsyncClient) -> list[str]:
    return (await client.get("/health/details")).json()["faults"]


@pytest.mark.parametrize(
    ("change", "back"),
    [
        ("amount_kopecks = amount_kopecks * 2", "amount_kopecks = amount_kopecks / 2"),
        ("worked_minutes = worked_minutes + 10", "worked_minutes = worked_minutes - 10"),
        ("charged_minutes = charged_minutes + 10", "charged_minutes = charged_minutes - 10"),
        ("balance_minutes = balance_minutes + 10", "balance_minutes = balance_minutes - 10"),
    ],
)
async def test_documents_of_changed_figures_are_refused_until_they_are_right_again(
    closed_month: Log, ask: Queries, client: httpx.AsyncClient, database_url: str, change: str, back: str
):
    await ask("/romashka/reports/2026-03")
    superuser = await asyncpg.connect(database_url)
    where = "WHERE kind = 'drawn'"
    await superuser.execute(f"UPDATE projections.report_entry SET {change} {where}")
    for file in (*FILES, UPD):
        answer = await client.get(f"/v1/accounts/romashka/{file}")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:hourbook:problem:figures-differ"), file
    assert "The figures of 2026-03 of account romashka" in str(await faults(client))
    await superuser.execute(f"UPDATE projections.report_entry SET {back} {where}")
    await superuser.close()
    assert "The figures of" not in str(await faults(client)), "health goes by what is there now"
    for file in FILES:
        assert (await client.get(f"/v1/accounts/romashka/{file}")).status_code == 200


async def test_documents_whose_hash_is_gone_are_refused_until_it_is_back(
    closed_month: Log, ask: Queries, client: httpx.AsyncClient, database_url: str
):
    shown = await ask("/romashka/reports/2026-03")
    superuser = await asyncpg.connect(database_url)
    await superuser.execute("CREATE TABLE kept AS SELECT * FROM projections.report_frozen")
    await superuser.execute("DELETE FROM projections.report_frozen")
    for file in (*FILES, UPD):
        answer = await client.get(f"/v1/accounts/romashka/{file}")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:hourbook:problem:figures-differ"), file
    assert "What 2026-03 of account romashka was closed with is gone." in await faults(client)
    await superuser.execute("INSERT INTO projections.report_frozen SELECT * FROM kept; DROP TABLE kept")
    await superuser.close()
    assert await ask("/romashka/reports/2026-03") == shown


async def test_a_month_that_was_closed_before_there_were_hashes_is_shown(log: Log, ask: Queries):
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    log.clock = moment("2026-04-02")
    log.record("romashka", MonthClosed(**times("2026-04-02"), month="2026-03"))
    shown = await ask("/romashka/reports/2026-03")
    assert (shown["closed"], shown["report_hash"]) == (True, None)
