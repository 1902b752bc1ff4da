"""What each event books into a month's report: lines of work and money, and what moved the balance (rule 10.3)."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from contracts.events import (
    DebtPaid,
    DebtSettled,
    Draw,
    Event,
    HoursCarriedOver,
    PackageExpired,
    PackagePurchased,
    Returned,
    Reversal,
    TaskClosed,
    TaskReopened,
    WarrantyMarked,
)

Kind = Literal[
    "worked", "drawn", "owed", "returned", "cancelled", "settled", "paid", "purchased", "compensated", "carried",
    "reclaimed", "forfeited",
]  # fmt: skip


class Entry(NamedTuple):
    """One booking.

    `minutes` is what moved, in the direction its kind names; `balance_minutes` what that did to the balance: nothing
    where hours of an expired lot went back and forth. `amount_kopecks` is money of the closing, except in purchases,
    compensations, forfeitures and carries. Worked and charged time stand on `worked` entries alone. The price is that
    of a payment; hours have that of their lot.
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


def entries(event: Event) -> list[Entry]:
    """What the event books into its month. The balance after all of them is opening + their `balance_minutes`."""
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
        case WarrantyMarked() | TaskReopened():
            return list(_reversed(event))
        case PackagePurchased():
            minutes = event.minutes
            return [Entry("purchased", minutes, minutes, event.price_kopecks, lot_id=event.package_id)]
        case HoursCarriedOver():
            return list(_carried(event))
        case PackageExpired():
            return [
                Entry("forfeited", lot.minutes, -lot.minutes, lot.amount_kopecks, lot_id=lot.lot_id)
                for lot in event.lots
            ]
        case _:
            return []


def _closed(event: TaskClosed) -> Iterator[Entry]:
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
