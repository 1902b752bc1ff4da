"""Rules 7.1, 7.2 and 7.5: what becomes of hours at the end of their package."""

import pytest

from tests.ledger.domain.expected_events import carried_over, package_expired, package_purchased, task_closed
from tests.ledger.vocabulary import buy, close, given, time_passes

SPRING = buy("spring", "hours-20", on="2026-03-01")
"""Ends on 2 June."""


def test_without_a_successor_what_is_left_is_forfeited_with_its_money():
    (
        given(SPRING, close("T-1", worked=60))
        .when(time_passes("2026-06-10"))
        .then(
            package_expired(
                "spring",
                carried_to=None,
                forfeited_minutes=1140,
                forfeited_amount_kopecks=6_061_000,
                forfeited=[("spring", 1140, 6_061_000)],
                effective="2026-06-02",
                booked="2026-06",
            )
        )
        .then_balance(0)
    )


def test_a_package_expires_at_its_end_and_not_before():
    story = given(SPRING)
    story.when(time_passes("2026-06-01 23:59:59.999999")).then()
    story.when(time_passes("2026-06-02 00:00")).then(package_expired("spring"))
    story.when(time_passes("2026-06-03")).then()


def test_what_is_left_is_carried_to_the_package_bought_in_time():
    (
        given(SPRING, close("T-1", worked=60), buy("half", "hours-30", on="2026-05-01"))
        .when(time_passes("2026-06-10"))
        .then(
            carried_over(
                "spring",
                "half",
                minutes=1140,
                carried=[("spring", 1140, 6_061_000)],
                effective="2026-06-02",
                ends="2026-11-02",
                reclaimed=False,
            ),
            package_expired("spring", carried_to="half", forfeited_minutes=0, forfeited=[], effective="2026-06-02"),
        )
        .then_balance(2940)
        .then_lots(("spring", 1140), ("half", 1800))
    )


def test_carried_hours_keep_their_price():
    (
        given(SPRING, buy("half", "hours-30", on="2026-05-01"), time_passes("2026-06-10"))
        .when(close("T-1", worked=60))
        .then(task_closed("T-1", draws=[("spring", 60, 319_000)]))
    )


@pytest.mark.parametrize("bought", ["2026-06-02 00:00", "2026-06-03"])
def test_a_package_bought_at_the_end_is_too_late(bought: str):
    (
        given(SPRING)
        .when(buy("half", "hours-30", on=bought))
        .then(package_expired("spring", forfeited_minutes=1200), package_purchased("half"))
        .then_balance(1800)
    )


def test_a_package_bought_at_the_last_moment_is_in_time():
    (
        given(SPRING, buy("half", "hours-30", on="2026-06-01 23:59:59.999999"))
        .when(time_passes("2026-06-10"))
        .then(carried_over("spring", "half"), package_expired("spring"))
    )


def test_a_package_bought_without_carry_over_takes_nothing():
    (
        given(SPRING, buy("half", "hours-30", on="2026-05-01", carry_over=False))
        .when(time_passes("2026-06-10"))
        .then(package_expired("spring", carried_to=None, forfeited_minutes=1200))
    )


def test_a_package_that_does_not_end_later_takes_nothing():
    (
        given(buy("half", "hours-30", on="2026-03-01"), buy("short", "hours-20", on="2026-06-01"))
        .when(time_passes("2026-09-01 23:59"))
        .then()
    )
    (
        given(buy("half", "hours-30", on="2026-03-01"), buy("short", "hours-20", on="2026-06-01"))
        .when(time_passes("2026-09-02"))
        .then(
            package_expired("half", carried_to=None, forfeited_minutes=1800),
            package_expired("short", carried_to=None, forfeited_minutes=1200),
        )
    )


def test_a_package_bought_before_takes_nothing_even_if_it_ends_later():
    (
        given(buy("year", "hours-100", on="2026-02-28"), SPRING)
        .when(time_passes("2026-06-10"))
        .then(package_expired("spring", carried_to=None, forfeited_minutes=1200))
    )


def test_of_two_packages_bought_in_time_the_first_takes_all():
    (
        given(SPRING, buy("half", "hours-30", on="2026-04-01"), buy("year", "hours-100", on="2026-05-01"))
        .when(time_passes("2026-06-10"))
        .then(carried_over("spring", "half"), package_expired("spring"))
    )


