"""Events and logs in the trade's words, with whatever the rule at hand does not speak of filled in.

Moments are Moscow time: "2026-03-01", "2026-03-01 12:00".
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from contracts.envelope import RecordedEvent
from contracts.events import (
    AccountOpened,
    Agreed,
    Compensation,
    CustomerChanged,
    DebtPaid,
    DebtSettled,
    Draw,
    Event,
    HoursCarriedOver,
    LotShare,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    Payment,
    PlanDropped,
    Returned,
    Succession,
    TaskClosed,
    TaskCorrected,
    TaskPlanned,
    TaskReopened,
    WarrantyMarked,
    WorkResumed,
    WorkSuspended,
)

MOSCOW = ZoneInfo("Europe/Moscow")


def moment(text: str) -> datetime:
    """That moment in Moscow."""
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


def times(on: str) -> dict[str, Any]:
    return {"effective_at": moment(on), "booking_month": on[:7]}


def opened(
    on: str = "2026-01-01",
    name: str = "ООО «Ромашка»",
    requisites: dict[str, str] | None = None,
    contract: str = "17/26",
) -> AccountOpened:
    return AccountOpened(
        **times(on),
        customer_name=name,
        contract_number=contract,
        contract_date="2026-01-01",
        customer_requisites=requisites,
    )


def purchased(
    package_id: str,
    minutes: int = 1200,
    *,
    on: str,
    until: str,
    succeeds: Iterable[str] = (),
    successor: str | None = None,
    price: int = 6_380_000,
    low: int | None = None,
    days: int | None = None,
    agreed: Agreed | None = None,
) -> PackagePurchased:
    return PackagePurchased(
        **times(on),
        package_id=package_id,
        plan="hours-20",
        minutes=minutes,
        price_kopecks=price,
        hour_price_kopecks=319_000,
        terms_version="2024-01-01",
        carry_over=True,
        ends_at=moment(until),
        succeeds=tuple(succeeds),
        successor_package_id=successor,
        low_balance_minutes=low,
        expiring_days=days,
        agreed=agreed,
    )


def planned(task_id: str, minutes: int, *, on: str) -> TaskPlanned:
    return TaskPlanned(
        **times(on),
        task_id=task_id,
        title="Перенос портала",
        category="regular",
        warranty=False,
        estimated_minutes=minutes,
        coefficient="1",
        terms_version="2024-01-01",
        planned_minutes=minutes,
    )


def plan_dropped(task_id: str, *, on: str) -> PlanDropped:
    return PlanDropped(**times(on), task_id=task_id, reason="отложено")


def customer_changed(since: str, **new: Any) -> CustomerChanged:
    return CustomerChanged(**times(since), effective_on=since, **new)


def closed(
    task_id: str,
    *,
    on: str,
    draws: dict[str, int] | None = None,
    owed: int = 0,
    amount: int = 100,
    **facts: Any,
) -> TaskClosed:
    given = draws or {}
    charged = sum(given.values()) + owed
    usual: dict[str, Any] = {
        "closure": 1,
        "title": "Перенос портала",
        "category": "regular",
        "warranty": False,
        "worked_minutes": charged,
        "coefficient": "1",
        "terms_version": "2024-01-01",
        "charged_minutes": charged,
        "draws": [Draw(lot_id=lot_id, minutes=minutes, amount_kopecks=amount) for lot_id, minutes in given.items()],
        "owed_minutes": owed,
        "closed_at": moment(on),
        "confirmed_at": moment(on),
    }
    return TaskClosed(**times(on), task_id=task_id, **usual | facts)


def settled(task_id: str, lot_id: str, minutes: int, *, on: str, amount: int = 100) -> DebtSettled:
    return DebtSettled(**times(on), task_id=task_id, closure=1, lot_id=lot_id, minutes=minutes, amount_kopecks=amount)


def paid(payments: dict[str, int], *, on: str, amount: int = 100) -> DebtPaid:
    return DebtPaid(
        **times(on),
        minutes=sum(payments.values()),
        amount_kopecks=amount * len(payments),
        hour_price_kopecks=319_000,
        terms_version="2024-01-01",
        paid_at=moment(on),
        payment_reference="п/п 42",
        payments=[
            Payment(task_id=task_id, closure=1, minutes=minutes, amount_kopecks=amount)
            for task_id, minutes in payments.items()
        ],
    )


def returned(lot_id: str, minutes: int, *, on: str, amount: int = 100, settlement: bool = False) -> Returned:
    return Returned(
        lot_id=lot_id, minutes=minutes, amount_kopecks=amount, effective_at=moment(on), settlement=settlement
    )


def compensation(task_id: str, minutes: int, *, on: str, until: str, amount: int = 100) -> Compensation:
    return Compensation(
        package_id=f"compensation-{task_id}-1",
        minutes=minutes,
        amount_kopecks=amount,
        starts_at=moment(on),
        ends_at=moment(until),
    )


def _reversal(
    on: str, task_id: str, back: Iterable[Returned], cancelled: int, given: Compensation | None
) -> dict[str, Any]:
    return times(on) | {
        "task_id": task_id,
        "reason": "не доделано",
        "closure": 1,
        "returned": tuple(back),
        "cancelled_owed_minutes": cancelled,
        "compensation": given,
    }


def reopened(
    task_id: str,
    *,
    on: str,
    back: Iterable[Returned] = (),
    cancelled: int = 0,
    given: Compensation | None = None,
) -> TaskReopened:
    return TaskReopened(**_reversal(on, task_id, back, cancelled, given))


def marked(
    task_id: str,
    *,
    on: str,
    back: Iterable[Returned] = (),
    cancelled: int = 0,
    given: Compensation | None = None,
) -> WarrantyMarked:
    return WarrantyMarked(**_reversal(on, task_id, back, cancelled, given))


def corrected(
    task_id: str,
    *,
    on: str,
    before: str | None = None,
    back: Iterable[Returned] = (),
    cancelled: int = 0,
    given: Compensation | None = None,
    draws: dict[str, int] | None = None,
    owed: int = 0,
) -> TaskCorrected:
    """The task's first closing, which took effect then or `before`, is corrected by its second."""
    facts = dict(closed(task_id, on=on, draws=draws, owed=owed, closure=2))
    return TaskCorrected(
        **facts,
        reason="время исправлено",
        only_difference=before is None,
        amount_kopecks=100 * len(draws or {}),
        returned=tuple(back),
        cancelled_owed_minutes=cancelled,
        compensation=given,
        corrected_closure=1,
        corrected_effective_at=moment(before or on),
        corrected_booking_month=(before or on)[:7],
        corrected_worked_minutes=60,
        corrected_charged_minutes=60,
        corrected_amount_kopecks=100,
    )


