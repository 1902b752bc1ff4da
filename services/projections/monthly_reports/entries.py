"""What each event books into a month's report: lines of work and money, and what moved the balance (rule 10.3)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from contracts.events import (
    ClosingFacts,
    DebtPaid,
    DebtSettled,
    Draw,
    Event,
    HoursCarriedOver,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    Returned,
    Reversal,
    TakenOver,
    TaskClosed,
    TaskCorrected,
)

Kind = Literal[
    "worked", "drawn", "owed", "returned", "cancelled", "settled", "paid", "purchased", "compensated", "carried",
    "reclaimed", "forfeited", "handed_over", "taken_over", "refunded", "retained",
]  # fmt: skip


class Entry(NamedTuple):
    """One booking.

    `minutes` is what moved, in the direction its kind names; `balance_minutes` what that did to the balance: nothing
    where hours of an expired lot went back and forth, or were handed on to the closing that corrects theirs, which has
    taken them over. `amount_kopecks` is money of the closing, except in purchases, compensations, forfeitures, carries
    and refunds. Worked and charged time stand on `worked` entries alone. The price is that of a payment; hours have
    that of their lot. Where a closing corrects another, each names the other on its `worked` entry.
    """

    kind: Kind
    minutes: int = 0
    balance_minutes: int = 0
    amount_kopecks: int = 0
    task_id: str | None = None
    closure: int | None = None
    lot_id: str | None = None
    to_package_id: str | None = None
    worked_minutes: int = 0
    charged_minutes: int = 0
    payment_reference: str | None = None
    hour_price_kopecks: int | None = None
    other_closure: int | None = None


class Booking(NamedTuple):
    """What an event books into a month, from the instant on at which a closing took effect, or something else did."""

    month: str
    effective_at: datetime
    entries: list[Entry]


def bookings(event: Event) -> list[Booking]:
    """What the event books: a correction may take a closing back in one month and put another in one later."""
    if isinstance(event, TaskCorrected):
        gone = Booking(event.corrected_booking_month, event.corrected_effective_at, list(_corrected(event)))
        return [gone, Booking(event.booking_month, event.effective_at, list(_closed_anew(event)))]
    return [Booking(event.booking_month, event.effective_at, _entries(event))]


def entries(event: Event) -> list[Entry]:
    """All that the event books. The balance after all of a month's is opening + their `balance_minutes`."""
    return [entry for booking in bookings(event) for entry in booking.entries]


def _entries(event: Event) -> list[Entry]:
    match event:
        case TaskClosed():
            return list(_closed(event))
        case DebtSettled():
            return list(_settled(event))
        case DebtPaid():
            return [
                Entry("paid", paid.minutes, paid.minutes, paid.amount_kopecks, paid.task_id, paid.closure,
                      payment_reference=event.payment_reference, hour_price_kopecks=event.hour_price_kopecks)
                for paid in event.payments
            ]  # fmt: skip
        case Reversal():
            return list(_reversed(event))
        case PackagePurchased():
            minutes = event.minutes
            return [Entry("purchased", minutes, minutes, event.price_kopecks, lot_id=event.package_id)]
        case HoursCarriedOver():
            return list(_carried(event))
        case PackageRefunded():
            minutes = event.refunded_minutes
            return [
                Entry("refunded", minutes, -minutes, event.refunded_kopecks, lot_id=event.lot_id,
                      payment_reference=event.refund_reference),
                Entry("retained", 0, 0, event.retained_kopecks, lot_id=event.lot_id),
            ]  # fmt: skip
        case PackageExpired():
            return [
                Entry("forfeited", lot.minutes, -lot.minutes, lot.amount_kopecks, lot_id=lot.lot_id)
                for lot in event.lots
            ]
        case _:
            return []


