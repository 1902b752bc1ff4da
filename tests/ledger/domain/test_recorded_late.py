"""Rules 7.3 and 7.4: effective time decides, not the order of recording."""

import pytest

from tests.ledger.domain.expected_events import (
    carried_over,
    package_expired,
    package_purchased,
)
from tests.ledger.vocabulary import Step, buy, close, given, reopen, time_passes

SPRING = buy("spring", "hours-20", on="2026-03-01")
"""Ends on 2 June."""
HALF = buy("half", "hours-30", on="2026-05-01")
"""Ends on 2 November."""


def test_a_package_that_has_expired_expires_again_for_hours_it_receives_late():
    (
        given(HALF, time_passes("2026-12-01"))
        .when(SPRING)
        .then(
            package_purchased("spring", effective="2026-03-01", successor_package_id="half"),
            carried_over("spring", "half", carried=[("spring", 1200)], effective="2026-06-02", reclaimed=False),
            package_expired("spring", carried_to="half", effective="2026-06-02"),
            package_expired("half", carried_to=None, forfeited=[("spring", 1200)], effective="2026-11-02"),
        )
        .then_balance(0)
        .then_balance(3000, as_of="2026-11-01 23:59:59")
    )


def test_hours_received_late_travel_on_to_the_successor_of_their_successor():
    (
        given(HALF, buy("year", "hours-100", on="2026-10-01"), time_passes("2026-12-01"))
        .when(SPRING)
        .then(
            package_purchased("spring"),
            carried_over("spring", "half"),
            package_expired("spring"),
            carried_over("half", "year", carried=[("spring", 1200)], effective="2026-11-02", ends="2027-10-02"),
            package_expired("half", carried_to="year"),
        )
        .then_lots(("spring", 1200), ("half", 1800), ("year", 6000))
    )


def test_a_purchase_recorded_late_takes_over_what_was_forfeited():
    (
        given(SPRING, close("T-1", worked=60), time_passes("2026-06-10"))
        .when(HALF)
        .then(
            package_purchased("half", effective="2026-05-01"),
            carried_over(
                "spring",
                "half",
                minutes=1140,
                carried=[("spring", 1140, 6_061_000)],
                effective="2026-06-02",
                ends="2026-11-02",
                reclaimed=True,
            ),
        )
        .then_balance(2940)
        .then_balance(2940, as_of="2026-06-02")
    )


def test_a_purchase_in_time_but_due_only_now_finds_the_package_expired():
    (
        given(SPRING)
        .when(buy("half", "hours-30", on="2026-05-01", recorded="2026-06-10"))
        .then(
            package_expired("spring", forfeited_minutes=1200),
            package_purchased("half"),
            carried_over("spring", "half", reclaimed=True),
        )
    )


def test_what_a_package_reclaims_after_its_own_end_is_forfeited_anew():
    (
        given(SPRING, time_passes("2026-12-01"))
        .when(HALF)
        .then(
            package_purchased("half"),
            carried_over("spring", "half", reclaimed=True),
            package_expired("half", forfeited=[("half", 1800), ("spring", 1200)], effective="2026-11-02"),
        )
        .then_balance(0)
        .then_balance(3000, as_of="2026-11-01 23:59:59")
    )


def test_what_was_bought_at_the_end_or_without_carry_over_or_for_a_shorter_time_reclaims_nothing():
    too_late = buy("half", "hours-30", on="2026-06-02", recorded="2026-06-10")
    unwilling = buy("half", "hours-30", on="2026-05-01", carry_over=False)
    too_early = buy("half", "hours-30", on="2026-02-28")
    for step in (too_late, unwilling, too_early):
        given(SPRING, time_passes("2026-06-10")).when(step).then(package_purchased("half")).then_balance(1800)
    (
        given(HALF, time_passes("2026-12-01"))
        .when(buy("short", "hours-20", on="2026-07-15"))
        .then(package_purchased("short"), package_expired("short", forfeited=[("short", 1200)]))
    )


