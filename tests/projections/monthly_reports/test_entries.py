"""What months book adds up: to the balance, to each closing's charge, to its money, whatever the history."""

from collections import Counter

from hypothesis import given

from services.ledger.domain.state import Account
from services.projections.monthly_reports.entries import Entry, entries
from tests.ledger import vocabulary
from tests.ledger.domain.histories import Numbers, histories, next_step
from tests.ledger.vocabulary import Story


def booked(story: Story) -> list[Entry]:
    return [entry for line in story.recorded for entry in entries(line.event())]


def played(history: list[Numbers]) -> Story:
    story = vocabulary.given()
    for step in history:
        story.when(next_step(story, step))
    return story


@given(histories())
def test_opening_and_movements_are_closing_balance(history: list[Numbers]):
    story = played(history)
    moved = Counter[str]()
    for entry in booked(story):
        moved[entry.kind] += entry.minutes
        moved["charged"] += entry.charged_minutes
        moved["balance"] += entry.balance_minutes
    assert moved["balance"] == story.account.balance_minutes
    named = moved["purchased"] + moved["paid"] - moved["charged"] - moved["forfeited"] - moved["refunded"]
    assert named == story.account.balance_minutes


@given(histories())
def test_a_closings_charge_and_money_are_what_stands_of_it(history: list[Numbers]):
    story = played(history)
    charged, money = Counter[str](), Counter[str]()
    for entry in booked(story):
        if entry.task_id:
            charged[entry.task_id] += entry.charged_minutes
            money[entry.task_id] += entry.amount_kopecks
    assert {task: minutes for task, minutes in charged.items() if minutes} == stands(story.account, "minutes")
    assert {task: amount for task, amount in money.items() if amount} == stands(story.account, "amount_kopecks")


def stands(account: Account, what: str) -> dict[str, int]:
    """What each task's closing has taken, paid and owes now."""
    standing: Counter[str] = Counter()
    for task_id, task in account.tasks.items():
        if task.closing:
            parts = task.closing.parts
            standing[task_id] += sum(getattr(part, what) for part in parts)
    if what == "minutes":
        for debt in account.debts:
            standing[debt.task_id] += debt.minutes
    return +standing
