"""Events as a specification states them: exactly the fields it lists, in the words of the trade.

Draws and shares of lots are (lot, minutes) or (lot, minutes, kopecks); what is special about one is said around it:
`released("spring", 60)`. Frozen reports are (month, opening balance, closing balance).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from contracts.events import (
    AccountOpened,
    Compensation,
    CustomerChanged,
    DebtPaid,
    DebtSettled,
    FrozenReport,
    HoursCarriedOver,
    MonthClosed,
    MonthReopened,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    PlanDropped,
    TaskClosed,
    TaskCorrected,
    TaskPlanned,
    TaskReopened,
    WarrantyMarked,
    WorkResumed,
    WorkSuspended,
)

FIELDS = {
    "worked": "worked_minutes",
    "estimated": "estimated_minutes",
    "planned": "planned_minutes",
    "charged": "charged_minutes",
    "owed": "owed_minutes",
    "cancelled": "cancelled_owed_minutes",
    "balance": "balance_minutes",
    "money": "amount_kopecks",
    "price": "price_kopecks",
    "hour_price": "hour_price_kopecks",
    "effective": "effective_at",
    "booked": "booking_month",
    "starts": "starts_at",
    "ends": "ends_at",
    "refunded": "refunded_minutes",
    "carried": "lots",
    "forfeited": "lots",
}
"""The field that a word of the trade stands for; any other word is the field's own name."""

Share = tuple[str | int, ...]


def moment(text: str) -> datetime:
    """A short time at the seller's; a text with an offset is taken at its word."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo("Europe/Moscow"))


@dataclass(frozen=True)
class Expected:
    """An event, or a part of one, and what is expected of it."""

    kind: type[BaseModel]
    said: Mapping[str, Any]

    def seen_in(self, actual: BaseModel) -> dict[str, Any]:
        """The same fields of what really happened, said in the same way."""
        return {word: _seen(getattr(actual, FIELDS.get(word, word)), self.said[word]) for word in self.said}


def _seen(value: Any, said: Any) -> Any:
    if isinstance(value, datetime):
        return said if value == moment(said) else value.astimezone(ZoneInfo("Europe/Moscow")).isoformat()
    if isinstance(value, Decimal):
        return said if value == Decimal(said) else str(value)
    if isinstance(said, Expected):
        seen = said.seen_in(value) if isinstance(value, said.kind) else value
        return said if seen == said.said else seen
    if isinstance(said, list):
        with_money = [len([number for number in share if isinstance(number, int)]) == 2 for share in said]
        with_money += [False] * (len(value) - len(said))
        return [_share(part, money) for part, money in zip(value, with_money, strict=False)]
    return value


def _share(part: Any, with_money: bool) -> Any:
    if isinstance(part, str):
        return part
    if isinstance(part, FrozenReport):
        return (part.month, part.opening_balance_minutes, part.closing_balance_minutes)
    special = ("settlement", "forfeited", "released")
    whose = part.task_id if hasattr(part, "task_id") else part.lot_id
    share = (*(word for word in special if getattr(part, word, False)), whose, part.minutes)
    return (*share, part.amount_kopecks) if with_money else share


def released(*share: str | int) -> Share:
    """Drawn from what a lot had forfeited (rule 6.1)."""
    return ("released", *share)


def settlement(*share: str | int) -> Share:
    """A settlement that went back (rule 8.1)."""
    return ("settlement", *share)


def forfeited_again(*share: str | int) -> Share:
    """Went back to what its lot had forfeited (rule 8.1)."""
    return ("forfeited", *share)


def compensation(package_id: str, minutes: int, **said: Any) -> Expected:
    """A lot made of what could not go back (rule 8.2)."""
    return Expected(Compensation, {"package_id": package_id, "minutes": minutes, **said})


def account_opened(**said: Any) -> Expected:
    """Rule 4.1."""
    return Expected(AccountOpened, said)


def package_purchased(package_id: str, **said: Any) -> Expected:
    """Rule 4.2."""
    return Expected(PackagePurchased, {"package_id": package_id, **said})


def customer_changed(**said: Any) -> Expected:
    """Rule 16.1."""
    return Expected(CustomerChanged, said)


def task_planned(task_id: str, **said: Any) -> Expected:
    """Rule 15.1."""
    return Expected(TaskPlanned, {"task_id": task_id, **said})


def plan_dropped(task_id: str, **said: Any) -> Expected:
    """Rule 15.1."""
    return Expected(PlanDropped, {"task_id": task_id, **said})


def task_closed(task_id: str, **said: Any) -> Expected:
    """Rule 5."""
    return Expected(TaskClosed, {"task_id": task_id, **said})


def warranty_marked(task_id: str, **said: Any) -> Expected:
    """Rule 8."""
    return Expected(WarrantyMarked, {"task_id": task_id, **said})


def task_reopened(task_id: str, **said: Any) -> Expected:
    """Rule 8."""
    return Expected(TaskReopened, {"task_id": task_id, **said})


def task_corrected(task_id: str, **said: Any) -> Expected:
    """Rule 8.6."""
    return Expected(TaskCorrected, {"task_id": task_id, **said})


def package_refunded(lot_id: str, **said: Any) -> Expected:
    """Rule 14."""
    return Expected(PackageRefunded, {"lot_id": lot_id, **said})


def carried_over(from_package_id: str, to_package_id: str, **said: Any) -> Expected:
    """Rule 7.2."""
    said = {"from_package_id": from_package_id, "to_package_id": to_package_id, **said}
    return Expected(HoursCarriedOver, said)


def package_expired(package_id: str, **said: Any) -> Expected:
    """Rule 7.1."""
    return Expected(PackageExpired, {"package_id": package_id, **said})


def debt_settled(task_id: str, lot_id: str, minutes: int, **said: Any) -> Expected:
    """Rule 6.4."""
    return Expected(DebtSettled, {"task_id": task_id, "lot_id": lot_id, "minutes": minutes, **said})


def debt_paid(minutes: int, **said: Any) -> Expected:
    """Rule 6.5."""
    return Expected(DebtPaid, {"minutes": minutes, **said})


def work_suspended(**said: Any) -> Expected:
    """Rule 9.1."""
    return Expected(WorkSuspended, said)


def work_resumed(**said: Any) -> Expected:
    """Rule 9.2."""
    return Expected(WorkResumed, said)


def month_closed(month: str, **said: Any) -> Expected:
    """Rule 10.1."""
    return Expected(MonthClosed, {"month": month, **said})


def month_reopened(month: str, **said: Any) -> Expected:
    """Rule 10.2."""
    return Expected(MonthReopened, {"month": month, **said})
