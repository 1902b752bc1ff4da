"""Totals over all accounts are the sums of every account's reports by booking, and of its balances by effect."""

from datetime import date, datetime, time, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.quantities import SELLER_ZONE
from contracts.totals import Totals
from services.documents.seller import Seller
from services.projections.balances import BALANCES
from services.projections.balances.queries import balance
from services.projections.balances.totals import totals_of_day
from services.projections.following.logged import Logged
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.queries import Asked, report
from services.projections.monthly_reports.totals import totals_of_months
from tests.projections.conftest import Applied
from tests.projections.following.log_server import LOGS, lines_of
from tests.projections.histories import TURNS, Turn, play
from tests.projections.questions import Queries, caught_up
from tests.projections.sample import sample_log
from tests.projections.vocabulary import Log, carried, closed, marked, moment, opened, paid, purchased, settled

EXAMPLES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MONTHS = [f"{year}-{month:02}" for year in (2025, 2026) for month in range(1, 13)]
NAMES = {
    "sold": "purchased", "used": "charged", "carried_over": "carried_over", "forfeited": "forfeited",
    "compensated": "compensated", "settled": "settled", "paid": "paid",
}  # fmt: skip
"""What totals call what monthly reports call so."""


def follows(later: Totals, earlier: Totals | None) -> bool:
    """What stood before and what moved is what stands, in minutes and in money."""
    minutes = (earlier.balance_minutes if earlier else 0) + later.sold_minutes + later.paid_minutes
    kopecks = (earlier.held_kopecks if earlier else 0) + later.sold_kopecks + later.paid_kopecks
    return (
        minutes - later.used_minutes - later.forfeited_minutes - later.refunded_minutes == later.balance_minutes
        and kopecks - later.used_kopecks - later.forfeited_kopecks - later.refunded_kopecks - later.retained_kopecks
        == later.held_kopecks
    )


async def test_a_months_totals_are_what_all_reports_say_together(database: asyncpg.Pool):
    log = sample_log()
    lines = [Logged.read(line) for line in log.lines]
    async with database.acquire() as connection:
        for first in range(0, len(lines), 50):
            for projection in (BALANCES, MONTHLY_REPORTS):
                await projection.project(connection, lines[first : first + 50])
        found = await totals_of_months(connection, MONTHS)
        assert [one.period for one in found] == MONTHS
        for one, earlier in zip(found, [None, *found], strict=False):
            reports = [
                await report(connection, Asked(account_id, one.period, None), len(lines), Seller())
                for account_id in sorted({line.account_id for line in log.lines})
            ]
            for name, reported in NAMES.items():
                total = sum(getattr(made.totals, f"{reported}_minutes") for made in reports)
                assert getattr(one, f"{name}_minutes") == total, (one.period, name)
            assert one.used_kopecks == sum(made.totals.amount_kopecks for made in reports)
            assert one.forfeited_kopecks == sum(lot.amount_kopecks for made in reports for lot in made.forfeited)
            assert one.balance_minutes == sum(made.closing_balance_minutes for made in reports)
            assert follows(one, earlier)
        days = [await totals_of_day(connection, date(2025, 1, 1) + timedelta(days=n)) for n in range(720)]
    assert all(follows(later, earlier) for later, earlier in zip(days, [None, *days], strict=False))
    for name in NAMES.keys() - {"forfeited"}:
        for unit in ("minutes", "kopecks"):
            by_effect, by_booking = (sum(getattr(one, f"{name}_{unit}") for one in some) for some in (days, found))
            assert by_effect == by_booking != 0, (name, unit)
    ahead = sum(day.forfeited_minutes for day in days) - sum(month.forfeited_minutes for month in found)
    assert found[-1].held_minutes - days[-1].held_minutes == ahead, "by effect hours end though nothing was booked yet"


