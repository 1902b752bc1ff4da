"""Rules 10.1 and 10.3 on random histories: months follow from one another, and agree with balances and with the log."""

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Draw, Event, HoursCarriedOver, MonthReopened, Reversal
from contracts.quantities import month_of
from contracts.report_hash import Figures, report_hash
from contracts.reports import MonthlyReport
from services.ledger.audit.replay import replay
from services.ledger.domain.local_time import month_after
from tests.ledger.domain.histories import Numbers, histories
from tests.ledger.vocabulary import ACCOUNT_ID, Story, close_month
from tests.projections.monthly_reports.conftest import SOME, Telling, last_month
from tests.projections.monthly_reports.test_entries import played

LAST_OF_ALL = "2199-12"
"""A month after all that can be booked: its opening balance is what everything booked comes to."""


def figures(report: MonthlyReport) -> Iterator[Figures]:
    for line in report.lines:
        amounts = (line.worked_minutes, line.charged_minutes, line.amount_kopecks)
        yield Figures(line.task_id, line.closure, *amounts)


def hashed(report: MonthlyReport) -> str:
    """The hash of the figures that the report itself shows."""
    balances = (report.opening_balance_minutes, report.closing_balance_minutes)
    return report_hash(report.account_id, report.month, *balances, figures(report))


def months_of(story: Story) -> list[str]:
    """All from the first with a booking up to the present one and any beyond it that is open first."""
    months, last = [min([*story.account.months, month_of(story.now)])], story.account.booking_month(story.now)
    while months[-1] < last:
        months.append(month_after(months[-1]))
    return months


@SOME
@given(histories(), histories())
async def test_reports_follow_from_one_another_and_closed_ones_hash_to_what_the_ledger_froze(
    telling: Telling, history: list[Numbers], more: list[Numbers]
):
    async with telling() as told:
        for part in (history, more):
            await told.tell(part)
            await told.tell([close_month(last_month(told.story))])
        balance = 0
        for month in months_of(told.story):
            report = await told.report(month)
            totals = report.totals
            assert report.opening_balance_minutes == balance
            balance += totals.purchased_minutes + totals.paid_minutes
            balance -= totals.charged_minutes + totals.forfeited_minutes + (report.refunded_minutes or 0)
            assert report.closing_balance_minutes == balance
            if report.report_hash:
                assert report.closed
                assert report.report_hash == hashed(report)
            elif report.closed:
                assert month not in told.story.account.months
        assert balance == told.story.account.balance_minutes


@SOME
@given(histories(), st.data())
async def test_what_months_have_booked_is_the_balance_by_projection_and_by_replay_whenever_it_was_known(
    telling: Telling, history: list[Numbers], data: st.DataObject
):
    async with telling() as told:
        await told.tell(history)
        for position, at in data.draw(st.lists(st.sampled_from(told.moments), max_size=4, unique=True)):
            booked = (await told.report(LAST_OF_ALL, position)).opening_balance_minutes
            assert booked == (await told.balance(at, position)).balance_minutes
            assert booked == replay(ACCOUNT_ID, told.story.recorded, at, position).balance_minutes


def hard_parts(events: list[Event]) -> Iterator[str]:
    """What in a history is hard to report."""
    carried: set[str] = set()
    for event in events:
        if event.booking_month != month_of(event.effective_at):
            yield f"{type(event).__name__} recorded after its month was closed"
        for draw in getattr(event, "draws", ()):
            if isinstance(draw, Draw) and draw.released:
                yield "a draw on what had expired"
        if isinstance(event, Reversal) and event.compensation:
            yield f"{type(event).__name__} after the hours had expired"
        if isinstance(event, HoursCarriedOver):
            lots = {share.lot_id for share in event.lots}
            yield "hours carried over again" if lots & carried else "hours carried over"
            carried |= lots
        yield type(event).__name__
    for earlier, later in pairwise(event for event in events if hasattr(event, "month")):
        if isinstance(earlier, MonthReopened) and isinstance(later, MonthReopened):
            yield "months reopened one after another"


HARD = {
    "TaskClosed recorded after its month was closed",
    "TaskCorrected recorded after its month was closed",
    "PackagePurchased recorded after its month was closed",
    "DebtPaid recorded after its month was closed",
    "DebtSettled recorded after its month was closed",
    "WarrantyMarked recorded after its month was closed",
    "TaskReopened recorded after its month was closed",
    "WarrantyMarked after the hours had expired",
    "TaskReopened after the hours had expired",
    "PackageRefunded",
    "a draw on what had expired",
    "hours carried over again",
    "months reopened one after another",
}


def test_the_histories_have_in_them_what_is_hard_to_report():
    met, numbers = set[str](), Random(1)
    for _ in range(3_000):
        story = played([numbers.randbytes(6) for _ in range(numbers.randint(25, 40))])
        met.update(hard_parts([line.event() for line in story.recorded]))
        if met >= HARD:
            return
    raise AssertionError(f"no history has {HARD - met}")
