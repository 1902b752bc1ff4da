"""Random histories: Hypothesis draws small numbers, and what they stand for is looked up in the story so far."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hypothesis import strategies as st

from services.ledger.domain.local_time import local_date
from tests.ledger.vocabulary import (
    TERMS,
    Step,
    Story,
    buy,
    change_customer,
    close,
    close_month,
    correct,
    drop_plan,
    mark_warranty,
    pay,
    plan,
    refund,
    reopen,
    reopen_month,
    resume,
    suspend,
    time_passes,
)

Numbers = bytes

DAY, HOUR, MINUTE, INSTANT = (timedelta(**{unit: 1}) for unit in ("days", "hours", "minutes", "microseconds"))
PLANS = tuple(TERMS.versions[0].plans)
WORKED = (10, 50, 60, 400, 1190, 1200, 1800, 2990, 3010, 6000)
CATEGORIES = ("regular", "urgent", "off_hours", "urgent_off_hours", "warranty")
WAITS = (0 * DAY, MINUTE, 9 * HOUR, DAY, 6 * DAY, 25 * DAY, 80 * DAY)
LATENESS = (0 * DAY, 0 * DAY, 0 * DAY, -4 * MINUTE, HOUR, 3 * DAY, 20 * DAY, 90 * DAY, 200 * DAY)
TASKS = 12


def numbers(size: int) -> st.SearchStrategy[Numbers]:
    """So many numbers below 256, in one draw: what one step is made of."""
    return st.binary(min_size=size, max_size=size)


def pick(among: Sequence, number: int):
    """One of them, the first for 0."""
    return among[number % len(among)]


def histories(size: int = 6) -> st.SearchStrategy[list[Numbers]]:
    """What a whole history is made of: a long one, or a few steps, so that a failure shrinks."""
    step = numbers(size)
    return st.lists(step, min_size=1, max_size=10) | st.lists(step, min_size=15, max_size=40)


def next_step(story: Story, given: Numbers) -> Step:
    """Some command, at some later time, with some earlier effect; edges of packages come often."""
    kind, wait, late, edge, one, other = given
    now = story.now + pick(WAITS, wait)
    if edge % 7 == 1 and story.account.next_due_at:
        now = max(story.now, story.account.next_due_at - (edge % 2) * INSTANT)
    return pick(KINDS, kind)(story, now, _effect(story, now, late, edge), one, other)


def _effect(story: Story, now: datetime, late: int, edge: int) -> datetime:
    at = now - pick(LATENESS, late)
    if edge % 5 == 2 and story.account.packages:
        package = pick(sorted(story.account.packages.values(), key=lambda package: package.due_order), late)
        at = min(now, pick((package.ends_at, package.ends_at - INSTANT, package.starts_at), edge // 5))
    return at


def _buy(story: Story, now: datetime, at: datetime, one: int, other: int) -> Step:
    package_id = f"p{len(story.account.packages):02}"
    return buy(
        package_id,
        pick(PLANS, one),
        on=str(at),
        recorded=str(now),
        carry_over=other % 4 != 3,
        **agreed(one + other, min(at, now)),
    )


def agreed(number: int, at: datetime) -> dict[str, int | str]:
    """What was agreed for a purchase then: for two in three nothing, for others odd sizes, gifts and ends."""
    sizes, prices, days = (None, 1, 601, 3007), (None, 0, 1, 999_999_999), (None, 0, 20, 400)
    if number % 3:
        return {}
    minutes, price, last = pick(sizes, number // 3), pick(prices, number // 12), pick(days, number // 48)
    ends_on = None if last is None else str(local_date(at) + last * DAY)
    found = {"minutes": minutes, "price_kopecks": price, "ends_on": ends_on}
    return {name: value for name, value in found.items() if value is not None}


def _plan(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    category = pick(CATEGORIES, other // 10)
    return plan(f"T-{other % TASKS}", pick((60, 10, 5, 3000), one), category=category, on=str(now))


def _drop_plan(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    planned = sorted(story.account.plans)
    return drop_plan(pick(planned, one) if planned and other % 4 else f"T-{one % TASKS}", on=str(now))


def _change_customer(story: Story, now: datetime, at: datetime, one: int, other: int) -> Step:
    return change_customer(str(local_date(at)), contract_number=f"{one}", on=str(now))


def _close(story: Story, now: datetime, at: datetime, one: int, other: int) -> Step:
    category = pick(CATEGORIES, other // 10)
    task = f"T-{other % TASKS}"
    kind = "work" if one % 5 else "specification"
    return close(
        task,
        kind=kind,
        package_use_agreed=str(min(at, now)),
        worked=pick(WORKED, one),
        category=category,
        agreed=True,
        requested=True,
        on=str(at),
        recorded=str(now),
    )


def _closed_task(story: Story, number: int) -> str:
    closed = sorted(task_id for task_id, task in story.account.tasks.items() if task.closing)
    return pick(closed, number) if closed and number % 8 else f"T-{number % TASKS}"


def _correct(story: Story, now: datetime, at: datetime, one: int, other: int) -> Step:
    """Often at the same instant, often with the same time or category; also of a task that is not closed."""
    task_id = _closed_task(story, one)
    closing = story.account.task(task_id).closing
    worked = closing.worked_minutes if closing and other % 3 == 0 else pick(WORKED, other)
    if closing and one % 4:
        at = min(closing.given_at, now + 4 * MINUTE)
    category = pick(CATEGORIES, other // 40)
    return correct(
        task_id, worked=worked, category=category, agreed=True, requested=True, on=str(at), recorded=str(now)
    )


def _refund(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    lots = sorted(lot.lot_id for lot in story.account.lots.values() if lot.live_minutes or one % 8 == 0)
    lot_id = pick(lots, one) if lots else "none"
    unbooked = story.account.lots[lot_id].unbooked_kopecks if lots else 0
    return refund(lot_id, pick((None, unbooked, 0, unbooked * other // 256, unbooked + 1), other), on=str(now))


def _mark(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    return mark_warranty(_closed_task(story, one), on=str(now))


def _reopen(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    return reopen(_closed_task(story, one), on=str(now))


def _pay(story: Story, now: datetime, at: datetime, one: int, other: int) -> Step:
    owed = max(story.account.owed_minutes, 1)
    return pay(pick((owed, 1 + one * (owed - 1) // 256, owed + 1), other), on=str(at), recorded=str(now))


def _suspend(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    return suspend(on=str(now))


def _resume(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    return resume(on=str(now))


def _close_month(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    day = local_date(now - pick((30 * DAY, 60 * DAY, 0 * DAY), one))
    return close_month(f"{day:%Y-%m}", on=str(now))


def _reopen_month(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    return reopen_month(story.account.closed_through or "2024-01", on=str(now))


def _wait(story: Story, now: datetime, _: datetime, one: int, other: int) -> Step:
    return time_passes(str(now))


KINDS: tuple[Callable[[Story, datetime, datetime, int, int], Step], ...] = (
    *[_buy] * 5,
    *[_close] * 9,
    *[_correct] * 4,
    _refund,
    *[_mark] * 2,
    *[_reopen] * 2,
    *[_pay] * 4,
    _plan,
    _drop_plan,
    _change_customer,
    _suspend,
    _resume,
    *[_close_month] * 2,
    _reopen_month,
    _wait,
)
