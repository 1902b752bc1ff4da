"""Every refusal has a case, a slug that is published, and a word on what to do instead."""

import pytest

from services.ledger.domain import refusals
from services.ledger.domain.refusals import Refusal
from tests.ledger.vocabulary import (
    Step,
    Story,
    buy,
    close,
    close_month,
    drop_plan,
    given,
    mark_warranty,
    no_account,
    open_account,
    pay,
    refund,
    reopen,
    reopen_month,
    resume,
    suspend,
)

OWING = close("T-1", worked=60)
STARTED = {"started": "2026-03-02 10:00", "on": "2026-03-02 12:00"}

CASES: dict[type[Refusal], tuple[Story, Step]] = {
    refusals.AccountNotFound: (no_account(), buy("spring")),
    refusals.AccountAlreadyOpen: (given(), open_account()),
    refusals.InvalidRequest: (given(), buy("spring", on="2026-03-02", ends_on="2026-03-01")),
    refusals.UnknownPlan: (given(), buy("spring", "hours-10")),
    refusals.PackageAlreadyPurchased: (given(buy("spring")), buy("spring")),
    refusals.EffectiveInFuture: (given(), buy("spring", on="2026-03-02", recorded="2026-03-01")),
    refusals.WorkedTimeNotInQuantum: (given(), close(worked=15)),
    refusals.TaskNotConfirmed: (given(), close(confirmed=None)),
    refusals.ConfirmedBeforeClosed: (given(), close(closed="2026-03-02", confirmed="2026-03-01")),
    refusals.StartedAfterClosed: (given(), close(started="2026-03-02 13:00", on="2026-03-02 12:00")),
    refusals.UrgencyNotAgreedBeforeStart: (given(), close(category="urgent", **STARTED)),
    refusals.OffHoursNotRequestedBeforeStart: (given(), close(category="off_hours", **STARTED)),
    refusals.SpecificationNotAgreed: (given(), close(kind="specification")),
    refusals.TimeEntriesDoNotAddUp: (given(), close(worked=60, entries=[("2026-03-02 10:00", 50)], **STARTED)),
    refusals.EvidenceDoesNotAddUp: (given(), close(worked=60, evidence={"raw_seconds": 3000})),
    refusals.WorkWasInWorkingHours: (
        given(),
        close(worked=60, category="off_hours", requested=True, entries=[("2026-03-02 10:00", 60)], **STARTED),
    ),
    refusals.TaskAlreadyClosed: (given(close("T-1")), close("T-1")),
    refusals.TaskNotPlanned: (given(), drop_plan("T-1")),
    refusals.TaskNotClosed: (given(), reopen("T-1")),
    refusals.TaskAlreadyWarranty: (given(mark_warranty("T-1")), mark_warranty("T-1")),
    refusals.PackageNotFound: (given(), refund("spring")),
    refusals.NothingToRefund: (given(buy("spring"), refund("spring")), refund("spring")),
    refusals.RefundExceedsPrice: (given(buy("spring", "hours-20")), refund("spring", 6_380_001)),
    refusals.PaymentExceedsDebt: (given(OWING), pay(61)),
    refusals.AlreadySuspended: (given(OWING, suspend()), suspend()),
    refusals.BalanceNotNegative: (given(), suspend()),
    refusals.NotSuspended: (given(), resume()),
    refusals.MonthNotOver: (given(), close_month("2026-03", on="2026-03-31")),
    refusals.MonthAlreadyClosed: (given(close_month("2026-03", on="2026-04-01")), close_month("2026-03")),
    refusals.MonthNotClosed: (given(), reopen_month("2026-03")),
}
REFUSALS = [it for it in vars(refusals).values() if isinstance(it, type) and Refusal in it.__bases__]
BEFORE_THE_DOMAIN = {refusals.IdempotencyKeyReused}
"""Looked up before anything else (rule 11.2): the case stands with the handler's tests."""


@pytest.mark.parametrize("why", CASES, ids=lambda why: why.__name__)
def test_it_is_refused_and_changes_nothing(why: type[Refusal]):
    story, step = CASES[why]
    account, recorded = story.account, list(story.recorded)
    story.when(step).then_refused(why)
    assert (story.account, story.recorded) == (account, recorded)


def test_every_refusal_has_a_case():
    assert CASES.keys() | BEFORE_THE_DOMAIN == set(REFUSALS)


@pytest.mark.parametrize("why", REFUSALS, ids=lambda why: why.__name__)
def test_a_refusal_names_its_problem_and_the_remedy(why: type[Refusal]):
    refusal = why("what was given")
    assert str(refusal) == f"{refusal.field} (what was given): {why.kind.title} {why.kind.remedy}"


def test_a_slug_is_the_name_in_small_letters():
    assert refusals.OffHoursNotRequestedBeforeStart.kind.slug == "off-hours-not-requested-before-start"


def test_a_refusal_that_is_not_in_the_catalogue_cannot_be_written():
    with pytest.raises(KeyError, match="moon-not-full"):
        type("MoonNotFull", (Refusal,), {"field": "moon"})