def test_the_first_is_the_one_bought_first_in_whatever_order_they_are_recorded():
    (
        given(SPRING, buy("year", "hours-100", on="2026-05-01"), buy("half", "hours-30", on="2026-04-01"))
        .when(time_passes("2026-06-10"))
        .then(carried_over("spring", "half"), package_expired("spring"))
    )


def test_of_packages_bought_together_the_one_recorded_first_takes_all():
    (
        given(SPRING, buy("z", "hours-30", on="2026-04-01"), buy("a", "hours-100", on="2026-04-01"))
        .when(time_passes("2026-06-10"))
        .then(carried_over("spring", "z"), package_expired("spring"))
    )


def test_a_package_bought_together_with_it_but_recorded_after_is_bought_after():
    (
        given(SPRING, buy("half", "hours-30", on="2026-03-01"))
        .when(time_passes("2026-06-10"))
        .then(carried_over("spring", "half"), package_expired("spring"))
    )
    (
        given(buy("half", "hours-30", on="2026-03-01"), SPRING)
        .when(time_passes("2026-06-10"))
        .then(package_expired("spring", forfeited_minutes=1200))
    )


def test_the_first_that_may_take_over_takes_all():
    (
        given(
            buy("half", "hours-30", on="2026-03-01"),
            buy("unwilling", "hours-100", on="2026-03-02", carry_over=False),
            buy("too-short", "hours-20", on="2026-03-03"),
            buy("year", "hours-100", on="2026-03-04"),
            close("T-1", worked=1200, on="2026-03-05"),
            time_passes("2026-06-10"),
        )
        .when(time_passes("2026-09-10"))
        .then(carried_over("half", "year", minutes=1800), package_expired("half", carried_to="year"))
    )


def test_a_package_with_nothing_left_simply_ends():
    (
        given(SPRING, buy("half", "hours-30", on="2026-05-01"), close("T-1", worked=1200, on="2026-05-02"))
        .when(time_passes("2026-06-10"))
        .then(package_expired("spring", carried_to=None, forfeited_minutes=0, forfeited=[]))
    )


def test_hours_are_carried_again_when_their_new_package_ends():
    (
        given(
            SPRING,
            buy("half", "hours-30", on="2026-05-01"),
            buy("year", "hours-100", on="2026-10-01"),
            time_passes("2026-06-10"),
            close("T-1", worked=1800, on="2026-09-01"),
        )
        .when(time_passes("2026-11-10"))
        .then(
            carried_over("half", "year", carried=[("half", 1200)], effective="2026-11-02", ends="2027-10-02"),
            package_expired("half"),
        )
    )


def test_all_lots_of_a_package_are_carried_or_forfeited_together():
    story = given(SPRING, buy("half", "hours-30", on="2026-05-01"), time_passes("2026-06-10"))
    story.when(time_passes("2026-11-10")).then(
        package_expired(
            "half", forfeited_minutes=3000, forfeited=[("half", 1800, 8_670_000), ("spring", 1200, 6_380_000)]
        )
    )


def test_packages_expire_in_the_order_of_end_then_start_then_id():
    (
        given(
            buy("third", "hours-20", on="2026-03-01 15:00", carry_over=False),
            buy("second", "hours-20", on="2026-03-01 09:00", carry_over=False),
            buy("first", "hours-20", on="2026-03-01 09:00", carry_over=False),
            buy("before", "hours-30", on="2025-11-30", recorded="2026-03-02", carry_over=False),
        )
        .when(time_passes("2026-07-01"))
        .then(
            package_expired("before", effective="2026-05-31"),
            package_expired("first"),
            package_expired("second"),
            package_expired("third"),
        )
    )


def test_what_is_due_happens_before_any_command():
    (
        given(SPRING)
        .when(close("T-1", worked=60, on="2026-06-10"))
        .then(package_expired("spring", effective="2026-06-02"), task_closed("T-1", owed=60))
    )


def test_a_balance_read_past_an_end_is_as_if_the_end_had_been_recorded():
    forfeiting = given(SPRING)
    forfeiting.then_balance(1200, as_of="2026-06-01 23:59:59.999999").then_balance(0, as_of="2026-06-02")
    carrying = given(SPRING, buy("half", "hours-30", on="2026-05-01"))
    carrying.then_balance(3000, as_of="2026-06-02").then_lots(("spring", 1200), ("half", 1800), as_of="2026-06-02")
    carrying.then_balance(3000, as_of="2026-11-01 23:59:59").then_balance(0, as_of="2026-11-02")