def test_hours_that_went_to_a_successor_are_not_reclaimed():
    (
        given(SPRING, HALF, time_passes("2026-06-10"))
        .when(buy("earlier", "hours-30", on="2026-04-15"))
        .then(package_purchased("earlier", succeeds=("spring",)))
        .then_lots(("earlier", 1800), ("spring", 1200), ("half", 1800))
    )


def test_hours_that_come_late_go_to_the_successor_that_was_bought_first():
    (
        given(
            SPRING,
            HALF,
            time_passes("2026-06-10"),
            buy("earlier", "hours-30", on="2026-04-15"),
        )
        .when(buy("winter", "hours-20", on="2026-02-01"))
        .then(
            package_purchased("winter", successor_package_id="spring"),
            carried_over("winter", "spring", effective="2026-05-02"),
            package_expired("winter"),
            carried_over("spring", "earlier", carried=[("winter", 1200)], effective="2026-06-02"),
            package_expired("spring", carried_to="earlier"),
        )
    )


@pytest.mark.parametrize(
    "other",
    [
        buy("other", "hours-30", on="2026-06-02"),
        buy("other", "hours-20", on="2026-03-01 15:00"),
        buy("other", "hours-30", on="2026-05-01", carry_over=False),
        buy("other", "hours-30", on="2026-03-01"),
    ],
    ids=["bought at its end", "ends with it", "does not take over", "bought at the same time and recorded before"],
)
def test_what_is_recorded_late_has_no_successor_in_a_package_that_may_not_take_over(other: Step):
    (
        given(other, time_passes("2026-06-02 12:00"))
        .when(SPRING)
        .then(package_purchased("spring", successor_package_id=None), package_expired("spring", forfeited_minutes=1200))
    )


@pytest.mark.parametrize(
    "others",
    [
        (HALF, buy("later", "hours-100", on="2026-05-02")),
        (buy("later", "hours-100", on="2026-05-02"), HALF),
        (HALF, buy("alike", "hours-30", on="2026-05-01")),
    ],
    ids=["in order", "the first recorded last", "bought at the same time and recorded after"],
)
def test_what_is_recorded_late_goes_to_the_first_package_bought_after_it(others: tuple[Step, ...]):
    (
        given(*others, time_passes("2026-06-02 12:00"))
        .when(SPRING)
        .then(
            package_purchased("spring", successor_package_id="half"),
            carried_over("spring", "half"),
            package_expired("spring"),
        )
    )


def test_what_has_gone_on_to_a_successor_is_not_reclaimed_by_one_that_is_recorded_later():
    (
        given(
            SPRING,
            time_passes("2026-06-10"),
            close("T-1", worked=1200, on="2026-05-20"),
            HALF,
            reopen("T-1"),
        )
        .when(buy("earlier", "hours-30", on="2026-04-15"))
        .then(package_purchased("earlier", succeeds=("spring",)))
        .then_lots(("earlier", 1800), ("spring", 1200), ("half", 1800))
    )


def test_only_what_is_left_of_what_was_forfeited_is_reclaimed():
    (
        given(SPRING, time_passes("2026-06-10"), close("T-1", worked=60, on="2026-05-20"))
        .when(HALF)
        .then(package_purchased("half"), carried_over("spring", "half", carried=[("spring", 1140)], reclaimed=True))
    )


def test_all_that_a_purchase_is_in_time_for_is_reclaimed_in_the_order_of_ends():
    (
        given(
            buy("later", "hours-20", on="2026-04-20", carry_over=False),
            buy("sooner", "hours-20", on="2026-04-10", carry_over=False),
            time_passes("2026-08-01"),
        )
        .when(HALF)
        .then(
            package_purchased("half", succeeds=("sooner", "later")),
            carried_over("sooner", "half", effective="2026-07-11", reclaimed=True),
            carried_over("later", "half", effective="2026-07-21", reclaimed=True),
        )
    )