@EXAMPLES
@given(histories=st.lists(TURNS, min_size=1, max_size=3), data=st.data())
async def test_a_days_totals_are_what_all_balances_say_together(
    applied: Applied, histories: list[list[Turn]], data: st.DataObject
):
    number = len({line.account_id for line in applied.log.lines})
    instants = [at for n, turns in enumerate(histories) for at in play(applied.log, f"a-{number + n}", turns)]
    position = await applied.position()
    everybody = {line.account_id for line in applied.log.lines}
    async with applied.database.acquire() as connection:
        for at in data.draw(st.lists(st.sampled_from(instants), min_size=1, max_size=8, unique=True)):
            day = at.astimezone(SELLER_ZONE).date()
            end = datetime.combine(day + timedelta(days=1), time(), SELLER_ZONE) - timedelta(microseconds=1)
            balances = [await balance(connection, one, end, None, end, position) for one in everybody]
            total = await totals_of_day(connection, day)
            assert total.held_minutes == sum(one.held_minutes for one in balances)
            assert total.owed_minutes == sum(one.owed_minutes for one in balances)
            assert follows(total, await totals_of_day(connection, day - timedelta(days=1)))


@pytest.fixture
def spring(log: Log) -> Log:
    """Two customers in March: one package used, carried and marked, one debt settled and paid."""
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-03-20"))
    log.record("romashka", closed("T-1", on="2026-03-05", draws={"spring": 100}, amount=531_667))
    log.record("romashka", purchased("summer", 1200, on="2026-03-10", until="2026-06-11", succeeds=["spring"]))
    log.record("romashka", carried({"spring": 1100}, of="spring", to="summer", on="2026-03-20", until="2026-06-11"))
    log.record("oka", opened(), closed("T-2", on="2026-03-05", owed=90))
    log.record("oka", paid({"T-2": 30}, on="2026-03-06", amount=159_500))
    log.record("oka", purchased("P", 60, on="2026-03-07", until="2026-03-31", price=319_000))
    log.record("oka", settled("T-2", "P", 60, on="2026-03-07", amount=319_000), marked("T-9", on="2026-04-01"))
    log.clock = moment("2026-04-01")
    return log


async def test_a_month_and_a_day_are_told_over_http(spring: Log, client: httpx.AsyncClient, ask: Queries):
    await ask("/oka/balance")
    furthest = max(len(lines_of(spring, log)) for log in range(LOGS))

    async def total(**asked: str) -> list[dict[str, Any]]:
        answer = await caught_up(client, "/v1/totals", spring.position, **asked)
        assert answer.headers["Hourbook-Position"] == str(furthest)
        return answer.raise_for_status().json()["totals"]

    (march,) = await total(month="2026-03")
    assert (march["period"], march["by"]) == ("2026-03", "booking")
    assert (march["sold_minutes"], march["sold_hours"], march["sold_kopecks"]) == (2460, "41.00", 13_079_000)
    assert (march["used_minutes"], march["used_kopecks"]) == (190, 1_010_167)
    assert (march["carried_over_minutes"], march["settled_minutes"], march["paid_minutes"]) == (1100, 60, 30)
    assert (march["held_minutes"], march["owed_minutes"], march["balance_hours"]) == (2300, 0, "38.33")
    (day,) = await total(day="2026-03-05")
    assert (day["period"], day["by"], day["used_minutes"], day["owed_minutes"]) == ("2026-03-05", "effect", 190, 90)
    assert [one["period"] for one in await total(**{"from": "2026-02", "to": "2026-04"})] == [
        "2026-02",
        "2026-03",
        "2026-04",
    ]


async def test_totals_are_of_one_day_one_month_or_a_range(client: httpx.AsyncClient):
    for asked, field in (
        ("", "day"),
        ("day=2026-03-05&month=2026-03", "day"),
        ("from=2026-03", "day"),
        ("day=2026-02-30", "day"),
        ("day=20260305", "day"),
        ("day=1", "day"),
        ("month=2026-13", "month"),
        ("from=2026-03&to=2026-02", "to"),
        ("from=2026-03&to=2126-02", "to"),
        ("year=2026", "year"),
    ):
        answer = await client.get(f"/v1/totals?{asked}")
        assert (answer.status_code, asked) == (422, asked)
        assert field in [wrong["field"] for wrong in answer.json()["fields"]], (asked, answer.json())
        assert all(wrong["remedy"] for wrong in answer.json()["fields"])
