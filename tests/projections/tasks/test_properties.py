"""Whatever the history, an explanation adds up, and says of each task what the ledger's own account says."""

from hypothesis import given, settings

from contracts.tasks import TaskExplanation, TaskReversal
from services.ledger.domain.state import Account
from tests.ledger import vocabulary
from tests.ledger.domain.histories import Numbers, histories, next_step
from tests.projections.tasks.explained import all_explained


@settings(max_examples=100)
@given(histories())
def test_every_explanation_adds_up_to_what_the_account_says(history: list[Numbers]):
    story = vocabulary.given()
    for step in history:
        story.when(next_step(story, step))
    explained = all_explained(story)
    assert {task_id: stands(task) for task_id, task in explained.items()} == {
        task_id: stands_in(story.account, task_id) for task_id in {*story.account.tasks, *explained}
    }
    plans = {task_id: task.plan.planned_minutes for task_id, task in explained.items() if task.plan}
    assert plans == {task_id: planned.planned_minutes for task_id, planned in story.account.plans.items()}
    for task in (*explained.values(), *all_explained(story, "en").values()):
        assert "{" not in task.explanation
        for closing in task.closings:
            taken = sum(part.minutes for part in (*closing.taken_over, *closing.draws))
            assert taken + closing.owed_minutes == closing.charged_minutes
            others = [draw for draw in closing.draws if draw.compensates_task_id != task.task_id]
            order = [(draw.package_ends_at, draw.lot_starts_at, draw.lot_id) for draw in others]
            assert order == sorted(order)
            for settlement in closing.settlements:
                assert settlement.cause.effective_at <= settlement.effective_at
                assert closing.effective_at <= settlement.effective_at < settlement.package_ends_at
            if closing.reversals and closing.reversals[0].kind != "correction":
                assert given_back(closing.reversals[0]) == closing.charged_minutes


def given_back(reversal: TaskReversal) -> int:
    """Everything that a closing took goes somewhere (rule 8.1)."""
    made_up = reversal.compensation.minutes if reversal.compensation else 0
    return sum(back.minutes for back in reversal.returned) + reversal.cancelled_owed_minutes + made_up


def stands(task: TaskExplanation) -> tuple[bool, bool, int, int, int]:
    """Closed, marked; charged and owed minutes and money as they stand now."""
    sums = (task.charged_minutes_now, task.owed_minutes_now, task.amount_kopecks_now)
    return (task.closed, task.warranty_mark is not None, *sums)


def stands_in(account: Account, task_id: str) -> tuple[bool, bool, int, int, int]:
    task = account.task(task_id)
    owed = sum(debt.minutes for debt in account.debts if debt.task_id == task_id)
    parts = task.closing.parts if task.closing else ()
    minutes, money = sum(part.minutes for part in parts), sum(part.amount_kopecks for part in parts)
    return (task.closing is not None, task.warranty, minutes + owed, owed, money)
