"""What each event moves: signed minutes of a lot or of the debt, and when they count."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from contracts.events import (
    ClosingFacts,
    DebtPaid,
    DebtSettled,
    Event,
    PackagePurchased,
    PackageRefunded,
    Returned,
    Reversal,
    TaskClosed,
    TaskCorrected,
)

WEEKS_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)

OWED = None
"""Stands where a lot's id would: the movement is one of the debt."""


class Movement(NamedTuple):
    """Minutes that a lot gained (+) or gave (-); without a lot, minutes by which the debt grew (+) or shrank (-).

    Money has the sign of its minutes.
    """

    lot_id: str | None
    minutes: int
    effective_at: datetime
    amount_kopecks: int = 0
    task_id: str | None = None
    closure: int | None = None


def week_number(instant: datetime) -> int:
    """Weeks from 1970-01-01T00:00Z on: what movements are summed up by."""
    return (instant - WEEKS_BEGIN).days // 7


def week_start(instant: datetime) -> datetime:
    """The first instant of its week."""
    return WEEKS_BEGIN + timedelta(weeks=week_number(instant))


def movements(event: Event) -> list[Movement]:
    """What the event moves. Expiry and carrying over move nothing: they only change when lots end."""
    match event:
        case TaskClosed():
            return _charged(event)
        case DebtSettled():
            return _settled(event)
        case PackagePurchased():
            return [Movement(event.package_id, event.minutes, event.effective_at, event.price_kopecks)]
        case Reversal():
            return _taken_back(event, event.closure)
        case TaskCorrected():
            return _taken_back(event, event.corrected_closure) + _charged(event)
        case PackageRefunded():
            kopecks = event.refunded_kopecks + event.retained_kopecks
            return [Movement(event.lot_id, -event.refunded_minutes, event.effective_at, -kopecks)]
        case DebtPaid():
            return [
                Movement(OWED, -paid.minutes, event.effective_at, -paid.amount_kopecks, paid.task_id, paid.closure)
                for paid in event.payments
            ]
        case _:
            return []


def _charged(event: ClosingFacts) -> list[Movement]:
    """A draw on what made up for an earlier closing may count later than the closing itself (rule 6.2)."""
    at, task_id, closure = event.effective_at, event.task_id, event.closure
    charged = [
        Movement(d.lot_id, -d.minutes, d.effective_at or at, -d.amount_kopecks, task_id, closure) for d in event.draws
    ]
    if event.owed_minutes:
        charged.append(Movement(OWED, event.owed_minutes, at, 0, task_id, closure))
    return charged


def _settled(event: DebtSettled) -> list[Movement]:
    at, task_id, closure = event.effective_at, event.task_id, event.closure
    return [
        Movement(event.lot_id, -event.minutes, at, -event.amount_kopecks, task_id, closure),
        Movement(OWED, -event.minutes, at, 0, task_id, closure),
    ]


def _taken_back(event: Reversal | TaskCorrected, closure: int | None) -> list[Movement]:
    """Undone where it happened; what could not go back is a new lot from now on (rules 8.1, 8.2)."""
    back = [movement for returned in event.returned for movement in _returned(event, closure, returned)]
    if event.cancelled_owed_minutes:
        cancelled = -event.cancelled_owed_minutes
        back.append(Movement(OWED, cancelled, event.undone_at, 0, event.task_id, closure))
    if given := event.compensation:
        amount = given.amount_kopecks
        back.append(Movement(given.package_id, given.minutes, given.starts_at, amount, event.task_id, closure))
    return back


def _returned(event: Reversal | TaskCorrected, closure: int | None, returned: Returned) -> list[Movement]:
    """A settlement is undone on both sides: its debt was there until then, and now never was."""
    task_id = event.task_id
    at, minutes, amount = returned.effective_at, returned.minutes, returned.amount_kopecks
    back = [Movement(returned.lot_id, minutes, at, amount, task_id, closure)]
    if returned.settlement:
        back.append(Movement(OWED, minutes, at, 0, task_id, closure))
        back.append(Movement(OWED, -minutes, event.undone_at, 0, task_id, closure))
    return back
