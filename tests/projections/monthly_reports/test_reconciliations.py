"""Reconciliations on random histories: rows lead from opening to closing, and agree with acts, balances and totals."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.quantities import EARLIEST, SELLER_ZONE, KnownAt, hours_column
from contracts.reconciliations import ReconciledRow, Reconciliation
from services.documents.formats import day_of
from services.projections.balances.totals import totals_of_day
from services.projections.lookups import UnknownAccount
from services.projections.monthly_reports.acts import act
from services.projections.monthly_reports.periods import last_day
from services.projections.monthly_reports.reconciliations import AskedPeriod, reconciliation
from services.projections.monthly_reports.totals import totals_of_months
from tests.ledger.domain.histories import Numbers, histories
from tests.ledger.vocabulary import (
    ACCOUNT_ID,
    Step,
    buy,
    close,
    close_month,
    pay,
    refund,
    reopen,
    time_passes,
)
from tests.projections.monthly_reports.conftest import SOME, Telling, Told, last_month
from tests.projections.monthly_reports.test_identities import LAST_OF_ALL, months_of
from tests.projections.questions import Queries
from tests.projections.vocabulary import Log, opened, purchased

BEGIN, END = EARLIEST.date(), date(2199, 12, 31)
"""Before and after all that can be booked."""


async def of(told: Told, since: str | date, until: str | date, known_at: KnownAt = None) -> Reconciliation:
    days = (day if isinstance(day, date) else date.fromisoformat(day) for day in (since, until))
    return await reconciliation(told.connection, AskedPeriod(ACCOUNT_ID, *days, known_at), told.position, told.seller)


async def told_of(telling: Telling, since: str, until: str, *steps: Step) -> Reconciliation:
    async with telling() as told:
        await told.tell(steps)
        assert told.story.refusal is None
        return await of(told, since, until)


def held(row: ReconciledRow) -> tuple[int, int]:
    return row.minutes, row.amount_kopecks


def require_columns(made: Reconciliation) -> None:
    """What holds of each: its rows add up, in minutes, money and the hours that people read."""
    *rows, closing = made.prepaid
    assert rows[0].kind == "opening"
    assert (sum(row.minutes for row in rows), sum(row.amount_kopecks for row in rows)) == held(closing)
    assert (made.held_minutes, made.held_kopecks) == held(closing)
    assert [row.hours for row in rows] == hours_column([row.minutes for row in rows])
    *owed, closing_debt = made.debt
    assert owed[0].kind == "opening"
    assert sum(row.minutes for row in owed) == closing_debt.minutes == made.owed_minutes
    assert made.balance_minutes == made.held_minutes - made.owed_minutes
    assert all(made.since <= row.day <= made.until for row in rows)


@SOME
@given(histories(), st.lists(st.dates(date(2025, 1, 1), date(2030, 12, 31)), min_size=1, max_size=4, unique=True))
async def test_periods_follow_from_one_another_and_the_whole_life_is_what_balances_and_totals_say(
    telling: Telling, history: list[Numbers], days: list[date]
):
    async with telling() as told:
        await told.tell([*history, time_passes(str(told.story.now))])
        edges = [BEGIN, *sorted(days), END + timedelta(days=1)]
        before, before_debt = (0, 0), 0
        for since, until in pairwise(edges):
            made = await of(told, since, until - timedelta(days=1))
            require_columns(made)
            assert held(made.prepaid[0]) == before, "the closing of a period is the opening of the next"
            assert made.debt[0].minutes == before_debt
            before, before_debt = held(made.prepaid[-1]), made.owed_minutes
        life = await of(told, BEGIN, END)
        assert (held(life.prepaid[-1]), life.owed_minutes) == (before, before_debt)
        [totals] = await totals_of_months(told.connection, [LAST_OF_ALL])
        assert before == (totals.held_minutes, totals.held_kopecks)
        assert before_debt == totals.owed_minutes
        now = told.story.now
        balance = await told.balance(now)
        assert (life.held_minutes, life.owed_minutes) == (balance.held_minutes, balance.owed_minutes)
        assert life.held_kopecks == (await totals_of_day(told.connection, day_of(now))).held_kopecks


@SOME
@given(histories(), histories())
async def test_the_months_of_a_period_accept_what_their_acts_state(
    telling: Telling, history: list[Numbers], more: list[Numbers]
):
    async with telling() as told:
        for part in (history, more):
            await told.tell(part)
            await told.tell([close_month(last_month(told.story))])
        months = months_of(told.story)
        life = await of(told, f"{months[0]}-01", last_day(months[-1]))
        accepted = {row.month: row for row in life.prepaid if row.kind == "accepted"}
        for month in months:
            made = await act(told.connection, await told.report(month), told.seller)
            row = accepted.pop(month, None)
            assert (made.total_minutes, made.total_kopecks) == ((-row.minutes, -row.amount_kopecks) if row else (0, 0))
            if row:
                assert row.act == (None if made.draft else made.number)
            alone = await of(told, f"{month}-01", last_day(month))
            require_columns(alone)
            assert alone.closed == (not made.draft)
            assert alone.balance_minutes == (await told.report(month)).closing_balance_minutes
        assert not accepted


@SOME
@given(histories(), histories(), st.data())
async def test_what_was_known_then_is_made_again_and_closed_periods_never_change(
    telling: Telling, history: list[Numbers], more: list[Numbers], data: st.DataObject
):
    async with telling() as told:
        await told.tell([*history, close_month(last_month(told.story))])
        month, position = last_month(told.story), told.position
        closed = await of(told, BEGIN, last_day(month))
        whole = await of(told, BEGIN, END, position)
        await told.tell(more)
        assert (await of(told, BEGIN, END, position)).model_dump() == whole.model_dump()
        then = await of(told, BEGIN, last_day(month), position)
        assert then.model_copy(update={"known_at": None}) == closed


def said(made: Reconciliation) -> list[tuple[object, ...]]:
    return [(row.kind, str(row.day), row.minutes, row.amount_kopecks) for row in made.prepaid]


async def test_every_kind_of_row_stands_on_its_day(telling: Telling):
    made = await told_of(
        telling, "2026-03-01", "2026-04-30",
        buy("small", on="2026-03-01"),
        close("T-1", worked=1260, on="2026-03-10"),
        close_month("2026-03", on="2026-04-01"),
        pay(60, on="2026-04-02"),
        buy("more", on="2026-04-03"),
        refund("more", 100, on="2026-04-04"),
        close_month("2026-04", on="2026-05-01"),
    )  # fmt: skip
    assert said(made) == [
        ("opening", "2026-03-01", 0, 0),
        ("purchased", "2026-03-01", 1200, 6_380_000),
        ("accepted", "2026-03-31", -1200, -6_380_000),
        ("paid", "2026-04-02", 60, 319_000),
        ("purchased", "2026-04-03", 1200, 6_380_000),
        ("refunded", "2026-04-04", -1200, -100),
        ("retained", "2026-04-04", 0, -6_379_900),
        ("accepted", "2026-04-30", -60, -319_000),
        ("closing", "2026-04-30", 0, 0),
    ]
    assert [(row.kind, row.minutes) for row in made.debt] == [
        ("opening", 0),
        ("owed", 60),
        ("paid", -60),
        ("closing", 0),
    ]
    assert [row.act for row in made.prepaid if row.kind == "accepted"] == ["17/24-2026-03", "17/24-2026-04"]
    assert made.closed


async def test_a_correction_of_a_closed_month_counts_from_the_first_day_of_the_month_it_stands_in(telling: Telling):
    steps = (
        buy("small", on="2026-03-01"),
        close("T-1", worked=60, on="2026-03-10"),
        close_month("2026-03", on="2026-04-02"),
        reopen("T-1", on="2026-04-20"),
    )
    made = await told_of(telling, "2026-04-01", "2026-04-01", *steps)
    assert said(made)[1:-1] == [("accepted", "2026-04-01", 60, 319_000)]
    assert made.prepaid[1].act is None, "its month is in the period in part"
    assert len((await told_of(telling, "2026-04-02", "2026-04-30", *steps)).prepaid) == 2


async def test_an_account_that_was_never_opened_has_none(telling: Telling):
    async with telling() as told:
        with pytest.raises(UnknownAccount):
            await reconciliation(told.connection, AskedPeriod("nobody", BEGIN, END, None), told.position, told.seller)


def test_days_are_those_of_the_seller():
    assert str(SELLER_ZONE) == "Europe/Moscow", "the day of an entry is found by this name in SQL"


async def test_the_route_answers_in_each_form_and_names_a_day_that_does_not_fit(log: Log, ask: Queries):
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    made = await ask("/romashka/reconciliations/2026-01-01/2026-03-31.json", lang="en")
    assert (made["held_minutes"], made["held_kopecks"], made["closed"]) == (1200, 6_380_000, False)
    for form, magic in (("pdf", b"%PDF"), ("xlsx", b"PK")):
        answer = await ask.answer(f"/romashka/reconciliations/2026-01-01/2026-03-31.{form}")
        assert answer.content.startswith(magic)
        name = f'inline; filename="Reconciliation-romashka-2026-01-01-2026-03-31.{form}"'
        assert answer.headers["Content-Disposition"] == name
    for since, file, field in (
        ("2026-04-01", "2026-03-31", "file"),
        ("2026-01-01", "2026-02-30.pdf", "file"),
        ("2026-02-30", "2026-03-31", "since"),
    ):
        refused = await ask.answer(f"/romashka/reconciliations/{since}/{file}")
        assert refused.status_code == 422
        assert refused.json()["fields"][0]["field"] == field
    assert (await ask.answer("/nobody/reconciliations/2026-01-01/2026-03-31")).status_code == 404
