"""Rules 8.1, 8.3 and 8.4: a closing taken back is undone as if it had never been."""

import pytest

from tests.ledger.domain.expected_events import (
    carried_over,
    debt_settled,
    forfeited_again,
    package_expired,
    settlement,
    task_closed,
    task_reopened,
    warranty_marked,
)
from tests.ledger.vocabulary import Step, buy, close, close_month, given, mark_warranty, pay, reopen, time_passes

SPRING = buy("spring", "hours-20", on="2026-03-01")
"""Ends on 2 June."""
HALF = buy("half", "hours-30", on="2026-05-01")
"""Ends on 2 November."""


@pytest.mark.parametrize(
    ("step", "taken_back"),
    [(mark_warranty("T-1", on="2026-03-20"), warranty_marked), (reopen("T-1", on="2026-03-20"), task_reopened)],
)
def test_a_draw_goes_back_to_its_lot_with_its_money(step: Step, taken_back):
    (
        given(SPRING, close("T-1", worked=60, on="2026-03-10"))
        .when(step)
        .then(
            taken_back(
                "T-1",
                closure=1,
                returned=[("spring", 60, 319_000)],
                cancelled=0,
                compensation=None,
                effective="2026-03-10",
            )
        )
        .then_balance(1200, as_of="2026-03-10")
    )


def test_what_was_believed_before_stays_known():
    story = given(SPRING, close("T-1", worked=60, on="2026-03-10")).when(mark_warranty("T-1", on="2026-03-20"))
    before_the_mark = story.recorded[-2].recorded_at
    story.then_balance(1140, as_of="2026-03-15", known_at=before_the_mark).then_balance(1200, as_of="2026-03-15")


def test_what_is_still_owed_is_cancelled_since_it_arose():
    (
        given(close("T-1", worked=60, on="2026-03-10"))
        .when(mark_warranty("T-1", on="2026-03-20"))
        .then(warranty_marked("T-1", returned=[], cancelled=60, compensation=None))
        .then_balance(0, as_of="2026-03-10")
    )


def test_a_draw_goes_back_and_the_rest_is_cancelled():
    (
        given(SPRING, close("T-1", worked=1300))
        .when(reopen("T-1"))
        .then(task_reopened("T-1", returned=[("spring", 1200)], cancelled=100))
        .then_balance(1200)
    )


def test_a_settlement_is_undone_on_both_sides():
    (
        given(close("T-1", worked=60, on="2026-03-10"), buy("spring", "hours-20", on="2026-03-15"))
        .when(mark_warranty("T-1", on="2026-03-20"))
        .then(warranty_marked("T-1", returned=[settlement("spring", 60, 319_000)], cancelled=0, effective="2026-03-10"))
        .then_balance(0, as_of="2026-03-10")
        .then_balance(1200, as_of="2026-03-15")
        .then_lots(("spring", 1200), as_of="2026-03-15")
    )


def test_a_draw_and_a_settlement_of_one_closing_go_back_each_for_itself():
    (
        given(
            SPRING,
            close("T-1", worked=1300, on="2026-03-10"),
            buy("year", "hours-100", on="2026-03-15", carry_over=False),
        )
        .when(reopen("T-1", on="2026-03-20"))
        .then(task_reopened("T-1", returned=[("spring", 1200), settlement("year", 100)]))
        .then_lots(("spring", 1200), ("year", 6000))
    )


def test_hours_go_back_to_a_lot_that_has_moved_on():
    (
        given(SPRING, close("T-1", worked=60), HALF, time_passes("2026-06-10"))
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", returned=[("spring", 60)], compensation=None))
        .then_lots(("spring", 1200), ("half", 1800))
    )


def test_hours_go_back_to_the_lot_they_came_from_not_to_the_one_that_would_pay_today():
    (
        given(buy("year", "hours-100", on="2026-01-10"), close("T-1", worked=60, on="2026-03-10"), SPRING)
        .when(reopen("T-1"))
        .then(task_reopened("T-1", returned=[("year", 60)]))
    )


RELEASED = (SPRING, time_passes("2026-06-10"), close("T-1", worked=60, on="2026-05-20"))
"""T-1 drew on what spring had forfeited."""


def test_a_released_draw_is_forfeited_again():
    (
        given(*RELEASED)
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", returned=[forfeited_again("spring", 60, 319_000)], compensation=None))
        .then_balance(0)
        .then_balance(1200, as_of="2026-05-20")
    )


def test_what_is_forfeited_again_can_be_released_again():
    (given(*RELEASED, reopen("T-1")).when(close("T-2", worked=1200, on="2026-05-21")).then(task_closed("T-2", owed=0)))


def test_a_released_draw_on_a_lot_reclaimed_since_goes_back_to_the_living_lot():
    (
        given(*RELEASED, HALF)
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", returned=[("spring", 60)], compensation=None))
        .then_balance(3000)
    )


