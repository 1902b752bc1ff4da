"""How good forecasts are: made at many instants of a history, held to what came true afterwards (rule 18.1).

What came true is what the account's closings made of the hours it had then; what it bought later is left out, as the
forecast leaves it out. The peer is a straight line: the past's average, day by day.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from contracts.envelope import RecordedEvent
from contracts.quantities import rounded_division
from services.ledger.domain.account import Account, due, evolve, fold
from services.ledger.forecast.draw_down import Outcome, Use, drawn_down, last_end
from services.ledger.forecast.expectation import days_ahead, percentiles, ways
from services.ledger.forecast.usage import Usage, usage

EVERY = timedelta(weeks=4)
HISTORY_MIN = timedelta(weeks=8)
QUANTILES = (0.1, 0.5, 0.9)


class Case(NamedTuple):
    """One number that was forecast, as what came true and what the line says: a day, or minutes forfeited."""

    kind: str
    percentiles: tuple[int, ...]
    line: int
    truth: int

    @property
    def inside(self) -> bool:
        """Whether it came true between the 10th and the 90th percentile."""
        return self.percentiles[0] <= self.truth <= self.percentiles[2]

    @property
    def certain(self) -> bool:
        """There was nothing to forecast: all ways agreed, and so did the truth."""
        return self.percentiles[0] == self.percentiles[2] == self.truth


class Quality(NamedTuple):
    """Of all cases of a kind: how many, the share inside, and the pinball loss against that of the line."""

    cases: int
    inside: float
    against_line: float


def cases(account_id: str, recorded: Sequence[RecordedEvent]) -> Iterator[Case]:
    """Of one account's whole stream, every four weeks once it has a past of eight, as far as its end is known."""
    final = fold(Account(account_id), (line.event() for line in recorded))
    uses = sorted(
        (task.closing.effective_at, task.closing.charged_minutes) for task in final.tasks.values() if task.closing
    )
    known_until = recorded[-1].recorded_at
    account, rest = Account(account_id), iter(recorded)
    line = next(rest)
    at = line.recorded_at + HISTORY_MIN
    while at < known_until:
        while line and line.recorded_at <= at:
            account, line = evolve(account, line.event()), next(rest, None)
        standing = fold(account, due(account, at))
        if standing.balance_minutes > 0 and last_end(standing, at) <= known_until:
            yield from _cases_at(standing, at, [use for use in uses if use[0] > at])
        at += EVERY


def _cases_at(account: Account, at: datetime, uses: list[Use]) -> Iterator[Case]:
    until = last_end(account, at)
    past = usage(account, at)
    outcomes = ways(account, past, at, f"{account.account_id} {at}")
    truth = drawn_down(account, [use for use in uses if use[0] < until], at)
    line = drawn_down(account, _line(past, at, until), at)
    numbers = [_numbers(outcome) for outcome in (line, truth, *outcomes)]
    for key in numbers[0]:
        of_line, true, *forecast = (each[key] for each in numbers)
        found = Case(key.split()[0], tuple(percentiles(forecast).values()), of_line, true)
        if not found.certain:
            yield found


def _line(past: Usage, at: datetime, until: datetime) -> Iterator[Use]:
    days = days_ahead(at, until)
    reached = [rounded_division(sum(past) * day, max(len(past), 1)) for day in range(len(days) + 1)]
    return ((day, after - before) for day, (before, after) in zip(days, pairwise(reached), strict=True))


def _numbers(outcome: Outcome) -> dict[str, int]:
    forfeited = {f"forfeited {package}": event.forfeited_minutes for package, event in outcome.forfeited.items()}
    return {"run_out_on": outcome.run_out_on.toordinal(), **forfeited}


def quality(of: Iterable[Case]) -> dict[str, Quality]:
    """Of each kind."""
    by_kind: dict[str, list[Case]] = {}
    for case in of:
        by_kind.setdefault(case.kind, []).append(case)
    return {
        kind: Quality(
            len(found),
            sum(case.inside for case in found) / len(found),
            sum(_loss(case.percentiles, case.truth) for case in found)
            / (sum(_loss((case.line,) * 3, case.truth) for case in found) or 1),
        )
        for kind, found in by_kind.items()
    }


def _loss(said: Sequence[int], truth: int) -> float:
    """The pinball loss of the three percentiles."""
    return sum(
        max((truth - value) * quantile, (value - truth) * (1 - quantile))
        for value, quantile in zip(said, QUANTILES, strict=True)
    )
