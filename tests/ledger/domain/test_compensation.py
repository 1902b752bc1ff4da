"""Rule 8.2: what cannot go back is made up for from now on."""

import pytest

from tests.ledger.domain.expected_events import (
    carried_over,
    compensation,
    debt_settled,
    package_expired,
    package_purchased,
    settlement,
    task_closed,
    task_reopened,
    warranty_marked,
)
from tests.ledger.vocabulary import buy, close, given, mark_warranty, pay, reopen, time_passes

SPRING = buy("spring", "hours-20", on="2026-03-01")
"""Ends on 2 June."""
LOST = (SPRING, close("T-1", worked=60, on="2026-03-10"), time_passes("2026-06-02"))
"""What T-1 took cannot go back: its lot has expired since."""
MADE_UP = "compensation-T-1-1"


def test_hours_of_a_lot_expired_since_become_a_lot_of_their_own_with_their_money():
    (
        given(*LOST)
        .when(mark_warranty("T-1", on="2026-06-10 15:00"))
        .then(
            warranty_marked(
                "T-1",
                returned=[],
                cancelled=0,
                compensation=compensation(
                    MADE_UP, 60, money=319_000, starts="2026-06-10 15:00", ends="2026-07-11 00:00"
                ),
                effective="2026-03-10",
            )
        )
        .then_balance(60)
        .then_balance(0, as_of="2026-06-10 14:59")
        .then_balance(1140, as_of="2026-03-10")
        .then_balance(0, as_of="2026-07-11")
    )


@pytest.mark.parametrize(
    ("marked", "ends"),
    [
        ("2026-06-10 23:59:59", "2026-07-11"),
        ("2026-06-10T21:00Z", "2026-07-12"),
        ("2027-01-31", "2027-03-03"),
    ],
)
def test_compensation_is_valid_for_thirty_days_after_today(marked: str, ends: str):
    (
        given(*LOST)
        .when(mark_warranty("T-1", on=marked))
        .then(warranty_marked("T-1", compensation=compensation(MADE_UP, 60, starts=marked, ends=ends)))
    )


@pytest.mark.parametrize(
    ("plan", "bought", "ends"),
    [
        ("hours-30", "2026-03-05", "2026-09-06"),
        ("hours-20", "2026-04-10", "2026-07-11"),
        ("hours-20", "2026-04-09", "2026-07-11"),
    ],
    ids=["longer", "as long", "shorter"],
)
def test_compensation_is_valid_as_long_as_any_package(plan: str, bought: str, ends: str):
    (
        given(
            SPRING, close("T-1", worked=60), buy("other", plan, on=bought, carry_over=False), time_passes("2026-06-02")
        )
        .when(mark_warranty("T-1", on="2026-06-10"))
        .then(warranty_marked("T-1", compensation=compensation(MADE_UP, 60, ends=ends)))
    )


def test_compensation_is_valid_as_long_as_a_package_with_nothing_left():
    (
        given(SPRING, buy("half", "hours-30", on="2026-04-01", carry_over=False), close("T-1", worked=3000))
        .when(mark_warranty("T-1", on="2026-06-10"))
        .then(
            package_expired("spring"),
            warranty_marked(
                "T-1", returned=[("half", 1800)], compensation=compensation(MADE_UP, 1200, ends="2026-10-02")
            ),
        )
    )


def test_what_is_due_by_now_is_lost_by_now():
    (
        given(SPRING, close("T-1", worked=60))
        .when(mark_warranty("T-1", on="2026-06-02"))
        .then(package_expired("spring"), warranty_marked("T-1", returned=[], compensation=compensation(MADE_UP, 60)))
    )


def test_a_lot_with_nothing_left_ended_with_its_package_though_there_was_a_successor():
    (
        given(SPRING, close("T-1", worked=1200), buy("half", "hours-30", on="2026-05-01"), time_passes("2026-06-02"))
        .when(mark_warranty("T-1", on="2026-06-10"))
        .then(warranty_marked("T-1", returned=[], compensation=compensation(MADE_UP, 1200, money=6_380_000)))
    )


def test_what_can_go_back_does_and_only_the_rest_is_made_up_for():
    (
        given(
            buy("year", "hours-100", on="2026-01-10"),
            SPRING,
            close("T-1", worked=1210, on="2026-03-10"),
            time_passes("2026-06-02"),
        )
        .when(reopen("T-1"))
        .then(
            task_reopened(
                "T-1", returned=[("year", 10, 43_167)], compensation=compensation(MADE_UP, 1200, money=6_380_000)
            )
        )
    )


