"""Rule 9: work is suspended while the balance is negative, and resumes once it is positive."""

import pytest

from services.ledger.domain.refusals import AlreadySuspended, BalanceNotNegative, NotSuspended
from tests.ledger.domain.expected_events import (
    debt_paid,
    debt_settled,
    package_expired,
    package_purchased,
    task_closed,
    warranty_marked,
    work_resumed,
    work_suspended,
)
from tests.ledger.vocabulary import Step, buy, close, given, mark_warranty, pay, resume, suspend

OWING = close("T-1", worked=60, on="2026-03-01")


def test_work_is_suspended_while_hours_are_owed():
    (
        given(OWING)
        .when(suspend(on="2026-03-02"))
        .then(work_suspended(balance=-60, effective="2026-03-02", booked="2026-03"))
    )


@pytest.mark.parametrize("steps", [(), (buy("spring"),), (OWING, pay(60))], ids=["nothing", "hours left", "all paid"])
def test_work_is_not_suspended_unless_hours_are_owed(steps: tuple[Step, ...]):
    given(*steps).when(suspend()).then_refused(BalanceNotNegative)


def test_work_is_suspended_once():
    given(OWING, suspend()).when(suspend()).then_refused(AlreadySuspended)


def test_that_work_is_suspended_already_is_said_before_that_nothing_is_owed():
    given(OWING, suspend(), pay(60)).when(suspend()).then_refused(AlreadySuspended)


def test_a_package_that_covers_the_debt_resumes_work():
    (
        given(OWING, suspend())
        .when(buy("spring", "hours-20", on="2026-03-05"))
        .then(
            package_purchased("spring"),
            debt_settled("T-1", "spring", 60),
            work_resumed(automatic=True, reason=None, balance=1140, effective="2026-03-05"),
        )
    )


def test_work_resumes_when_the_balance_is_positive_in_the_end_and_at_the_time_of_the_command():
    (
        given(OWING, suspend(on="2026-03-02"))
        .when(buy("spring", "hours-20", on="2026-02-20", recorded="2026-03-05"))
        .then(
            package_purchased("spring"),
            debt_settled("T-1", "spring", 60, effective="2026-03-01"),
            work_resumed(effective="2026-03-05"),
        )
    )


def test_a_balance_of_zero_does_not_resume_work():
    given(OWING, suspend()).when(pay(60)).then(debt_paid(60)).then_balance(0)


def test_a_package_that_does_not_cover_the_debt_does_not_resume_work():
    (
        given(close("T-1", worked=1200), suspend())
        .when(buy("spring", "hours-20"))
        .then(package_purchased("spring"), debt_settled("T-1", "spring", 1200))
        .then_balance(0)
    )


def test_a_package_that_has_expired_already_does_not_resume_work():
    (
        given(OWING, suspend())
        .when(buy("old", "hours-20", on="2025-10-01"))
        .then(package_purchased("old"), package_expired("old", forfeited_minutes=1200))
        .then_balance(-60)
    )


def test_a_mark_that_gives_hours_back_resumes_work():
    (
        given(buy("spring", "hours-20"), close("T-1", worked=1200), close("T-2", worked=60), suspend())
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1"), debt_settled("T-2", "spring", 60), work_resumed(automatic=True, balance=1140))
    )


def test_a_mark_that_only_cancels_what_is_owed_does_not_resume_work():
    given(OWING, suspend()).when(mark_warranty("T-1")).then(warranty_marked("T-1", cancelled=60)).then_balance(0)


def test_the_seller_may_resume_work_at_will():
    (
        given(OWING, suspend())
        .when(resume(on="2026-03-05"))
        .then(work_resumed(automatic=False, reason="договорились", balance=-60, effective="2026-03-05"))
    )


def test_work_resumed_at_will_can_be_suspended_again():
    given(OWING, suspend(), resume()).when(suspend()).then(work_suspended())


@pytest.mark.parametrize(
    "steps", [(), (OWING,), (OWING, suspend(), buy("spring")), (OWING, suspend(), resume())], ids=len
)
def test_what_is_not_suspended_is_not_resumed(steps: tuple[Step, ...]):
    given(*steps).when(resume()).then_refused(NotSuspended)


def test_facts_are_recorded_while_work_is_suspended():
    given(OWING, suspend()).when(close("T-2", worked=30)).then(task_closed("T-2", owed=30)).then_balance(-90)
