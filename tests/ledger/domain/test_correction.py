"""Rule 8.6: a closing corrected, so that only the difference moves where both take effect at the same instant."""

import pytest

from services.ledger.domain.refusals import TaskNotClosed, TaskNotConfirmed
from tests.ledger.domain.expected_events import (
    carried_over,
    compensation,
    debt_settled,
    forfeited_again,
    package_expired,
    settlement,
    task_closed,
    task_corrected,
    task_reopened,
)
from tests.ledger.vocabulary import (
    Step,
    buy,
    close,
    close_month,
    correct,
    given,
    mark_warranty,
    pay,
    refund,
    reopen,
    time_passes,
)

ON = "2026-03-05 12:00"
SPRING = buy("spring", "hours-20", on="2026-03-01")
CLOSED = close("T-1", worked=600, on=ON)
NOTHING_BACK = {"returned": [], "cancelled": 0, "compensation": None}


def test_too_little_is_drawn():
    (
        given(SPRING, CLOSED)
        .when(correct("T-1", worked=660, on=ON, recorded="2026-03-06"))
        .then(
            task_corrected(
                "T-1", closure=2, charged=660, draws=[("spring", 60)], owed=0, only_difference=True,
                taken_over=[("spring", 600, 3_190_000)], taken_over_owed_minutes=0, money=3_509_000, **NOTHING_BACK,
                corrected_closure=1, corrected_worked_minutes=600, corrected_amount_kopecks=3_190_000, effective=ON,
            )
        )
        .then_balance(540)
    )  # fmt: skip


def test_too_much_goes_back_the_last_recorded_first_with_money_in_proportion():
    (
        given(buy("odd", "hours-20", on="2026-03-01"), close("T-1", worked=1210, on=ON), buy("more", on="2026-03-06"))
        .when(correct("T-1", worked=1000, on=ON, recorded="2026-03-07"))
        .then(
            task_corrected(
                "T-1", draws=[], owed=0, returned=[settlement("more", 10, 53_167), ("odd", 200, 1_063_333)],
                taken_over=[("odd", 1000, 5_316_667)], money=5_316_667, corrected_amount_kopecks=6_433_167,
            )
        )
        .then_balance(1400)
    )  # fmt: skip


def test_too_much_is_first_cancelled_from_what_is_owed():
    (
        given(SPRING, close("T-1", worked=1300, on=ON))
        .when(correct("T-1", worked=1190, on=ON, recorded="2026-03-07"))
        .then(task_corrected("T-1", cancelled=100, returned=[("spring", 10)], taken_over_owed_minutes=0, owed=0))
        .then_balance(10)
    )


def test_what_it_owes_stays_in_its_place_among_debts():
    story = given(close("T-1", worked=60, on=ON), close("T-2", worked=60, on=ON))
    story.when(correct("T-1", worked=120, on=ON, recorded="2026-03-07"))
    story.then(task_corrected("T-1", closure=2, taken_over_owed_minutes=60, owed=60))
    (paid,) = story.when(pay(130, on="2026-03-08")).latest
    assert [(part.task_id, part.closure, part.minutes) for part in paid.payments] == [("T-1", 2, 120), ("T-2", 1, 10)]


def test_what_cannot_go_back_is_compensated_by_the_old_closings_number():
    (
        given(SPRING, CLOSED, time_passes("2026-06-10"))
        .when(correct("T-1", worked=400, on=ON, recorded="2026-06-10 12:00"))
        .then(
            task_corrected(
                "T-1", returned=[], compensation=compensation("compensation-T-1-1", 200, money=1_063_333),
                taken_over=[("spring", 400, 2_126_667)],
            )
        )
        .then_lots(("compensation-T-1-1", 200))
    )  # fmt: skip


def test_money_for_what_was_too_much_becomes_hours():
    (
        given(close("T-1", worked=60, on=ON), pay(60, on="2026-03-06"))
        .when(correct("T-1", worked=20, on=ON, recorded="2026-03-07"))
        .then(task_corrected("T-1", compensation=compensation("compensation-T-1-1", 40, money=212_667), money=106_333))
    )


