"""Rule 10.4: an act's hours follow from its report's, and every charged hour stands with its money in one act."""

from collections import Counter
from typing import Any

from hypothesis import given

from contracts.reports import AcceptedRow, Act
from services.projections.monthly_reports.accepted import GIVEN, Part, accepted
from services.projections.monthly_reports.acts import act
from services.projections.monthly_reports.hours_from_report import debts_ended
from services.projections.monthly_reports.projection import ENTRY, entry_rows
from tests.ledger.domain.histories import Numbers, histories
from tests.ledger.vocabulary import (
    Story,
    buy,
    change_customer,
    close,
    close_month,
    mark_warranty,
    pay,
    reopen,
    reopen_month,
)
from tests.projections.monthly_reports.conftest import SOME, Telling, last_month, logged
from tests.projections.monthly_reports.test_acts import act_of, act_told
from tests.projections.monthly_reports.test_entries import played
from tests.projections.monthly_reports.test_identities import months_of

Row = dict[str, Any]


def said(made: Act) -> list[tuple[str, int, str | None, str | None]]:
    return [(row.kind, row.minutes, row.month, row.act) for row in made.hours_from_report]


DEBT = (
    buy("small", on="2026-03-01"),
    close("T-1", worked=1680, on="2026-03-10"),
    close_month("2026-03", on="2026-04-01"),
)
"""In March 28 hours are charged, 20 drawn and 8 owed."""


async def test_an_act_says_that_owed_hours_will_stand_in_the_act_of_the_month_that_pays_them(telling: Telling):
    made = await act_of(telling, "2026-03", *DEBT)
    assert said(made) == [
        ("charged", 1680, "2026-03", "17/24-2026-03"),
        ("owed", -480, None, None),
        ("accepted", 1200, "2026-03", "17/24-2026-03"),
    ]


async def test_the_month_that_pays_names_the_report_that_charged(telling: Telling):
    made = await act_of(
        telling, "2026-04", *DEBT, pay(60, on="2026-04-02"), buy("more", on="2026-04-03"),
        close("T-2", worked=30, on="2026-04-04"),
    )  # fmt: skip
    assert said(made) == [
        ("charged", 30, "2026-04", "17/24-2026-04"),
        ("settled", 480, "2026-03", "17/24-2026-03"),
        ("accepted", 510, "2026-04", "17/24-2026-04"),
    ]


async def test_a_month_closed_late_knows_in_which_act_its_debt_stands(telling: Telling):
    *march, _ = DEBT
    paid = (*march, pay(60, on="2026-04-02"), close_month("2026-03", on="2026-04-05"))
    rows = [("charged", 1680, "2026-03", "17/24-2026-03"), ("owed", -60, "2026-04", "17/24-2026-04"),
            ("owed", -420, None, None), ("accepted", 1200, "2026-03", "17/24-2026-03")]  # fmt: skip
    assert said(await act_of(telling, "2026-03", *paid)) == rows
    later = (buy("more", on="2026-04-06"), close_month("2026-05", on="2026-06-01"))
    made_again = await act_of(telling, "2026-03", *paid, *later, reopen_month("2026-05", on="2026-06-02"))
    assert said(made_again) == rows, "it rests on what was known when it was closed"


async def test_debt_that_is_cancelled_with_its_closing_stands_in_no_act(telling: Telling):
    made = await act_of(telling, "2026-04", *DEBT, reopen("T-1", on="2026-04-02"))
    assert said(made) == [
        ("charged", -1680, "2026-04", "17/24-2026-04"),
        ("cancelled", 480, "2026-03", "17/24-2026-03"),
        ("accepted", -1200, "2026-04", "17/24-2026-04"),
    ]


async def test_a_month_closed_anew_says_that_its_debt_was_cancelled_since(telling: Telling):
    async with telling() as told:
        made = await act_told(
            told, "2026-03", *DEBT, mark_warranty("T-1", on="2026-04-02"), reopen_month("2026-03", on="2026-04-03"),
        )  # fmt: skip
    assert said(made)[1] == ("cancelled", -480, "2026-04", "17/24-2026-04")


async def test_debt_that_its_own_month_has_paid_is_no_row(telling: Telling):
    *march, _ = DEBT
    made = await act_of(telling, "2026-03", *march, buy("more", on="2026-03-20"))
    assert [row.kind for row in made.hours_from_report] == ["charged", "accepted"]
    assert made.total_minutes == 1680


