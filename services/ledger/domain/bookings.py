"""What months have booked, and the reports that a closing of months freezes (rules 10.1 to 10.3)."""

from collections.abc import Iterator
from typing import NamedTuple

from immutables import Map

from contracts.events import (
    DebtPaid,
    DebtSettled,
    Event,
    FrozenReport,
    HoursCarriedOver,
    Reversal,
    TaskClosed,
    TaskCorrected,
)
from contracts.report_hash import Figures, report_hash


class Booked(NamedTuple):
    """A month's bookings: what they did to the balance, and what each closing (task, number) came to.

    A closing comes to worked and charged minutes and kopecks. Closed months are kept, for they may be reopened.
    """

    balance_minutes: int = 0
    closings: Map[tuple[str, int], tuple[int, int, int]] = Map[tuple[str, int], tuple[int, int, int]]()


Months = Map[str, Booked]
Line = tuple[str, int, int, int, int]

NOTHING = Booked()


def book(months: Months, event: Event, balance_minutes: int) -> Months:
    """The months once the event, which has changed the balance by so much, is booked into its own.

    What neither moves hours nor speaks of a closing stands in no report.
    """
    figures = _figures(event)
    if not figures and not balance_minutes and not isinstance(event, HoursCarriedOver):
        return months
    return _booked(months, event.booking_month, figures, balance_minutes)


def book_correction(months: Months, event: TaskCorrected, balance_minutes: int) -> Months:
    """The months once the corrected closing, with all it came to, has left the report of its own (rule 8.6)."""
    work = (-event.corrected_worked_minutes, -event.corrected_charged_minutes, -event.corrected_amount_kopecks)
    figures = ((event.task_id, event.corrected_closure, *work),)
    return _booked(months, event.corrected_booking_month, figures, balance_minutes)


def _booked(months: Months, name: str, figures: tuple[Line, ...], balance_minutes: int) -> Months:
    month = months.get(name, NOTHING)
    closings = month.closings
    for task_id, closure, worked, charged, kopecks in figures:
        was = closings.get((task_id, closure), (0, 0, 0))
        closings = closings.set((task_id, closure), (was[0] + worked, was[1] + charged, was[2] + kopecks))
    return months.set(name, Booked(month.balance_minutes + balance_minutes, closings))


def _figures(event: Event) -> tuple[Line, ...]:
    """What the event adds to closings: the money of draws, settlements and payments, less what went back (10.3).

    In plain tuples, whose fields are those of Figures: this is done for every event, and a named one takes longer.
    """
    match event:
        case TaskClosed():
            kopecks = sum([draw.amount_kopecks for draw in event.draws])
            return ((event.task_id, event.closure, event.worked_minutes, event.charged_minutes, kopecks),)
        case TaskCorrected():
            return ((event.task_id, event.closure, event.worked_minutes, event.charged_minutes, event.amount_kopecks),)
        case DebtSettled():
            return ((event.task_id, event.closure, 0, 0, event.amount_kopecks),)
        case DebtPaid():
            return tuple((paid.task_id, paid.closure, 0, 0, paid.amount_kopecks) for paid in event.payments)
        case Reversal(closure=int(closure)):
            kopecks = sum(back.amount_kopecks for back in event.returned)
            kopecks += event.compensation.amount_kopecks if event.compensation else 0
            return ((event.task_id, closure, -event.worked_minutes, -event.charged_minutes, -kopecks),)
        case _:
            return ()


def freeze(account_id: str, months: Months, closed_through: str | None, month: str) -> Iterator[FrozenReport]:
    """The reports of all months after `closed_through` up to `month` that have booked anything, and of `month`."""
    balance = 0
    for name in sorted({*months.keys(), month}):
        if name > month:
            return
        booked = months.get(name, NOTHING)
        opening, balance = balance, balance + booked.balance_minutes
        if closed_through is None or name > closed_through:
            lines = [Figures(*closing, *came_to) for closing, came_to in booked.closings.items()]
            yield FrozenReport(
                month=name,
                opening_balance_minutes=opening,
                closing_balance_minutes=balance,
                report_hash=report_hash(account_id, name, opening, balance, lines),
            )
