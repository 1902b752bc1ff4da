"""What a month's act states as accepted: hours and their money by package, each at its price and its VAT rate.

What is taken back is what was accepted before, in the act that accepted it: not the lot it goes to, nor the
compensation that is made of it (rules 8.1, 8.2, 10.4). So an act follows from all that was ever given for its tasks.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from contracts.quantities import month_of, rounded_division

Booked = Mapping[str, Any]
"""A row of entries; in reports with what is known of its closing and its lot."""

GIVEN = ("drawn", "settled", "paid")
TAKEN_BACK = ("returned", "compensated")


class Given(NamedTuple):
    """Time that a lot gave a closing, or money paid for it, as far as it stands.

    `own_month`: whose VAT rate it has; `booking_month`: whose act accepted it.
    """

    lot_id: str | None
    hour_price_kopecks: int | None
    minutes: int
    amount_kopecks: int
    own_month: str
    booking_month: str


class Part(NamedTuple):
    """What an act accepts of one kind; negative where it is taken back.

    `vat_month` is the month whose rate it has; `corrects` the one whose act it corrects.
    """

    lot_id: str | None
    hour_price_kopecks: int | None
    minutes: int
    amount_kopecks: int
    vat_month: str
    corrects: str | None


class Source(NamedTuple):
    """What a compensation is made of: hours of a lot, or debt paid in money at a price (rule 8.2)."""

    lot_id: str | None
    hour_price_kopecks: int | None


class Accepted(NamedTuple):
    """The parts of a month's act, and what the compensations so far are made of."""

    parts: list[Part]
    sources: dict[str, list[Source]]


def accepted(month: str, history: Iterable[Booked]) -> Accepted:
    """What the month's act accepts and takes back, from all entries of its tasks in their order."""
    standing: dict[str, list[Given]] = {}
    found = Accepted([], {})
    for (_, task_id), group in groupby(history, key=lambda entry: (entry["position"], entry["task_id"])):
        given, entries = standing.setdefault(task_id, []), list(group)
        back = [entry for entry in entries if entry["kind"] in TAKEN_BACK]
        if back:
            pieces = take_last(given, sum(entry["minutes"] for entry in back))
            if back[0]["booking_month"] == month:
                found.parts.extend(_taken_back(month, piece) for piece in pieces)
            for entry in back:
                if entry["kind"] == "compensated":
                    found.sources[entry["lot_id"]] = _sources(pieces, back)
        for entry in entries:
            if entry["kind"] in GIVEN:
                given.append(_given(entry))
                if entry["booking_month"] == month:
                    found.parts.append(_part(given[-1], 1, _corrected(month, given[-1])))
    return found


def take_last(given: list[Given], minutes: int) -> list[Given]:
    """Take so much away, the last recorded first; of a part, its money in proportion (rule 8.6)."""
    taken: list[Given] = []
    while minutes:
        last = given.pop()
        rest = max(0, last.minutes - minutes)
        kept = rounded_division(last.amount_kopecks * rest, last.minutes)
        if rest:
            given.append(last._replace(minutes=rest, amount_kopecks=kept))
        taken.append(last._replace(minutes=last.minutes - rest, amount_kopecks=last.amount_kopecks - kept))
        minutes -= last.minutes - rest
    return taken[::-1]


def _sources(pieces: Iterable[Given], back: Iterable[Booked]) -> list[Source]:
    """What of the pieces went back to no lot."""
    minutes: Counter[Source] = Counter()
    for piece in pieces:
        minutes[Source(piece.lot_id, piece.hour_price_kopecks)] += piece.minutes
    for entry in back:
        if entry["kind"] == "returned":
            minutes[Source(entry["lot_id"], None)] -= entry["minutes"]
    return list(+minutes)


def _given(entry: Booked) -> Given:
    own_month = min(month_of(entry["effective_at"]), entry["booking_month"])
    price, amounts = entry["hour_price_kopecks"], (entry["minutes"], entry["amount_kopecks"])
    return Given(entry["lot_id"], price, *amounts, own_month, entry["booking_month"])


def _taken_back(month: str, piece: Given) -> Part:
    """At the rate with which it was accepted; what this very act accepts and takes back leaves no line in it."""
    booked = piece.booking_month
    return _part(piece, -1, _corrected(month, piece) if booked == month else booked)


def _corrected(month: str, given: Given) -> str | None:
    """The month whose act it corrects: a closed one, in which it took effect (rule 10.1)."""
    return None if given.own_month == month else given.own_month


def _part(given: Given, sign: int, corrects: str | None) -> Part:
    minutes, amount = sign * given.minutes, sign * given.amount_kopecks
    return Part(given.lot_id, given.hour_price_kopecks, minutes, amount, given.own_month, corrects)


class Prices(NamedTuple):
    """The prices of lots that were bought, None where one was agreed as a whole; what compensations make up for."""

    bought: Mapping[str, int | None]
    compensations: Mapping[str, Sequence[Source]]

    def of(self, lot_id: str | None, hour_price_kopecks: int | None) -> tuple[int, ...]:
        """The price of a payment or a lot; of a compensation, the prices of all that it makes up for."""
        if lot_id is None:
            return () if hour_price_kopecks is None else (hour_price_kopecks,)
        if lot_id in self.bought:
            return () if (price := self.bought[lot_id]) is None else (price,)
        return tuple(sorted({price for source in self.compensations.get(lot_id, ()) for price in self.of(*source)}))