def test_a_draw_on_a_lot_forfeited_and_reclaimed_since_goes_back_to_the_living_lot():
    (
        given(SPRING, close("T-1", worked=60), time_passes("2026-06-10"), HALF)
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", returned=[("spring", 60)], compensation=None))
        .then_balance(3000)
    )


def test_a_released_draw_on_a_lot_reclaimed_and_expired_since_is_forfeited_again():
    (
        given(*RELEASED, HALF, time_passes("2026-11-10"))
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", returned=[forfeited_again("spring", 60)], compensation=None))
        .then_balance(0)
        .then_balance(3000, as_of="2026-11-01 23:59")
    )


def test_a_settlement_from_forfeited_hours_is_forfeited_again_and_undone_on_both_sides():
    (
        given(SPRING, time_passes("2026-06-10"), close("T-1", worked=60, on="2026-02-01"))
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", returned=[settlement(*forfeited_again("spring", 60))]))
        .then_balance(0, as_of="2026-02-01")
        .then_balance(1200, as_of="2026-03-01")
        .then_balance(0)
    )


def test_what_was_forfeited_again_is_reclaimed_by_a_purchase_in_time():
    (given(*RELEASED, mark_warranty("T-1")).when(HALF).then_balance(3000).then_balance(3000, as_of="2026-06-02"))


@pytest.mark.parametrize(
    ("debt_of", "settled_at"), [("2026-03-20", "2026-03-20"), ("2026-03-05", "2026-03-10")], ids=["later", "earlier"]
)
def test_hours_that_went_back_pay_debt_from_the_closing_they_came_from_on(debt_of: str, settled_at: str):
    (
        given(SPRING, close("T-1", worked=1200, on="2026-03-10"), close("T-2", worked=100, on=debt_of))
        .when(mark_warranty("T-1", on="2026-03-25"))
        .then(
            warranty_marked("T-1", returned=[("spring", 1200)]),
            debt_settled("T-2", "spring", 100, effective=settled_at),
        )
        .then_balance(1100)
    )


def test_a_released_draw_that_went_back_pays_debt_of_its_time():
    (
        given(
            SPRING,
            time_passes("2026-06-10"),
            close("T-1", worked=1200, on="2026-05-20"),
            close("T-2", worked=100, on="2026-05-25"),
        )
        .when(reopen("T-1"))
        .then(
            task_reopened("T-1", returned=[forfeited_again("spring", 1200)]),
            debt_settled("T-2", "spring", 100, effective="2026-05-25", released=True),
        )
        .then_balance(0)
    )


@pytest.mark.parametrize(
    ("step", "taken_back"), [(mark_warranty("T-1"), warranty_marked), (reopen("T-1"), task_reopened)]
)
def test_all_that_a_reversal_gives_back_is_booked_into_one_month(step: Step, taken_back):
    (
        given(
            close("T-1", worked=60, on="2026-03-10"),
            buy("spring", "hours-20", on="2026-04-15"),
            close_month("2026-03", on="2026-05-03"),
        )
        .when(step)
        .then(taken_back("T-1", returned=[settlement("spring", 60)], effective="2026-03-10", booked="2026-04"))
    )


def test_partly_paid_debt_of_another_task_is_left_alone():
    (
        given(close("T-1", worked=60), close("T-2", worked=60), pay(30))
        .when(reopen("T-2"))
        .then(task_reopened("T-2", cancelled=60, compensation=None))
        .then_balance(-30)
    )


def test_a_released_draw_comes_back_and_goes_on_to_a_successor_known_by_now():
    (
        given(SPRING, time_passes("2026-06-10"), close("T-1", worked=1200, on="2026-05-20"), HALF)
        .when(mark_warranty("T-1"))
        .then(
            warranty_marked("T-1", returned=[forfeited_again("spring", 1200)]),
            carried_over("spring", "half", carried=[("spring", 1200)], reclaimed=True),
        )
        .then_balance(3000)
    )


def test_what_goes_on_to_a_successor_that_has_ended_expires_once_more_before_it_settles():
    (
        given(
            SPRING,
            time_passes("2026-06-10"),
            close("T-1", worked=1200, on="2026-05-20"),
            HALF,
            close("T-2", worked=1800, on="2026-07-01"),
            time_passes("2027-01-01"),
            close("T-3", worked=60, on="2026-10-01", recorded="2027-01-01 12:00"),
        )
        .when(reopen("T-1"))
        .then(
            task_reopened("T-1", returned=[forfeited_again("spring", 1200)]),
            carried_over("spring", "half", carried=[("spring", 1200)], reclaimed=True),
            package_expired("half", forfeited=[("spring", 1200)]),
            debt_settled("T-3", "spring", 60, released=True),
        )
        .then_balance(0)
    )
