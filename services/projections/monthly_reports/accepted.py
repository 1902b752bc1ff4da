"""What a month's act states as accepted: hours and their money by package, each at its price and its VAT rate.

What is taken back is what was accepted before, in the act that accepted it: not the lot it goes to, nor the
compensation that is made of it (rules 8.1, 8.2, 10.4).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.quantities import month_of

Booked = Mapping[str, Any]
"""A row of a month's entries; in reports with what is known of its closing and its lot."""

GIVEN = ("drawn", "settled", "paid")
TAKEN_BACK = ("returned", "compensated")


class Part(NamedTuple):
    """Time that a lot gave, or money paid; negative where it is taken back.

    `vat_month` is the month whose rate it has; `corrects` the one whose act it corrects.
    """

    lot_id: str | None
    hour_price_kopecks: int | None
    minutes: int
    amount_kopecks: int
    vat_month: str
    corrects: str | None


def closings_taken_back(entries: Iterable[Booked]) -> list[tuple[str, int]]:
    """The closings of which the entries take back what they had been given."""
    back = (entry for entry in entries if entry["kind"] in TAKEN_BACK)
    return list(dict.fromkeys((entry["task_id"], entry["closure"]) for entry in back))


def accepted(month: str, entries: Iterable[Booked], given_before: Iterable[Booked]) -> list[Part]:
    """The parts that the month's act accepts, and those that it takes back.

    `given_before`: all that was ever given for the closings that the entries take back.
    """
    parts: list[Part] = []
    given: dict[tuple[str, int], list[Booked]] = {}
    for entry in given_before:
        given.setdefault((entry["task_id"], entry["closure"]), []).append(entry)
    for entry in entries:
        if entry["kind"] in GIVEN:
            parts.append(_given(month, entry))
        elif entry["kind"] in TAKEN_BACK:
            # A reversal takes back all of its closing at once, so nothing of it is left for a later entry.
            parts += [_taken_back(month, one) for one in given.pop((entry["task_id"], entry["closure"]), [])]
    return parts


def _given(month: str, entry: Booked) -> Part:
    return _part(entry, 1, _own_month(entry), _corrected(month, entry))


def _taken_back(month: str, entry: Booked) -> Part:
    """At the rate with which it was accepted; what this very act accepts and takes back leaves no line in it."""
    booked = entry["booking_month"]
    return _part(entry, -1, _own_month(entry), _corrected(month, entry) if booked == month else booked)


def _corrected(month: str, entry: Booked) -> str | None:
    """The month whose act it corrects: a closed one, in which it took effect (rule 10.1)."""
    own = _own_month(entry)
    return None if own == month else own


def _own_month(entry: Booked) -> str:
    return min(month_of(entry["effective_at"]), entry["booking_month"])


def _part(entry: Booked, sign: int, vat_month: str, corrects: str | None) -> Part:
    minutes, amount = sign * entry["minutes"], sign * entry["amount_kopecks"]
    return Part(entry["lot_id"], entry["hour_price_kopecks"], minutes, amount, vat_month, corrects)


class Source(NamedTuple):
    """What a compensation is made of: hours of a lot, or debt paid in money at a price (rule 8.2)."""

    lot_id: str | None
    hour_price_kopecks: int | None


class Prices(NamedTuple):
    """The prices agreed for lots that were bought, and what compensations make up for."""

    bought: Mapping[str, int]
    compensations: Mapping[str, Sequence[Source]]

    def of(self, lot_id: str | None, hour_price_kopecks: int | None) -> tuple[int, ...]:
        """The price of a payment or a lot; of a compensation, the prices of all that it makes up for."""
        if lot_id is None:
            return () if hour_price_kopecks is None else (hour_price_kopecks,)
        if lot_id in self.bought:
            return (self.bought[lot_id],)
        return tuple(sorted({price for source in self.compensations.get(lot_id, ()) for price in self.of(*source)}))