def _corrected(event: TaskCorrected) -> Iterator[Entry]:
    """All of the corrected closing leaves the report; part of it may be handed on (rule 8.6)."""
    task = (event.task_id, event.corrected_closure)
    work = (-event.corrected_worked_minutes, -event.corrected_charged_minutes)
    yield Entry("worked", 0, 0, 0, *task, worked_minutes=work[0], charged_minutes=work[1], other_closure=event.closure)
    for part in event.taken_over:
        yield _handed_over(part, "handed_over", -part.amount_kopecks, task)
    yield from _given_back(event, task)


def _closed_anew(event: TaskCorrected) -> Iterator[Entry]:
    worked, *drawn = _closed(event)
    yield worked._replace(other_closure=event.corrected_closure)
    for part in event.taken_over:
        yield _handed_over(part, "taken_over", part.amount_kopecks, (event.task_id, event.closure))
    yield from drawn


def _handed_over(part: TakenOver, kind: Kind, amount: int, task: tuple[str, int]) -> Entry:
    return Entry(kind, part.minutes, 0, amount, *task, part.lot_id, hour_price_kopecks=part.hour_price_kopecks)


def _closed(event: ClosingFacts) -> Iterator[Entry]:
    task = (event.task_id, event.closure)
    yield Entry("worked", 0, 0, 0, *task, worked_minutes=event.worked_minutes, charged_minutes=event.charged_minutes)
    for draw in event.draws:
        yield Entry("drawn", draw.minutes, -draw.minutes, draw.amount_kopecks, *task, draw.lot_id)
        yield from _released(draw)
    if event.owed_minutes:
        yield Entry("owed", event.owed_minutes, -event.owed_minutes, 0, *task)


def _settled(event: DebtSettled) -> Iterator[Entry]:
    """The lot gives what the debt no longer asks for: the balance stays, unless the hours had been forfeited."""
    yield Entry("settled", event.minutes, 0, event.amount_kopecks, event.task_id, event.closure, event.lot_id)
    yield from _released(event)


def _released(given: Draw | DebtSettled) -> Iterator[Entry]:
    """A forfeiture shrinks by what was released from it (rule 6.1)."""
    if given.released:
        yield Entry("forfeited", -given.minutes, given.minutes, -given.amount_kopecks, lot_id=given.lot_id)


def _reversed(event: Reversal) -> Iterator[Entry]:
    task = (event.task_id, event.closure)
    if event.closure is not None:  # the report has a line of it, even where nothing was charged
        worked, charged = -event.worked_minutes, -event.charged_minutes
        yield Entry("worked", 0, 0, 0, *task, worked_minutes=worked, charged_minutes=charged)
    yield from _given_back(event, task)


def _given_back(event: Reversal | TaskCorrected, task: tuple[str, int | None]) -> Iterator[Entry]:
    for back in event.returned:
        yield Entry("returned", back.minutes, back.minutes, -back.amount_kopecks, *task, back.lot_id)
        yield from _forfeited_again(back)
    if event.cancelled_owed_minutes:
        yield Entry("cancelled", event.cancelled_owed_minutes, event.cancelled_owed_minutes, 0, *task)
    if given := event.compensation:
        yield Entry("compensated", given.minutes, given.minutes, -given.amount_kopecks, *task, given.package_id)


def _forfeited_again(back: Returned) -> Iterator[Entry]:
    if back.forfeited:
        yield Entry("forfeited", back.minutes, -back.minutes, back.amount_kopecks, lot_id=back.lot_id)


def _carried(event: HoursCarriedOver) -> Iterator[Entry]:
    """Reclaimed hours had been lost, and are there again (rule 7.4)."""
    former, heir = event.from_package_id, event.to_package_id
    kind: Kind = "reclaimed" if event.reclaimed else "carried"
    amount = sum(lot.amount_kopecks for lot in event.lots)
    yield Entry(kind, event.minutes, 0, amount, lot_id=former, to_package_id=heir)
    for lot in event.lots if event.reclaimed else ():
        yield Entry("forfeited", -lot.minutes, lot.minutes, -lot.amount_kopecks, lot_id=lot.lot_id)
