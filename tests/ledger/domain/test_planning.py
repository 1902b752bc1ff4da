"""Rule 15: work that is planned, beside the balance."""

from decimal import Decimal

import pytest

from services.ledger.domain.refusals import TaskAlreadyClosed, TaskNotPlanned, WorkedTimeNotInQuantum
from tests.ledger.domain.expected_events import debt_settled, package_purchased, plan_dropped, task_closed, task_planned
from tests.ledger.domain.test_plans import DATED
from tests.ledger.vocabulary import buy, close, drop_plan, given, mark_warranty, plan, reopen


@pytest.mark.parametrize(
    ("category", "k", "planned"),
    [("regular", "1", 60), ("urgent", "1.5", 90), ("off_hours", "2", 120), ("urgent_off_hours", "3", 180),
     ("warranty", "0", 0)],
)  # fmt: skip
def test_planned_time_is_the_estimate_times_k(category: str, k: str, planned: int):
    (
        given(buy("p"))
        .when(plan("T-1", 60, category=category))
        .then(task_planned("T-1", estimated=60, coefficient=k, planned=planned, warranty=False))
        .then_balance(1200)
        .then_planned(planned)
    )


def test_k_is_that_of_the_terms_when_it_was_planned():
    story = given(plan("T-1", 60, category="urgent", on="2026-06-30"), terms=DATED).then_planned(90)
    story.when(plan("T-2", 60, category="urgent", on="2026-07-01")).then(
        task_planned("T-2", coefficient=str(Decimal(2)), terms_version="2026-07", planned=120)
    )
    story.then_planned(210)


@pytest.mark.parametrize("estimated", [0, -10, 5, 61])
def test_an_estimate_is_a_positive_multiple_of_the_quantum(estimated: int):
    given().when(plan(estimated=estimated)).then_refused(WorkedTimeNotInQuantum)
    assert given().when(plan(estimated=estimated)).refusal.field == "estimated_minutes"


def test_the_estimate_is_judged_before_the_task():
    given(close("T-1")).when(plan("T-1", 5)).then_refused(WorkedTimeNotInQuantum)


def test_what_is_closed_cannot_be_planned():
    given(close("T-1")).when(plan("T-1")).then_refused(TaskAlreadyClosed)
    given(close("T-1"), mark_warranty("T-1")).when(plan("T-1")).then_refused(TaskAlreadyClosed)
    given(close("T-1"), reopen("T-1")).when(plan("T-1", 30)).then(task_planned("T-1")).then_planned(30)


def test_planned_again_the_new_plan_stands():
    given(plan("T-1", 60)).when(plan("T-1", 30, category="urgent")).then(task_planned("T-1")).then_planned(45)


def test_a_plan_is_dropped_once():
    story = given(plan("T-1", 60)).when(drop_plan("T-1")).then(plan_dropped("T-1", reason="отложено")).then_planned(0)
    story.when(drop_plan("T-1")).then_refused(TaskNotPlanned)


def test_a_closing_ends_the_plan_for_good():
    story = given(buy("p"), plan("T-1", 60)).when(close("T-1", worked=50)).then(task_closed("T-1")).then_planned(0)
    story.when(drop_plan("T-1")).then_refused(TaskNotPlanned)
    story.when(reopen("T-1")).then_planned(0)
    story.when(drop_plan("T-1")).then_refused(TaskNotPlanned)


def test_warranty_plans_nothing_whether_marked_before_or_later():
    given(mark_warranty("T-1")).when(plan("T-1", 60)).then(
        task_planned("T-1", warranty=True, coefficient="0", planned=0, estimated=60)
    )
    story = given(plan("T-1", 60), plan("T-2", 30)).when(mark_warranty("T-1")).then_planned(30)
    story.when(drop_plan("T-1")).then(plan_dropped("T-1"))


def test_plans_stand_by_the_instant_of_recording_alone():
    story = given(
        buy("p", on="2026-03-01"),
        plan("T-1", 60, on="2026-03-02"),
        close("T-1", worked=50, on="2026-03-03", recorded="2026-03-10"),
    )
    story.then_planned(0, as_of="2026-03-01 23:59").then_planned(60, as_of="2026-03-02")
    story.then_planned(60, as_of="2026-03-09 23:59").then_balance(1150, as_of="2026-03-09 23:59")
    story.then_planned(0, as_of="2026-03-10").then_planned(60, known_at=3).then_planned(0, known_at=2)


def test_what_is_available_may_be_below_nothing_while_the_balance_is_not():
    story = given(buy("p"), plan("T-1", 1800)).then_planned(1800).then_balance(1200)
    assert story.account.available_minutes == -600


def test_a_plan_is_a_command_like_others_and_lets_what_is_due_happen_first():
    story = given(buy("p", on="2026-03-01"), plan("T-1", on="2026-06-02"))
    assert [type(event).__name__ for event in story.latest] == ["PackageExpired", "TaskPlanned"]
    story.when(buy("q", on="2026-06-03")).then(package_purchased("q"))
    story.when(close("T-2", worked=1210)).then(task_closed("T-2", owed=10))
    story.when(buy("r")).then(package_purchased("r"), debt_settled("T-2", "r", 10))
