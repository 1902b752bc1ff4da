"""Rule 14: money given back for what is left in a lot."""

from services.ledger.domain.refusals import NothingToRefund, PackageNotFound, RefundExceedsPrice
from tests.ledger.domain.expected_events import (
    carried_over,
    compensation,
    package_expired,
    package_purchased,
    package_refunded,
    task_reopened,
)
from tests.ledger.vocabulary import buy, close, given, refund, reopen, time_passes

SPRING = buy("spring", "hours-20", on="2026-03-01")
YEAR = buy("year", "hours-100", on="2026-03-02")


def test_everything_that_is_not_booked_is_given_back():
    (
        given(SPRING, close("T-1", worked=600, on="2026-03-05"))
        .when(refund("spring", on="2026-03-10"))
        .then(
            package_refunded(
                "spring", package_id="spring", refunded=600, refunded_kopecks=3_190_000, retained_kopecks=0,
                effective="2026-03-10", booked="2026-03",
            )
        )
        .then_balance(600, as_of="2026-03-09")
        .then_balance(0)
    )  # fmt: skip


def test_the_seller_keeps_what_less_was_agreed():
    (
        given(SPRING)
        .when(refund("spring", 6_000_000))
        .then(package_refunded("spring", refunded_kopecks=6_000_000, retained_kopecks=380_000))
    )


def test_nothing_may_be_given_back_and_all_kept():
    given(SPRING).when(refund("spring", 0)).then(package_refunded("spring", refunded=1200, retained_kopecks=6_380_000))


def test_no_more_than_is_not_booked_is_given_back():
    story = given(SPRING, close("T-1", worked=600, on="2026-03-05"))
    story.when(refund("spring", 3_190_001)).then_refused(RefundExceedsPrice)
    story.when(refund("spring", 3_190_000)).then(package_refunded("spring"))


def test_a_lot_is_refunded_wherever_it_is_held():
    (
        given(SPRING, YEAR, time_passes("2026-06-10"))
        .when(refund("spring"))
        .then(package_refunded("spring", package_id="year", refunded=1200, succeeded=()))
        .then_lots(("year", 6000))
    )


def test_a_compensation_is_refunded_by_its_id():
    (
        given(SPRING, close("T-1", worked=600, on="2026-03-05"), time_passes("2026-06-10"), reopen("T-1"))
        .when(refund("compensation-T-1-1"))
        .then(package_refunded("compensation-T-1-1", refunded=600, refunded_kopecks=3_190_000))
    )


def test_what_nobody_bought_cannot_be_refunded():
    given(SPRING).when(refund("other")).then_refused(PackageNotFound)


def test_what_has_expired_or_is_used_up_or_refunded_leaves_nothing_to_refund():
    given(SPRING, time_passes("2026-06-10")).when(refund("spring")).then_refused(NothingToRefund)
    given(SPRING, close(worked=1200)).when(refund("spring")).then_refused(NothingToRefund)
    given(SPRING, refund("spring")).when(refund("spring", 99_999_999)).then_refused(NothingToRefund)


def test_a_refunded_package_ends_as_any_with_nothing_left():
    (
        given(SPRING, refund("spring"))
        .when(time_passes("2026-06-10"))
        .then(package_expired("spring", forfeited=[], carried_to=None))
    )


def test_a_package_whose_own_lot_was_refunded_takes_nothing_over_and_the_next_one_does():
    (
        given(SPRING, YEAR, buy("half", "hours-30", on="2026-03-03"))
        .when(refund("year"))
        .then(package_refunded("year"))
        .when(time_passes("2026-06-10"))
        .then(carried_over("spring", "half", carried=[("spring", 1200)]), package_expired("spring", carried_to="half"))
    )


def test_hours_carried_to_a_package_before_it_was_refunded_stay_with_it():
    (
        given(SPRING, YEAR, time_passes("2026-06-10"))
        .when(refund("year"))
        .then(package_refunded("year"))
        .then_lots(("spring", 1200))
        .when(time_passes("2027-03-10"))
        .then(package_expired("year", forfeited=[("spring", 1200)]))
    )


def test_a_later_purchase_succeeds_a_package_whose_successor_was_refunded():
    (
        given(SPRING, YEAR, refund("year"))
        .when(buy("half", "hours-30", on="2026-03-20"))
        .then(package_purchased("half", succeeds=("spring",), successor_package_id=None))
    )


def test_what_would_return_to_a_refunded_lot_is_compensated_as_long_as_packages_that_are_not_refunded():
    (
        given(SPRING, YEAR, close("T-1", worked=600, on="2026-03-05"), refund("spring"), refund("year"))
        .when(reopen("T-1", on="2026-03-10"))
        .then(
            task_reopened(
                "T-1", returned=[],
                compensation=compensation("compensation-T-1-1", 600, money=3_190_000, ends="2026-04-10"),
            )
        )
    )  # fmt: skip


def test_debt_is_no_hindrance_and_a_refund_settles_none():
    (
        given(close("T-1", worked=60, on="2026-03-01"), buy("late", on="2026-02-01", recorded="2026-03-02"))
        .when(refund("late"))
        .then(package_refunded("late", refunded=1140))
    )
