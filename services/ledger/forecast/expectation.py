"""The forecast of an account: sixty ways in which it may go on, and what they have in common (rule 18).

Each way is put together from fortnights of the account's own past, so that what comes together stays together; recent
ones come more often, and each way has a pace of its own, for months differ. The same past gives the same forecast.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from math import exp, sqrt
from random import Random
from typing import Protocol, Self, TypeVar

from services.ledger.domain.local_time import local_date, midnight
from services.ledger.domain.state import Account
from services.ledger.forecast.draw_down import Outcome, Use, drawn_down, last_end
from services.ledger.forecast.usage import WEEK, Usage

WAYS = 40
BLOCK_WEEKS = 2
HALF_LIFE_WEEKS = 13
PACE_SPREAD = 0.3
SHORT_PAST_SPREAD = 0.5
"""Added for an account of one week; less with the root of their number."""

NOON = timedelta(hours=12)


class Ordered(Protocol):
    """What can be sorted."""

    def __lt__(self, other: Self, /) -> bool: ...


Value = TypeVar("Value", bound=Ordered)


def ways(account: Account, past: Usage, now: datetime, seed: str) -> list[Outcome]:
    """What comes of the account in each way that goes on from its past; everything due by now has happened."""
    days = days_ahead(now, last_end(account, now))
    chance = Random(seed)  # noqa: S311 - it has to repeat
    return [drawn_down(account, _way(past, days, chance), now) for _ in range(WAYS)]


def days_ahead(now: datetime, until: datetime) -> list[datetime]:
    """When the use of each day counts, from today on."""
    today = local_date(now)
    length = (local_date(until) - today).days
    return [max(midnight(today + timedelta(days=day)) + NOON, now) for day in range(length)]


def _way(past: Usage, days: Sequence[datetime], chance: Random) -> Iterator[Use]:
    """What is used on which of the days; nothing without a past."""
    if not any(past):
        return
    weeks = len(past) // WEEK
    pace = exp(chance.gauss(0, PACE_SPREAD + SHORT_PAST_SPREAD / sqrt(weeks)))
    recency = list(accumulate(0.5 ** ((weeks - week) / HALF_LIFE_WEEKS) for week in range(weeks)))
    day = 0
    while day < len(days):
        (first,) = chance.choices(range(weeks), cum_weights=recency)
        for minutes in past[first * WEEK : (first + BLOCK_WEEKS) * WEEK]:
            if minutes and day < len(days):
                yield days[day], round(minutes * pace)
            day += 1


def percentiles(values: Sequence[Value]) -> dict[str, Value]:
    """The smallest values that a tenth, half and nine tenths of them do not exceed."""
    ordered = sorted(values)
    return {f"p{percent}": ordered[-(-len(ordered) * percent // 100) - 1] for percent in (10, 50, 90)}
