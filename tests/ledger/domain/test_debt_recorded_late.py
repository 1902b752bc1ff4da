"""Rules 6.4 and 7.4 together: hours that come late pay what is owed."""

from tests.ledger.domain.expected_events import (
    carried_over,
    debt_settled,
    package_expired,
    package_purchased,
    released,
    task_closed,
)
from tests.ledger.vocabulary import buy, close, given, time_passes

SPRING = buy("spring", "hours-20", on="2026-03-01")
"""Ends on 2 June."""
HALF = buy("half", "hours-30", on="2026-05-01")
"""Ends on 2 November."""


def test_reclaimed_hours_pay_debt():
    (
        given(SPRING, time_passes("2026-06-10"), close("T-1", worked=100, on="2026-06-09"))
        .when(HALF)
        .then(
            package_purchased("half"),
            carried_over("spring", "half", reclaimed=True),
            debt_settled("T-1", "spring", 100, effective="2026-06-09", released=False),
        )
    )


def test_reclaimed_hours_pay_debt_even_when_they_are_due_again():
    (
        given(SPRING, time_passes("2026-12-01"), close("T-1", worked=100, on="2026-06-09"))
        .when(HALF)
        .then(
            package_purchased("half"),
            carried_over("spring", "half", reclaimed=True),
            debt_settled("T-1", "spring", 100, effective="2026-06-09", released=False),
            package_expired("half", forfeited=[("half", 1800), ("spring", 1100)]),
        )
    )


def test_hours_carried_late_pay_debt_that_arose_after_they_moved():
    (
        given(
            HALF,
            close("T-1", worked=1800, on="2026-06-19"),
            close("T-2", worked=100, on="2026-06-20"),
            time_passes("2026-07-10"),
        )
        .when(SPRING)
        .then(
            package_purchased("spring"),
            carried_over("spring", "half", carried=[("spring", 1200)], effective="2026-06-02"),
            package_expired("spring"),
            debt_settled("T-2", "spring", 100, effective="2026-06-20", released=False),
        )
        .then_balance(1100)
    )


def test_hours_carried_late_and_forfeited_at_once_pay_debt_too():
    (
        given(
            HALF,
            close("T-1", worked=1800, on="2026-06-19"),
            close("T-2", worked=100, on="2026-06-20"),
            time_passes("2026-12-10"),
        )
        .when(SPRING)
        .then(
            package_purchased("spring"),
            carried_over("spring", "half"),
            package_expired("spring"),
            package_expired("half", forfeited=[("spring", 1200)]),
            debt_settled("T-2", "spring", 100, effective="2026-06-20", released=True),
        )
        .then_balance(0)
    )


def test_of_a_package_that_expired_twice_all_that_was_forfeited_pays():
    (
        given(HALF, time_passes("2026-12-01"), SPRING)
        .when(close("T-1", worked=1810, on="2026-10-01"))
        .then(task_closed("T-1", draws=[released("spring", 1200), released("half", 610)]))
    )
