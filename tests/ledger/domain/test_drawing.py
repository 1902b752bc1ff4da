"""Rules 6.1-6.3: which hours pay."""

from tests.ledger.domain.expected_events import debt_settled, package_purchased, released, task_closed
from tests.ledger.vocabulary import buy, close, given, time_passes


def test_the_package_that_ends_first_pays_first():
    (
        given(buy("year", "hours-100", on="2026-01-10"), buy("spring", "hours-20", on="2026-03-01"))
        .when(close("T-1", worked=1210, on="2026-03-10"))
        .then(task_closed("T-1", draws=[("spring", 1200), ("year", 10)], owed=0))
    )


def test_of_packages_that_end_together_the_one_that_started_first_pays_first():
    (
        given(buy("b", "hours-20", on="2026-03-01 09:00"), buy("a", "hours-20", on="2026-03-01 15:00"))
        .when(close("T-1", worked=1210))
        .then(task_closed("T-1", draws=[("b", 1200), ("a", 10)]))
    )


def test_of_packages_alike_the_one_with_the_first_id_pays_first():
    (
        given(buy("b", "hours-20", on="2026-03-01"), buy("a", "hours-20", on="2026-03-01"))
        .when(close("T-1", worked=1210))
        .then(task_closed("T-1", draws=[("a", 1200), ("b", 10)]))
    )


def test_a_lot_pays_no_more_than_it_has_and_the_rest_is_owed():
    (
        given(buy("spring", "hours-20"))
        .when(close("T-1", worked=1300))
        .then(task_closed("T-1", charged=1300, draws=[("spring", 1200, 6_380_000)], owed=100))
    )


def test_a_lot_with_nothing_left_is_not_drawn_on():
    (
        given(buy("spring", "hours-20"), close("T-1", worked=1200))
        .when(close("T-2", worked=10))
        .then(task_closed("T-2", draws=[], owed=10))
    )


def test_a_charge_does_not_draw_on_hours_bought_after_it():
    (
        given(buy("spring", on="2026-03-01"))
        .when(close("T-1", worked=60, on="2026-02-28"))
        .then(
            task_closed("T-1", draws=[], owed=60),
            debt_settled("T-1", "spring", 60, effective="2026-03-01", released=False),
        )
    )


def test_a_charge_recorded_late_draws_on_what_the_lot_has_forfeited():
    (
        given(buy("spring", "hours-20", on="2026-03-01"), time_passes("2026-06-10"))
        .when(close("T-1", worked=60, on="2026-06-01 23:59:59.999999"))
        .then(task_closed("T-1", draws=[released("spring", 60, 319_000)], owed=0))
        .then_balance(0)
        .then_balance(1140, as_of="2026-06-01 23:59:59.999999")
        .then_balance(1200, as_of="2026-06-01 23:59:59")
    )


def test_a_charge_at_the_very_end_of_a_lot_is_owed():
    (
        given(buy("spring", "hours-20", on="2026-03-01"), time_passes("2026-06-10"))
        .when(close("T-1", worked=60, on="2026-06-02"))
        .then(task_closed("T-1", draws=[], owed=60))
    )


def test_what_is_released_is_no_longer_forfeited():
    (
        given(
            buy("spring", "hours-20", on="2026-03-01"),
            time_passes("2026-06-10"),
            close("T-1", worked=1000, on="2026-05-20"),
        )
        .when(close("T-2", worked=300, on="2026-05-10"))
        .then(task_closed("T-2", draws=[released("spring", 200)], owed=100))
    )


def test_living_and_forfeited_hours_pay_in_one_order():
    (
        given(
            buy("year", "hours-100", on="2026-01-10"),
            buy("spring", "hours-20", on="2026-03-01"),
            time_passes("2026-06-10"),
        )
        .when(close("T-1", worked=1210, on="2026-06-01"))
        .then(task_closed("T-1", draws=[released("spring", 1200), ("year", 10)]))
    )


CARRIED = (
    buy("spring", "hours-20", on="2026-03-01"),
    buy("half", "hours-30", on="2026-04-01", carry_over=False),
    buy("year", "hours-100", on="2026-05-01"),
    time_passes("2026-06-10"),
)
"""On 2 June the hours of spring, which ended first, went to year, which ends last."""


def test_the_order_is_by_the_package_that_held_the_lot_then():
    (
        given(*CARRIED)
        .when(close("T-1", worked=1810, on="2026-06-01"))
        .then(task_closed("T-1", draws=[("spring", 1200), ("half", 610)]))
    )


def test_the_order_is_not_by_the_package_that_held_the_lot_before():
    (
        given(*CARRIED)
        .when(close("T-1", worked=1810, on="2026-06-02"))
        .then(task_closed("T-1", draws=[("half", 1800), ("spring", 10)]))
    )


def test_a_lot_that_has_moved_pays_for_what_was_before_it_moved():
    (
        given(
            buy("spring", "hours-20", on="2026-03-01"),
            buy("half", "hours-30", on="2026-05-20"),
            time_passes("2026-06-10"),
        )
        .when(close("T-1", worked=60, on="2026-03-10"))
        .then(task_closed("T-1", draws=[("spring", 60)]))
    )


def test_what_was_drawn_already_is_not_reshuffled():
    (
        given(buy("year", "hours-100", on="2026-03-01"), close("T-1", worked=60, on="2026-04-01"))
        .when(buy("spring", "hours-20", on="2026-03-15", recorded="2026-04-10"))
        .then(package_purchased("spring"))
        .then_lots(("spring", 1200), ("year", 5940))
    )
