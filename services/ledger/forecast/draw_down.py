"""What becomes of an account's hours if it uses so much on such days, and buys nothing more."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from contracts.events import PackageExpired
from services.ledger.domain.course import Course
from services.ledger.domain.local_time import local_date
from services.ledger.domain.lots import draw
from services.ledger.domain.state import Account

Use = tuple[datetime, int]
"""Charged minutes, and when they count."""

INSTANT = timedelta(microseconds=1)


class Outcome(NamedTuple):
    """The day on which the balance is no longer above zero; what each package's end forfeits, by its id."""

    run_out_on: date
    forfeited: dict[str, PackageExpired]


def last_end(account: Account, now: datetime) -> datetime:
    """When the last of its packages ends: whatever happens, nothing is left then."""
    return max((end for end, _, _ in account.to_expire), default=now)


def drawn_down(account: Account, used: Iterable[Use], now: datetime) -> Outcome:
    """Let the days pass up to the last end: charges draw (rule 6.2), packages end and are carried over (rule 7.2).

    `used` comes after everything that is recorded, in order. Between two ends it makes no difference which minutes are
    drawn first, so that all of them are drawn at once.
    """
    until = last_end(account, now)
    course = Course(account, until)
    drawn, left, due_at = 0, account.balance_minutes, account.next_due_at
    run_out_on = local_date(now) if left <= 0 else None
    for at, minutes in (*used, (until, 0)):
        while due_at and due_at <= at:
            _pass(course, drawn, due_at)
            drawn, left = 0, course.account.balance_minutes
            if run_out_on is None and left <= 0:
                run_out_on = local_date(due_at)
            due_at = course.account.next_due_at
        drawn += minutes
        if run_out_on is None and left <= drawn:
            run_out_on = local_date(at)
    ended = {event.package_id: event for event in course.events if isinstance(event, PackageExpired)}
    return Outcome(run_out_on or local_date(until), ended)


def _pass(course: Course, minutes: int, end: datetime) -> None:
    """So much is drawn, or owed, up to that end; then what is due happens."""
    account = course.account
    draws, owed = draw(account.lots_ending_after(end - INSTANT), minutes, end - INSTANT)
    course.account = account.with_draws(draws)._replace(owed_minutes=account.owed_minutes + owed)
    course.now = end
    course.expire()