def test_what_was_paid_in_money_comes_back_as_hours_with_that_money():
    (
        given(close("T-1", worked=100, on="2026-03-10"), pay(40), pay(20))
        .when(mark_warranty("T-1", on="2026-03-20"))
        .then(
            warranty_marked(
                "T-1",
                returned=[],
                cancelled=40,
                compensation=compensation(MADE_UP, 60, money=319_000, ends="2026-04-20"),
            )
        )
        .then_balance(60)
        .then_balance(-60, as_of="2026-03-10")
    )


def test_hours_and_money_that_cannot_go_back_become_one_lot():
    (
        given(SPRING, close("T-1", worked=1260, on="2026-03-10"), pay(60), time_passes("2026-06-02"))
        .when(reopen("T-1"))
        .then(task_reopened("T-1", compensation=compensation(MADE_UP, 1260, money=6_380_000 + 319_000)))
    )


def test_a_settlement_from_a_lot_expired_since_stays_in_history():
    (
        given(close("T-1", worked=60, on="2026-02-01"), SPRING, time_passes("2026-06-02"))
        .when(mark_warranty("T-1", on="2026-06-10"))
        .then(warranty_marked("T-1", returned=[], compensation=compensation(MADE_UP, 60, money=319_000)))
        .then_balance(-60, as_of="2026-02-01")
        .then_balance(1140, as_of="2026-03-01")
        .then_balance(60)
    )


def test_a_settlement_goes_back_while_a_draw_beside_it_cannot():
    (
        given(
            SPRING,
            close("T-1", worked=1260, on="2026-03-10"),
            buy("half", "hours-30", on="2026-03-15", carry_over=False),
            time_passes("2026-06-02"),
        )
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", returned=[settlement("half", 60)], compensation=compensation(MADE_UP, 1200)))
        .then_balance(0, as_of="2026-03-10")
        .then_balance(1800, as_of="2026-03-15")
    )


def test_compensation_pays_debt_from_now_on():
    (
        given(*LOST, close("T-2", worked=20, on="2026-06-05"))
        .when(mark_warranty("T-1", on="2026-06-10"))
        .then(
            warranty_marked("T-1", compensation=compensation(MADE_UP, 60)),
            debt_settled("T-2", MADE_UP, 20, money=106_333, effective="2026-06-10"),
        )
        .then_balance(40)
    )


def test_compensation_is_drawn_at_the_price_it_cost():
    (
        given(*LOST, mark_warranty("T-1"))
        .when(close("T-2", worked=30))
        .then(task_closed("T-2", draws=[(MADE_UP, 30, 159_500)]))
    )


def test_each_closing_has_a_compensation_of_its_own():
    (
        given(*LOST, reopen("T-1"), close("T-1", worked=60, on="2026-06-10"), time_passes("2026-08-01"))
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", closure=2, compensation=compensation("compensation-T-1-2", 60, money=319_000)))
    )


def test_compensation_expires_as_any_package_does():
    (
        given(*LOST, mark_warranty("T-1", on="2026-06-10"))
        .when(time_passes("2026-07-11"))
        .then(package_expired(MADE_UP, forfeited=[(MADE_UP, 60, 319_000)], effective="2026-07-11"))
        .then_balance(0)
    )


def test_compensation_is_carried_over_as_any_package_is():
    (
        given(*LOST, mark_warranty("T-1", on="2026-06-10"), buy("half", "hours-30", on="2026-06-10"))
        .when(time_passes("2026-07-11"))
        .then(carried_over(MADE_UP, "half", carried=[(MADE_UP, 60)], ends="2026-12-11"), package_expired(MADE_UP))
    )


def test_compensation_is_reclaimed_as_any_package_is():
    (
        given(*LOST, mark_warranty("T-1", on="2026-06-10"), time_passes("2026-07-20"))
        .when(buy("half", "hours-30", on="2026-07-01"))
        .then(
            package_purchased("half"),
            carried_over(MADE_UP, "half", effective="2026-07-11", ends="2027-01-02", reclaimed=True),
        )
        .then_balance(1860)
    )


@pytest.mark.parametrize("recorded", ["2026-03-15", "2026-06-11"])
def test_compensation_never_receives_hours(recorded: str):
    summer = buy("summer", "hours-20", on="2026-03-15", recorded=recorded)
    mark = mark_warranty("T-1", on="2026-06-10")
    rest = (summer, mark) if recorded < "2026-06-10" else (mark, summer)
    (
        given(SPRING, close("T-1", worked=1200, on="2026-03-01"), *rest)
        .when(time_passes("2026-06-16"))
        .then(package_expired("summer", carried_to=None, forfeited=[("summer", 1200)]))
    )
