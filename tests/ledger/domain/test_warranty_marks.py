"""Rule 8.5: marks and reopenings, before a closing, after it, and one after another."""

import pytest

from services.ledger.domain.refusals import TaskAlreadyWarranty, TaskNotClosed
from tests.ledger.domain.expected_events import task_closed, task_reopened, warranty_marked
from tests.ledger.vocabulary import Step, buy, close, given, mark_warranty, pay, reopen

SPRING = buy("spring", "hours-20", on="2026-03-01")


def test_a_mark_with_nothing_to_reverse_counts_from_now():
    (
        given()
        .when(mark_warranty("T-1", on="2026-03-20"))
        .then(warranty_marked("T-1", closure=None, returned=[], cancelled=0, compensation=None, effective="2026-03-20"))
    )


@pytest.mark.parametrize("steps", [(), (close("T-1"),), (close("T-1"), reopen("T-1"))])
def test_a_task_is_marked_once(steps: tuple[Step, ...]):
    given(*steps, mark_warranty("T-1")).when(mark_warranty("T-1")).then_refused(TaskAlreadyWarranty)


def test_a_closing_in_the_category_warranty_can_be_marked():
    (
        given(close("T-1", category="warranty"))
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", closure=1, returned=[]))
    )


URGENT = close("T-1", worked=60, category="urgent", agreed=True, on="2026-03-10")


def test_a_mark_takes_out_what_was_charged_and_leaves_what_was_worked():
    given(SPRING, URGENT).when(mark_warranty("T-1")).then(warranty_marked("T-1", worked=0, charged=90))


def test_a_reopening_takes_out_what_was_worked_as_well():
    given(SPRING, URGENT).when(reopen("T-1")).then(task_reopened("T-1", worked=60, charged=90))


def test_after_a_mark_the_task_stays_closed_and_a_reopening_takes_out_what_was_left():
    (
        given(SPRING, URGENT, mark_warranty("T-1"))
        .when(reopen("T-1"))
        .then(
            task_reopened(
                "T-1",
                closure=1,
                worked=60,
                charged=0,
                returned=[],
                cancelled=0,
                compensation=None,
                effective="2026-03-10",
            )
        )
        .then_balance(1200)
    )


def test_what_was_made_up_for_once_is_not_made_up_for_again():
    (
        given(close("T-1", worked=60), pay(60), mark_warranty("T-1"))
        .when(reopen("T-1"))
        .then(task_reopened("T-1", compensation=None))
        .then_balance(60)
    )


def test_after_a_reopening_the_task_is_closed_anew_by_its_new_times():
    (
        given(SPRING, close("T-1", worked=60, on="2026-03-10"), reopen("T-1", on="2026-03-20"))
        .when(close("T-1", worked=90, on="2026-03-15"))
        .then(task_closed("T-1", closure=2, draws=[("spring", 90)], effective="2026-03-15"))
        .then_balance(1200, as_of="2026-03-14")
    )


def test_the_mark_stays_through_reopenings():
    (
        given(close("T-1"), mark_warranty("T-1"), reopen("T-1"))
        .when(close("T-1", worked=60))
        .then(task_closed("T-1", closure=2, warranty=True, charged=0, owed=0))
    )


@pytest.mark.parametrize(
    "steps", [(), (mark_warranty("T-1"),), (close("T-1"), reopen("T-1")), (close("T-2"),)], ids=len
)
def test_what_is_not_closed_is_not_reopened(steps: tuple[Step, ...]):
    given(*steps).when(reopen("T-1")).then_refused(TaskNotClosed)


def test_a_reversal_takes_back_only_the_closing_that_stands():
    (
        given(SPRING, close("T-1", worked=60), reopen("T-1"), close("T-1", worked=30))
        .when(mark_warranty("T-1"))
        .then(warranty_marked("T-1", closure=2, returned=[("spring", 30)]))
    )
