"""What an account has come to by its events: balance, money, what was lost, and the curve of the balance."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.events import DebtPaid, Event, PackagePurchased, PackageRefunded
from contracts.read_models import BalanceStep
from contracts.what_if import CourseView
from services.ledger.audit.replay import OWED, movements
from services.ledger.domain.account import Account


def course_view(account: Account, events: Sequence[Event], now: datetime) -> CourseView:
    """Of the account that the events have made, with everything due by now among them."""
    purchased = sum(event.price_kopecks for event in events if isinstance(event, PackagePurchased))
    paid = sum(event.amount_kopecks for event in events if isinstance(event, DebtPaid))
    refunded = sum(event.refunded_kopecks for event in events if isinstance(event, PackageRefunded))
    lost = [lot for lot in account.lots.values() if lot.expired and lot.left_minutes]
    return CourseView(
        balance_minutes=account.balance_minutes,
        owed_minutes=account.owed_minutes,
        spent_kopecks=purchased + paid - refunded,
        purchased_kopecks=purchased,
        paid_kopecks=paid,
        refunded_kopecks=refunded,
        forfeited_minutes=sum(lot.left_minutes for lot in lost),
        forfeited_kopecks=sum(lot.unbooked_kopecks for lot in lost),
        balance=tuple(_steps(account, events, now)),
    )


def _steps(account: Account, events: Iterable[Event], now: datetime) -> list[BalanceStep]:
    """Every change of the balance up to now, with everything known now: what is left of a lot goes at its end."""
    changes: defaultdict[datetime, int] = defaultdict(int)
    left: defaultdict[str, int] = defaultdict(int)
    for event in events:
        for lot_id, minutes, at in movements(event):
            if lot_id is OWED:
                changes[at] -= minutes
            elif at < account.lots[lot_id].ends_at:
                changes[at] += minutes
                left[lot_id] += minutes
    for lot_id, minutes in left.items():
        changes[account.lots[lot_id].ends_at] -= minutes
    balance, steps = 0, list[BalanceStep]()
    for at in sorted(changes):
        if changes[at] and at <= now:
            balance += changes[at]
            steps.append(BalanceStep(at=at, balance_minutes=balance))
    return steps
