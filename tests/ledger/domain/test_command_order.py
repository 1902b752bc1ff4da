"""Rules 5.7 and 11.1: what comes first inside one command."""

import pytest

from services.ledger.domain.refusals import (
    AccountNotFound,
    ConfirmedBeforeClosed,
    EffectiveInFuture,
    OffHoursNotRequestedBeforeStart,
    Refusal,
    StartedAfterClosed,
    TaskAlreadyClosed,
    TaskNotClosed,
    TaskNotConfirmed,
    TimeEntriesDoNotAddUp,
    UnknownPlan,
    UrgencyNotAgreedBeforeStart,
    WorkedTimeNotInQuantum,
    WorkWasInWorkingHours,
)
from tests.ledger.domain.expected_events import (
    carried_over,
    compensation,
    debt_settled,
    package_expired,
    package_purchased,
    task_reopened,
    work_resumed,
)
from tests.ledger.vocabulary import Step, buy, close, close_month, given, no_account, pay, reopen, suspend, time_passes

NOON = "2026-03-02 12:00"
BEFORE = "2026-03-02 11:00"
AFTER = "2026-03-02 13:00"
BOTH = {"category": "urgent_off_hours", "started": BEFORE}
IN_WORKING_HOURS = [("2026-03-02 10:00", 60)]


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (close(worked=5, confirmed=None), WorkedTimeNotInQuantum),
        (close(confirmed=None, closed=NOON, started=AFTER), TaskNotConfirmed),
        (close(closed=NOON, confirmed=BEFORE, started=AFTER), ConfirmedBeforeClosed),
        (close(closed=NOON, started=AFTER, confirmed="2026-04-01", recorded=NOON), StartedAfterClosed),
        (close(**BOTH, closed=NOON, confirmed="2026-04-01", recorded=NOON), EffectiveInFuture),
        (close(**BOTH, on=NOON), UrgencyNotAgreedBeforeStart),
        (close(**BOTH, agreed=BEFORE, entries=[], on=NOON), OffHoursNotRequestedBeforeStart),
        (
            close(**BOTH, agreed=BEFORE, requested=BEFORE, entries=IN_WORKING_HOURS, worked=70, on=NOON),
            TimeEntriesDoNotAddUp,
        ),
        (close(**BOTH, agreed=BEFORE, requested=BEFORE, entries=IN_WORKING_HOURS, on=NOON), WorkWasInWorkingHours),
        (close(on=NOON), TaskAlreadyClosed),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else "",
)
def test_of_the_checks_of_a_closing_the_first_that_fails_is_named(step: Step, named: type[Refusal]):
    given(close("T-1", on="2026-03-01")).when(step).then_refused(named)


@pytest.mark.parametrize(
    "step", [close(worked=5), buy("spring", "hours-10"), pay(10, on="2099-01-01", recorded="2026-01-01")]
)
def test_that_there_is_no_account_is_said_before_anything_of_the_body(step: Step):
    no_account().when(step).then_refused(AccountNotFound)


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (buy("spring", "hours-10"), UnknownPlan),
        (buy("spring", on="2026-03-01", recorded="2026-02-01"), EffectiveInFuture),
        (pay(10, on="2026-03-01", recorded="2026-02-01"), EffectiveInFuture),
    ],
)
def test_the_body_is_checked_before_the_account(step: Step, named: type[Refusal]):
    given(buy("spring", on="2026-01-01")).when(step).then_refused(named)


def test_what_is_due_happens_before_the_fact():
    (
        given(buy("spring", on="2026-03-01"), close("T-1", worked=60))
        .when(reopen("T-1", on="2026-06-10"))
        .then(package_expired("spring"), task_reopened("T-1", compensation=compensation("compensation-T-1-1", 60)))
    )


def test_a_refused_command_leaves_what_is_due_to_the_scheduler():
    (
        given(buy("spring", on="2026-03-01"))
        .when(reopen("T-1", on="2026-06-10"))
        .then_refused(TaskNotClosed)
        .when(time_passes("2026-06-10"))
        .then(package_expired("spring"))
    )


def test_reclaimed_hours_come_before_debt_and_debt_before_what_is_due():
    (
        given(
            buy("spring", "hours-20", on="2026-03-01"),
            close("T-1", worked=100, on="2026-06-15"),
            suspend(),
            close_month("2026-06", on="2026-12-01"),
        )
        .when(buy("half", "hours-30", on="2026-05-01"))
        .then(
            package_purchased("half", effective="2026-05-01"),
            carried_over("spring", "half", effective="2026-06-02", reclaimed=True),
            debt_settled("T-1", "spring", 100, effective="2026-06-15"),
            package_expired("half", effective="2026-11-02"),
        )
        .then_balance(0)
    )


def test_debt_is_looked_at_again_after_what_was_due_and_work_resumes_last():
    (
        given(
            buy("half", "hours-30", on="2026-05-01"),
            close("T-1", worked=1900, on="2026-06-20"),
            suspend(),
        )
        .when(buy("spring", "hours-20", on="2026-03-01", recorded="2026-07-10"))
        .then(
            package_purchased("spring"),
            carried_over("spring", "half", effective="2026-06-02"),
            package_expired("spring"),
            debt_settled("T-1", "spring", 100, effective="2026-06-20"),
            work_resumed(balance=1100, effective="2026-07-10"),
        )
    )