def test_payments_taken_over_count_as_its_own():
    story = given(close("T-1", worked=60, on=ON), pay(20, on="2026-03-06"))
    story.when(correct("T-1", worked=120, on=ON, recorded="2026-03-07"))
    story.when(pay(100, on="2026-03-08")).then_balance(0)
    assert story.latest[0].amount_kopecks == 2 * 319_000 - 106_333, "120 minutes cost what one payment of them costs"


def test_at_another_instant_the_old_one_is_taken_back_whole_and_the_new_one_closes_by_its_own_facts():
    (
        given(SPRING, CLOSED)
        .when(correct("T-1", worked=660, on="2026-03-06", recorded="2026-03-07"))
        .then(
            task_corrected(
                "T-1", only_difference=False, returned=[("spring", 600)], draws=[("spring", 660)], taken_over=[],
                effective="2026-03-06", corrected_closure=1, corrected_charged_minutes=600,
            )
        )
        .then_balance(1200, as_of=ON)
        .then_balance(540)
    )  # fmt: skip


def test_what_makes_up_for_the_old_one_pays_for_the_new_one_first_from_then_on():
    (
        given(SPRING, CLOSED, time_passes("2026-06-10"), buy("year", "hours-100", on="2026-06-11"))
        .when(correct("T-1", worked=660, on="2026-06-12", recorded="2026-06-13 12:00"))
        .then(
            task_corrected(
                "T-1", compensation=compensation("compensation-T-1-1", 600),
                draws=[("compensation-T-1-1", 600, 3_190_000), ("year", 60)], only_difference=False,
            )
        )
        .then_balance(5940, as_of="2026-06-13")
    )  # fmt: skip
    story = given(SPRING, CLOSED, time_passes("2026-06-10"))
    story.when(correct("T-1", worked=60, on="2026-06-12", recorded="2026-06-13 12:00"))
    (draw,) = story.latest[0].draws
    assert draw.effective_at == story.now


def test_a_closing_that_a_mark_has_reversed_is_taken_back_whole_with_its_worked_time():
    (
        given(SPRING, CLOSED, mark_warranty("T-1", on="2026-03-06"))
        .when(correct("T-1", worked=300, on=ON, recorded="2026-03-07"))
        .then(
            task_corrected(
                "T-1", only_difference=False, charged=0, worked=300, warranty=True, **NOTHING_BACK,
                corrected_worked_minutes=600, corrected_charged_minutes=0, corrected_amount_kopecks=0,
            )
        )
        .then_balance(1200)
    )  # fmt: skip


def test_a_closing_that_costs_nothing_by_an_earlier_mark_is_corrected_by_its_difference():
    (
        given(SPRING, mark_warranty("T-1", on="2026-03-02"), CLOSED)
        .when(correct("T-1", worked=300, on=ON, recorded="2026-03-07"))
        .then(task_corrected("T-1", only_difference=True, charged=0, **NOTHING_BACK))
    )


@pytest.mark.parametrize("given_again", ["2026-03-05 12:04", "2026-03-05 12:00"])
def test_an_instant_that_was_made_now_stays_where_it_is_given_again(given_again: str):
    (
        given(SPRING, close("T-1", worked=600, on="2026-03-05 12:04", recorded="2026-03-05 12:00"))
        .when(correct("T-1", worked=610, on=given_again, recorded="2026-03-07"))
        .then(task_corrected("T-1", only_difference=True, draws=[("spring", 10)], effective="2026-03-05 12:00"))
    )


def test_both_lines_are_booked_into_the_first_open_month():
    (
        given(SPRING, CLOSED, close_month("2026-03", on="2026-04-02"))
        .when(correct("T-1", worked=610, on=ON, recorded="2026-04-03"))
        .then(task_corrected("T-1", booked="2026-04", corrected_booking_month="2026-04", effective=ON))
    )