def entries_of(story: Story) -> list[Row]:
    """Every entry, as the acts find them."""
    return [dict(zip(ENTRY, row, strict=True)) for row in entry_rows(logged(story.recorded))]


def of_tasks(entries: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for entry in entries:
        if entry["task_id"]:
            found.setdefault(entry["task_id"], []).append(entry)
    return found


@given(histories())
def test_every_charged_hour_stands_with_its_money_in_one_act_or_is_taken_back_or_owed(history: list[Numbers]):
    story = played(history)
    months = sorted(story.account.months)
    for task_id, entries in of_tasks(entries_of(story)).items():
        parts = [part for month in months for part in accepted(month, entries).parts]
        given_in = [entry for entry in entries if entry["kind"] in GIVEN]
        added = [part for part in parts if part.minutes > 0]
        assert [(part.lot_id, part.minutes, part.amount_kopecks) for part in added] == [
            (entry["lot_id"], entry["minutes"], entry["amount_kopecks"])
            for month in months for entry in given_in if entry["booking_month"] == month
        ], "each is accepted in the act of the month that booked it, and in no other"  # fmt: skip
        assert standing(parts) == taken(story, task_id), "what was taken back leaves the act that accepted it"
        charged = sum(entry["charged_minutes"] for entry in entries)
        assert charged == sum(part.minutes for part in parts) + owed(story, task_id)


def standing(parts: list[Part]) -> dict[str | None, tuple[int, int]]:
    """What acts have accepted and not taken back, by lot (none: in money)."""
    minutes, money = Counter[str | None](), Counter[str | None]()
    for part in parts:
        minutes[part.lot_id] += part.minutes
        money[part.lot_id] += part.amount_kopecks
    return {lot_id: (minutes[lot_id], money[lot_id]) for lot_id in minutes if minutes[lot_id] or money[lot_id]}


def taken(story: Story, task_id: str) -> dict[str | None, tuple[int, int]]:
    """What the task's closing has taken, in the ledger's own account."""
    closing = story.account.tasks[task_id].closing
    if closing is None:
        return {}
    minutes, money = Counter[str | None](), Counter[str | None]()
    for part in closing.parts:
        lot_id = getattr(part, "lot_id", None)
        minutes[lot_id] += part.minutes
        money[lot_id] += part.amount_kopecks
    return {lot_id: (minutes[lot_id], money[lot_id]) for lot_id in minutes}


def owed(story: Story, task_id: str) -> int:
    return sum(debt.minutes for debt in story.account.debts if debt.task_id == task_id)


@SOME
@given(histories(), histories())
async def test_what_one_act_leaves_out_as_owed_stands_in_another_or_is_cancelled_or_still_owed(
    telling: Telling, history: list[Numbers], more: list[Numbers]
):
    """By the rows of all acts; those of closed months say what was known when they were closed."""
    async with telling() as told:
        for part in (history, more):
            await told.tell(part)
            await told.tell([close_month(last_month(told.story))])
        left_out, made_up = Counter[str](), Counter[str]()
        for month in months_of(told.story):
            made = await act(told.connection, await told.report(month), told.seller)
            *rows, _ = made.hours_from_report
            assert rows[0].kind == "charged"
            for row in rows[1:]:
                assert row.minutes
                assert row.month != month
                if row.minutes < 0:
                    left_out[month] -= row.minutes
                else:
                    made_up[row.month or ""] += row.minutes
        assert left_out == made_up + still_owed(told.story)


def still_owed(story: Story) -> Counter[str]:
    owed = Counter[str]()
    for debt in debts_ended(entry for entry in entries_of(story) if entry["task_id"]):
        owed[debt.stated] += debt.minutes if debt.ended is None else 0
    assert sum(owed.values()) == story.account.owed_minutes
    return owed


def test_rows_of_the_first_edition_have_no_new_fields():
    row = AcceptedRow(kind="owed", minutes=-10, hours="-0.17")
    assert row.model_dump() == {"kind": "owed", "minutes": -10, "hours": "-0.17"}


async def test_each_act_is_named_by_the_contract_that_was_in_force_in_its_month(telling: Telling):
    made = await act_of(
        telling, "2026-04", *DEBT, change_customer("2026-04-01", contract_number="99/26", on="2026-04-02"),
        buy("more", on="2026-04-03"),
    )  # fmt: skip
    assert said(made) == [
        ("charged", 0, "2026-04", "99/26-2026-04"),
        ("settled", 480, "2026-03", "17/24-2026-03"),
        ("accepted", 480, "2026-04", "99/26-2026-04"),
    ]
