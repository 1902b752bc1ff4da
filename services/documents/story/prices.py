"""The prices agreed for lots, from the events alone: never money by time, which rounding spoils (rule 10.4)."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from contracts.events import (
    DebtPaid,
    DebtSettled,
    Event,
    PackagePurchased,
    Returned,
    Reversal,
    TakenOver,
    TaskClosed,
    TaskCorrected,
)

Prices = tuple[int, ...]
"""Of an hour, in kopecks: one, several where a compensation makes up for hours of several, none where a price was
agreed for the package as a whole (rule 3.3).
"""


class Given(NamedTuple):
    """What a closing was given: hours of a lot, or money at a price."""

    lot_id: str | None
    minutes: int
    price: int | None = None


class Agreed:
    """The prices of an account's lots, as far as its events have been taken."""

    def __init__(self) -> None:
        self._lots: dict[str, Prices] = {}
        self._given: defaultdict[tuple[str, int], list[Given]] = defaultdict(list)

    def of(self, lot_id: str) -> Prices:
        """None too of a lot whose purchase is not among the events, as on a page of the log."""
        return self._lots.get(lot_id, ())

    def take(self, event: Event) -> None:
        """Learn what the next event says of prices."""
        match event:
            case PackagePurchased():
                as_a_whole = event.agreed and event.agreed.price_kopecks is not None
                self._lots[event.package_id] = () if as_a_whole else (event.hour_price_kopecks,)
            case TaskClosed():
                draws = (Given(draw.lot_id, draw.minutes) for draw in event.draws)
                self._given[event.task_id, event.closure] += draws
            case DebtSettled():
                self._given[event.task_id, event.closure].append(Given(event.lot_id, event.minutes))
            case DebtPaid():
                for paid in event.payments:
                    money = Given(None, paid.minutes, event.hour_price_kopecks)
                    self._given[paid.task_id, paid.closure].append(money)
            case Reversal(compensation=made, closure=int(closure)) if made:
                given = self._given[event.task_id, closure]
                self._lots[made.package_id] = self._made_up_for(given, event.returned)
            case TaskCorrected():
                self._correct(event)
            case _:
                pass

    def _correct(self, event: TaskCorrected) -> None:
        """What the closing takes over was given to the one before; its own compensation can give to it at once."""
        if made := event.compensation:
            given = self._given[event.task_id, event.corrected_closure]
            self._lots[made.package_id] = self._made_up_for(given, [*event.returned, *event.taken_over])
        self._given[event.task_id, event.closure] += [
            *(Given(part.lot_id, part.minutes, part.hour_price_kopecks) for part in event.taken_over),
            *(Given(draw.lot_id, draw.minutes) for draw in event.draws),
        ]

    def _made_up_for(self, given: Iterable[Given], less: Iterable[Returned | TakenOver]) -> Prices:
        """The prices of what neither went back nor stays (rule 8.2)."""
        kept: Counter[tuple[str | None, int | None]] = Counter()
        for part in given:
            kept[part.lot_id, part.price] += part.minutes
        for part in less:
            kept[part.lot_id, part.hour_price_kopecks if isinstance(part, TakenOver) else None] -= part.minutes
        found: set[int] = set()
        for lot_id, price in +kept:
            found.update(self.of(lot_id) if lot_id is not None else [price] if price is not None else [])
        return tuple(sorted(found))