def test_each_line_is_booked_from_its_own_instant():
    (
        given(SPRING, close("T-1", worked=600, on="2026-04-05"), close_month("2026-02", on="2026-04-06"))
        .when(correct("T-1", worked=600, on=ON, recorded="2026-04-07"))
        .then(task_corrected("T-1", booked="2026-03", corrected_booking_month="2026-04"))
    )


def test_debt_is_settled_from_the_earlier_of_both_instants_on():
    (
        given(
            SPRING,
            close("T-1", worked=1200, on="2026-03-05"),
            close("T-2", worked=60, on="2026-03-06"),
            time_passes("2026-03-20"),
        )
        .when(correct("T-1", worked=600, on="2026-03-10", recorded="2026-03-21"))
        .then(
            task_corrected("T-1", returned=[("spring", 1200)], draws=[("spring", 600)]),
            debt_settled("T-2", "spring", 60, effective="2026-03-06"),
        )
    )


def test_what_returns_to_a_forfeiture_goes_on_before_anything_is_drawn():
    (
        given(
            SPRING,
            time_passes("2026-06-10"),
            close("T-1", worked=1200, on="2026-05-20"),
            buy("half", "hours-30", on="2026-05-25", recorded="2026-06-11"),
        )
        .when(correct("T-1", worked=600, on="2026-06-05", recorded="2026-06-12"))
        .then(
            task_reopened("T-1", returned=[forfeited_again("spring", 1200)], worked=1200),
            carried_over("spring", "half", carried=[("spring", 1200)], reclaimed=True),
            task_corrected(
                "T-1", closure=2, returned=[], cancelled=0, draws=[("spring", 600)], only_difference=False,
                corrected_closure=1, corrected_worked_minutes=0, corrected_charged_minutes=0,
                corrected_effective_at="2026-05-20",
            ),
        )
    )  # fmt: skip


def test_a_part_that_returns_to_a_forfeiture_goes_on_after_the_correction():
    (
        given(
            SPRING,
            time_passes("2026-06-10"),
            close("T-1", worked=1200, on="2026-05-20"),
            buy("half", "hours-30", on="2026-05-25", recorded="2026-06-11"),
        )
        .when(correct("T-1", worked=900, on="2026-05-20", recorded="2026-06-12"))
        .then(
            task_corrected("T-1", returned=[forfeited_again("spring", 300)], only_difference=True),
            carried_over("spring", "half", carried=[("spring", 300)], reclaimed=True),
        )
    )


def test_nothing_goes_back_to_a_lot_that_was_refunded():
    (
        given(SPRING, CLOSED, refund("spring", on="2026-03-06"))
        .when(correct("T-1", worked=500, on=ON, recorded="2026-03-07"))
        .then(task_corrected("T-1", returned=[], compensation=compensation("compensation-T-1-1", 100, money=531_667)))
    )


def test_a_task_corrected_can_be_reopened_and_closed_anew():
    (
        given(SPRING, CLOSED, correct("T-1", worked=660, on=ON, recorded="2026-03-06"))
        .when(reopen("T-1"))
        .then(task_reopened("T-1", closure=2, worked=660, returned=[("spring", 600), ("spring", 60)]))
        .when(close("T-1", worked=10))
        .then(task_closed("T-1", closure=3, draws=[("spring", 10)]))
    )


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (correct("T-2", on=ON, recorded="2026-03-06"), TaskNotClosed),
        (correct("T-2", confirmed=None, on=ON, recorded="2026-03-06"), TaskNotConfirmed),
    ],
)
def test_a_closings_own_checks_come_before_that_of_the_account(step: Step, why: type):
    given(SPRING, CLOSED).when(step).then_refused(why)


def test_a_package_that_ended_meanwhile_expires_before_the_correction():
    (
        given(SPRING, CLOSED)
        .when(correct("T-1", worked=660, on=ON, recorded="2026-06-10"))
        .then(
            package_expired("spring", forfeited=[("spring", 600)]),
            task_corrected("T-1", draws=[("released", "spring", 60)]),
        )
        .then_balance(0)
    )
