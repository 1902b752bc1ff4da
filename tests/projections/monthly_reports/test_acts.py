"""Rule 10.4: an act's lines stand at the prices agreed and at the VAT rate of the month they belong to."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given

from contracts.reports import Act, ActLine
from services.documents.seller import DatedVat, Seller
from services.projections.monthly_reports.acts import act
from services.projections.monthly_reports.periods import last_day
from tests.ledger.domain.histories import Numbers, histories
from tests.ledger.vocabulary import Step, buy, close, close_month, mark_warranty, pay, reopen, reopen_month
from tests.projections.monthly_reports.conftest import SOME, Telling, Told
from tests.projections.monthly_reports.test_identities import months_of

RAISED = Seller(vat=(DatedVat(mode="5"), DatedVat(in_force_from=date(2026, 6, 1), mode="22")))
"""5 % until May 2026, 22 % from June on."""

HUNDRED, TWENTY = buy("spring", "hours-100", on="2026-03-01"), buy("small", on="2026-03-01")


async def act_of(telling: Telling, month: str, *steps: Step, seller: Seller = RAISED) -> Act:
    async with telling() as told:
        return await act_told(told, month, *steps, seller=seller)


async def act_told(told: Told, month: str, *steps: Step, seller: Seller = RAISED) -> Act:
    told.seller = seller
    await told.tell(steps)
    assert told.story.refusal is None
    return await act(told.connection, await told.report(month), seller)


def said(lines: Sequence[ActLine]) -> list[tuple[object, ...]]:
    """What lines say of price, time, money, rate and the month they correct."""
    return [
        (
            line.package_id,
            line.hour_price_kopecks,
            line.minutes,
            line.amount_kopecks,
            line.vat_mode,
            line.corrects_month,
        )
        for line in lines
    ]


async def test_a_task_of_march_reopened_in_july_is_taken_back_at_the_rate_of_march(telling: Telling):
    made = await act_of(
        telling,
        "2026-07",
        HUNDRED,
        close("T-1", worked=30, on="2026-03-10"),
        close_month("2026-06", on="2026-07-02"),
        reopen("T-1", on="2026-07-10"),
    )
    assert said(made.lines) == [("spring", 2590_00, -30, -1295_00, "5", "2026-03")]
    assert made.lines[0].corrects_act == "17/24-2026-03"
    assert (made.vat.mode, made.vat.amount_kopecks) == ("5", -61_67)


async def test_vat_stands_by_rate_each_rounded_once(telling: Telling):
    made = await act_of(
        telling,
        "2026-07",
        HUNDRED,
        close("T-1", worked=30, on="2026-03-10"),
        close_month("2026-06", on="2026-07-02"),
        reopen("T-1", on="2026-07-10"),
        close("T-2", worked=60, on="2026-07-11"),
    )
    assert said(made.lines) == [
        ("spring", 2590_00, 60, 2590_00, "22", None),
        ("spring", 2590_00, -30, -1295_00, "5", "2026-03"),
    ]
    by_rate = [(rate.mode, rate.total_kopecks, rate.vat_kopecks) for rate in made.vat_rates]
    assert by_rate == [("22", 2590_00, 467_05), ("5", -1295_00, -61_67)]
    assert (made.vat.mode, made.vat.amount_kopecks) == ("mixed", 467_05 - 61_67)


async def test_a_late_fact_has_the_rate_of_the_closed_month_in_which_it_took_effect(telling: Telling):
    made = await act_of(
        telling,
        "2026-07",
        HUNDRED,
        close_month("2026-06", on="2026-07-02"),
        close("T-late", worked=60, on="2026-03-10", recorded="2026-07-05"),
    )
    assert said(made.lines) == [("spring", 2590_00, 60, 2590_00, "5", "2026-03")]


async def test_what_a_correction_took_goes_back_at_its_rate_and_corrects_the_act_that_stated_it(telling: Telling):
    made = await act_of(
        telling,
        "2026-08",
        HUNDRED,
        close_month("2026-06", on="2026-07-02"),
        close("T-late", worked=60, on="2026-03-10", recorded="2026-07-05"),
        close_month("2026-07", on="2026-08-02"),
        mark_warranty("T-late", on="2026-08-03"),
    )
    assert said(made.lines) == [("spring", 2590_00, -60, -2590_00, "5", "2026-07")]


async def test_a_correction_taken_back_in_its_own_month_leaves_no_line(telling: Telling):
    made = await act_of(
        telling,
        "2026-07",
        HUNDRED,
        close_month("2026-06", on="2026-07-02"),
        close("T-late", worked=60, on="2026-03-10", recorded="2026-07-05"),
        reopen("T-late", on="2026-07-10"),
        close("T-late", worked=50, on="2026-04-10", recorded="2026-07-11"),
        mark_warranty("T-late", on="2026-07-12"),
        close("T-1", worked=60, on="2026-07-11"),
    )
    assert said(made.lines) == [("spring", 2590_00, 60, 2590_00, "22", None)]
    assert [rate.mode for rate in made.vat_rates] == ["22"]


async def test_draws_settlements_and_payments_go_back_each_to_the_act_that_stated_it(telling: Telling):
    """Also where the lot has expired since, so that all of it becomes a compensation."""
    made = await act_of(
        telling,
        "2026-09",
        buy("tiny", "hours-20", on="2026-03-01"),
        close("T-0", worked=1190, on="2026-03-02"),
        close("T-1", worked=60, on="2026-03-10"),
        pay(20, on="2026-05-05"),
        buy("summer", "hours-30", on="2026-06-05"),
        close_month("2026-08", on="2026-09-02"),
        reopen("T-1", on="2026-09-10"),
    )
    assert said(made.lines) == [
        ("tiny", 3190_00, -10, -531_67, "5", "2026-03"),
        (None, 3190_00, -20, -1063_33, "5", "2026-05"),
        ("summer", 2890_00, -30, -1445_00, "22", "2026-06"),
    ]


async def test_debt_paid_in_money_stands_at_its_price_in_one_line_however_it_was_rounded(telling: Telling):
    made = await act_of(
        telling,
        "2026-03",
        close("T-1", worked=10, on="2026-03-02"),
        close("T-2", worked=20, on="2026-03-03"),
        pay(30, on="2026-03-04"),
    )
    assert said(made.lines) == [(None, 3190_00, 30, 1595_00, "5", None)]


@pytest.mark.parametrize("worked", [10, 20, 70])
async def test_a_compensation_has_the_price_of_the_hours_that_it_makes_up_for(telling: Telling, worked: int):
    made = await act_of(
        telling,
        "2026-07",
        TWENTY,
        close("T-1", worked=worked, on="2026-03-10"),
        reopen("T-1", on="2026-07-01"),
        close("T-2", worked=worked, on="2026-07-02"),
    )
    assert [line.hour_price_kopecks for line in made.lines if line.package_id == "compensation-T-1-1"] == [3190_00]


async def test_a_compensation_of_a_compensation_and_of_money_names_all_their_prices(telling: Telling):
    made = await act_of(
        telling,
        "2027-05",
        HUNDRED,
        close("T-0", worked=5990, on="2026-03-02"),
        close("T-1", worked=20, on="2026-03-10"),
        pay(10, on="2026-03-11"),
        reopen("T-1", on="2027-03-10"),
        close("T-2", worked=20, on="2027-03-11"),
        reopen("T-2", on="2027-05-02"),
        close("T-3", worked=10, on="2027-05-03"),
    )
    (line,) = [line for line in made.lines if line.package_id == "compensation-T-2-1" and line.minutes > 0]
    assert (line.hour_price_kopecks, line.hour_prices_kopecks) == (None, (2590_00, 3190_00))


async def test_an_act_closed_anew_shows_its_revision_and_the_one_it_replaces_can_be_made_again(telling: Telling):
    async with telling() as told:
        first = await act_told(
            told, "2026-03", HUNDRED, close("T-1", on="2026-03-10"), close_month("2026-03", on="2026-04-02")
        )
        draft = await act_told(told, "2026-03", reopen_month("2026-03", on="2026-04-03"))
        second = await act_told(told, "2026-03", close("T-2", on="2026-03-11", recorded="2026-04-04"),
                                close_month("2026-04", on="2026-05-02"))  # fmt: skip
        again = await act(told.connection, await told.report("2026-03", second.replaces.position), RAISED)
    assert (first.number, first.revision, first.replaces) == ("17/24-2026-03", 1, None)
    assert (draft.number, draft.revision, draft.draft) == ("17/24-2026-03/2", 2, True)
    assert (second.number, second.revision, second.replaces.number) == ("17/24-2026-03/2", 2, first.number)
    assert second.replaces.position == first.position
    assert again == first


async def test_a_month_without_anything_has_no_act_to_sign(telling: Telling):
    made = await act_of(
        telling, "2026-04", HUNDRED, close("T-1", on="2026-03-10"), close_month("2026-04", on="2026-05-02")
    )
    assert (made.to_sign, made.lines, made.draft) == (False, (), False)


async def test_the_acts_time_follows_from_the_reports(telling: Telling):
    made = await act_of(
        telling,
        "2026-04",
        close("T-1", worked=20, on="2026-03-10"),
        close_month("2026-03", on="2026-04-01"),
        buy("spring", on="2026-04-02"),
        close("T-2", worked=1190, on="2026-04-03"),
    )
    rows = [(row.kind, row.minutes, row.hours) for row in made.hours_from_report]
    assert rows == [
        ("charged", 1190, "19.84"),
        ("owed", -10, "-0.17"),
        ("settled", 20, "0.33"),
        ("accepted", 1200, "20.00"),
    ]


@SOME
@given(histories())
async def test_acts_agree_with_reports_on_any_history(telling: Telling, history: list[Numbers]):
    async with telling() as told:
        await told.tell(history)
        accepted = 0
        for month in months_of(told.story):
            report = await told.report(month)
            made = await act(told.connection, report, RAISED)
            accepted += made.total_kopecks
            *rows, result = made.hours_from_report
            assert made.total_minutes == result.minutes == sum(row.minutes for row in rows)
            assert (
                made.total_kopecks == report.totals.amount_kopecks == sum(rate.total_kopecks for rate in made.vat_rates)
            )
            assert made.vat.amount_kopecks == sum(rate.vat_kopecks for rate in made.vat_rates)
            assert made.to_sign == bool(made.lines)
            own_rate = RAISED.vat_mode(last_day(month))
            assert {line.vat_mode for line in made.lines if line.corrects_month is None} <= {own_rate}
            assert all(one.corrects_month <= after.corrects_month for one, after in pairwise(made.lines)
                       if one.corrects_month and after.corrects_month)  # fmt: skip
            assert {line.hour_price_kopecks for line in made.lines} <= {3190_00, 2890_00, 2730_00, 2590_00, None}
            assert sum(left.minutes for left in report.packages_left) == report.closing_balance_minutes
        standing = [task.closing for task in told.story.account.tasks.values() if task.closing]
        assert accepted == sum(part.amount_kopecks for one in standing for part in one.parts)
