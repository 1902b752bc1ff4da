"""Lots of hours: what is left in them, in whose hands they are, and the money of what they give (rules 4, 6)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from contracts.events import Draw
from contracts.quantities import rounded_division


class Holder(NamedTuple):
    """A package that has held a lot, up to its end."""

    package_id: str
    ends_at: datetime


class Lot(NamedTuple):
    """Minutes bought together at one price.

    `left_minutes` can be drawn while the lot lives, and is what it has forfeited once it has expired (rule 6.1).
    `holders` are the packages that have held it, one after another; the last one's end is the lot's. Once money was
    given back for what was left, it has nothing left and takes nothing back (rule 14.3).
    """

    lot_id: str
    starts_at: datetime
    size_minutes: int
    price_kopecks: int
    left_minutes: int
    booked_kopecks: int
    holders: tuple[Holder, ...]
    expired: bool = False
    refunded: bool = False

    @property
    def ends_at(self) -> datetime:
        """When its last package ends: valid in [starts_at, ends_at) (rule 2.3)."""
        return self.holders[-1].ends_at

    @property
    def package_id(self) -> str:
        """The package that holds it now."""
        return self.holders[-1].package_id

    @property
    def unbooked_kopecks(self) -> int:
        """The money of what is left: price less what was booked (rule 4.4)."""
        return self.price_kopecks - self.booked_kopecks

    @property
    def live_minutes(self) -> int:
        """What counts towards the balance."""
        return 0 if self.expired else self.left_minutes

    def holder_at(self, instant: datetime) -> Holder:
        """The package that held it then; the lot must not have ended by then."""
        return next(holder for holder in self.holders if instant < holder.ends_at)

    def priority(self, at: datetime) -> tuple[datetime, datetime, str]:
        """The earliest to end goes first (rule 6.2)."""
        return (self.holder_at(at).ends_at, self.starts_at, self.lot_id)

    def give(self, minutes: int, effective_at: datetime | None = None) -> Draw:
        """What a draw of so many minutes takes (rule 4.4): all draws on a lot add up to its price."""
        used = self.size_minutes - self.left_minutes + minutes
        amount = rounded_division(self.price_kopecks * used, self.size_minutes) - self.booked_kopecks
        return Draw(
            lot_id=self.lot_id,
            minutes=minutes,
            amount_kopecks=min(max(amount, 0), self.unbooked_kopecks),
            released=self.expired,
            effective_at=effective_at,
        )

    def moved(self, minutes: int, amount_kopecks: int) -> "Lot":
        """The lot after it gave (positive) or got back (negative) minutes and money."""
        left = self.left_minutes - minutes
        assert 0 <= left <= self.size_minutes, f"lot {self.lot_id} would hold {left} of {self.size_minutes} minutes"
        return self._replace(left_minutes=left, booked_kopecks=self.booked_kopecks + amount_kopecks)

    def carried(self, package_id: str, ends_at: datetime) -> "Lot":
        """The lot in the hands of a successor: alive again if it had been forfeited (rules 7.2, 7.4)."""
        return self._replace(holders=(*self.holders, Holder(package_id, ends_at)), expired=False)


def draw(lots: Iterable[Lot], needed: int, at: datetime, own: Sequence[Lot] = ()) -> tuple[tuple[Draw, ...], int]:
    """Draw on the lots valid at that instant, the earliest to end first (rules 6.1, 6.2).

    But first on the task's `own` compensations, in their order: from then or, if that is later, from their start on.
    Returns the draws, and the minutes that no lot could cover.
    """
    draws: list[Draw] = []
    short = needed
    for lot in own:
        since = max(at, lot.starts_at)
        if short and lot.left_minutes and since < lot.ends_at:
            draws.append(lot.give(min(lot.left_minutes, short), since))
            short -= draws[-1].minutes
    valid = (lot for lot in lots if lot.left_minutes and lot.starts_at <= at < lot.ends_at and lot not in own)
    for lot in sorted(valid, key=lambda lot: lot.priority(at)):
        if not short:
            break
        draws.append(lot.give(min(lot.left_minutes, short)))
        short -= draws[-1].minutes
    assert sum(d.minutes for d in draws) + short == needed
    return tuple(draws), short