def refunded(lot_id: str, minutes: int, *, on: str, succeeded: dict[str, str | None] | None = None) -> PackageRefunded:
    return PackageRefunded(
        **times(on),
        lot_id=lot_id,
        package_id=lot_id,
        refunded_minutes=minutes,
        refunded_kopecks=70,
        retained_kopecks=30,
        reason="по заявлению",
        refund_reference="п/п 17",
        succeeded=[
            Succession(package_id=package_id, successor_package_id=heir)
            for package_id, heir in (succeeded or {}).items()
        ],
    )


def carried(
    lots: dict[str, int], *, of: str, to: str, on: str, until: str, reclaimed: bool = False
) -> HoursCarriedOver:
    return HoursCarriedOver(
        **times(on),
        from_package_id=of,
        to_package_id=to,
        minutes=sum(lots.values()),
        lots=[LotShare(lot_id=lot_id, minutes=minutes, amount_kopecks=0) for lot_id, minutes in lots.items()],
        ends_at=moment(until),
        reclaimed=reclaimed,
    )


def expired(package_id: str, *, on: str, to: str | None = None) -> PackageExpired:
    return PackageExpired(**times(on), package_id=package_id, carried_to=to)


def suspended(*, on: str) -> WorkSuspended:
    return WorkSuspended(**times(on), reason="задолженность", balance_minutes=-60)


def resumed(*, on: str) -> WorkResumed:
    return WorkResumed(**times(on), automatic=True, balance_minutes=60)


LEDGER_ID = "3f0d6f5e-0000-4000-8000-000000000001"
"""The ledger whose log a test writes, where there is no other."""


class Log:
    """A ledger's log in the making: what was recorded, in order, at positions without gaps."""

    def __init__(self) -> None:
        self.ledger_id = LEDGER_ID
        self.epoch = 1
        self.lines: list[RecordedEvent] = []
        self.clock = moment("2026-01-01")
        self.actor: str | None = None

    @property
    def position(self) -> int:
        """Of the last event."""
        return len(self.lines)

    def record(self, account_id: str, *events: Event, at: str | None = None) -> int:
        """Record them, by default when the last of them takes effect, in the account's order; their last position."""
        earlier = [line.recorded_at for line in self.lines if line.account_id == account_id]
        effects = (event.effective_at for event in events)
        return self.record_at(moment(at) if at else max([*effects, *earlier[-1:]]), account_id, *events)

    def record_at(self, now: datetime, account_id: str, *events: Event) -> int:
        """Record them at that instant; their last position."""
        for event in events:
            self._append(account_id, type(event).__name__, event.model_dump(mode="json"), now)
        return self.position

    def record_poison(self, account_id: str, kind: str = "PlanetsAligned") -> int:
        """Record what no projection can apply."""
        now = self.lines[-1].recorded_at + timedelta(seconds=1)
        self._append(account_id, kind, {}, now)
        return self.position

    def _append(self, account_id: str, kind: str, data: dict[str, Any], now: datetime) -> None:
        recorded = RecordedEvent(
            position=self.position + 1,
            event_id=str(uuid4()),
            account_id=account_id,
            version=sum(line.account_id == account_id for line in self.lines) + 1,
            command_id=f"command-{self.position + 1}",
            type=kind,
            schema_version=1,
            recorded_at=now,
            actor=self.actor,
            data=data,
        )
        self.lines.append(recorded)
