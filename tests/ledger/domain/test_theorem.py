"""The theorem of rule 7: what is recorded late comes to the same as what was recorded live."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given

from services.ledger.domain.account import Account
from tests.ledger import vocabulary
from tests.ledger.domain.histories import (
    CATEGORIES,
    DAY,
    HOUR,
    INSTANT,
    PLANS,
    WORKED,
    Numbers,
    agreed,
    histories,
    pick,
)
from tests.ledger.domain.naive_ledger import NaiveLedger
from tests.ledger.vocabulary import Step, Story, buy, close, correct, time_passes

WAITS = (0 * DAY, HOUR, DAY, 5 * DAY, 20 * DAY, 45 * DAY, 100 * DAY)
DELAYS = (0 * DAY, 0 * DAY, HOUR, 5 * DAY, 40 * DAY, 200 * DAY, 900 * DAY)
YEARS_LATER = 3 * 365 * DAY

Fact = Callable[[datetime], list[Step]]
"""A purchase or a closing, corrected at once or not, to be recorded at an instant."""


def live(history: list[Numbers]) -> tuple[Story, list[tuple[datetime, Fact]]]:
    """The facts in the order of their effect, each recorded the moment it took effect."""
    story = vocabulary.given()
    facts: list[tuple[datetime, Fact]] = []
    for number, (kind, wait, one, other, _) in enumerate(history):
        at = story.now + pick(WAITS, wait)
        if wait % 5 == 1 and story.account.next_due_at:
            at = max(story.now, story.account.next_due_at - other % 2 * INSTANT)
        worked = pick(WORKED, kind // 3) if kind % 3 == 1 else None
        fact = purchase(number, at, one, other) if kind % 5 < 2 else closing(number, at, one, other, worked)
        facts.append((at, fact))
        for step in fact(at):
            story.when(step)
    return story, facts


def purchase(number: int, at: datetime, one: int, other: int) -> Fact:
    """A package is bought, one in three as agreed; one in four does not take over."""
    terms = agreed(one + other, at)
    return lambda recorded: [
        buy(f"p{number:02}", pick(PLANS, one), on=str(at), recorded=str(recorded), carry_over=other % 4 != 3, **terms)
    ]


def closing(number: int, at: datetime, one: int, other: int, corrected_to: int | None) -> Fact:
    """A task is closed; it may have taken another time."""

    def fact(recorded: datetime) -> list[Step]:
        said: dict[str, Any] = {"agreed": True, "requested": True, "on": str(at), "recorded": str(recorded)}
        said["category"] = pick(CATEGORIES, other // 20)
        told = [close(f"T-{number}", worked=pick(WORKED, one), **said)]
        return told if corrected_to is None else [*told, correct(f"T-{number}", worked=corrected_to, **said)]

    return fact


def late(facts: list[tuple[datetime, Fact]], delays: list[timedelta]) -> Story:
    """The same facts in the same order, each recorded so much later, or when the story has got there."""
    story = vocabulary.given()
    for (at, fact), delay in zip(facts, delays, strict=True):
        for step in fact(max(story.now, at + delay)):
            story.when(step)
    return story


def assert_same(one: Story, other: Story) -> None:
    """The same balance at every instant, the same lots, the same money, once all is due."""
    end = max(one.now, other.now) + YEARS_LATER
    readings = [
        NaiveLedger(line.event() for line in story.when(time_passes(str(end))).recorded) for story in (one, other)
    ]
    for instant in sorted(set().union(*(reading.instants() for reading in readings))):
        for at in (instant - INSTANT, instant):
            balances = [reading.balance_at(at) for reading in readings]
            assert balances[0] == balances[1], f"at {at}"
    assert lots(one.account) == lots(other.account)
    assert charges(one.account) == charges(other.account)


def lots(account: Account) -> dict[str, tuple]:
    """What was booked on each lot; of those with something left: how much, forfeited or not, and in whose hands."""
    return {
        lot_id: (lot.booked_kopecks, lot.left_minutes, lot.left_minutes and (lot.expired, lot.holders))
        for lot_id, lot in account.lots.items()
    }


def charges(account: Account) -> dict[str, tuple]:
    """When each closing took how much from which lot, for what money, and what of it is still owed."""
    owed = {debt.task_id: debt.minutes for debt in account.debts}
    return {
        task_id: (
            owed.get(task_id, 0),
            sorted(
                (getattr(part, "lot_id", ""), part.effective_at, part.minutes, part.amount_kopecks)
                for part in task.closing.parts
            ),
        )
        for task_id, task in account.tasks.items()
        if task.closing
    }


@given(histories(5))
def test_recorded_live_or_all_of_it_years_later(history: list[Numbers]):
    told_live, facts = live(history)
    assert_same(told_live, late(facts, [20 * YEARS_LATER] * len(facts)))


@given(histories(5))
def test_recorded_live_or_each_with_a_delay_of_its_own(history: list[Numbers]):
    told_live, facts = live(history)
    assert_same(told_live, late(facts, [pick(DELAYS, delay) for *_, delay in history]))


@given(histories(5))
def test_recorded_live_or_late_from_some_day_on(history: list[Numbers]):
    told_live, facts = live(history)
    *_, since = history[0]
    delays = [20 * YEARS_LATER if number >= len(facts) * since // 255 else 0 * DAY for number in range(len(facts))]
    assert_same(told_live, late(facts, delays))
