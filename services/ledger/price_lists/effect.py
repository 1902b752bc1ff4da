"""What a version of the terms would have changed, by account, had it been in force for what has happened (rule 3.4).

Each purchase, closing and payment is charged anew by itself; what then would have been drawn, owed or settled otherwise
is not followed further.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from contracts.events import ClosingFacts, DebtPaid, Event, PackagePurchased, Reversal, TaskCorrected
from contracts.quantities import rounded_division
from contracts.terms import EffectOnAccount, TermsVersion

JUDGED = ("PackagePurchased", "TaskClosed", "TaskCorrected", "WarrantyMarked", "TaskReopened", "DebtPaid")
"""The types of events that say something of prices and coefficients."""


class Charge(NamedTuple):
    """Of a closing that stands: what it would have been charged, less what it was; whether its time would fit."""

    minutes: int
    in_quantum: bool


class Effect:
    """Takes the events of all accounts, in their order, from an instant on."""

    def __init__(self, version: TermsVersion, since: datetime) -> None:
        self._version = version
        self._since = since
        self._changed: dict[str, EffectOnAccount] = {}
        self._charges: dict[tuple[str, str], Charge] = {}
        self._paid: dict[tuple[str, str, int], int] = {}

    def take(self, account_id: str, event: Event) -> None:
        """One event more; it counts where it took effect by then."""
        match event:
            case Reversal():
                self._charges.pop((account_id, event.task_id), None)
            case TaskCorrected() | ClosingFacts():
                self._charges.pop((account_id, event.task_id), None)
                if event.effective_at >= self._since:
                    self._charges[account_id, event.task_id] = self._charged(event)
            case PackagePurchased() if event.effective_at >= self._since:
                self._buy(account_id, event)
            case DebtPaid():
                self._pay(account_id, event)
            case _:
                pass

    def accounts(self) -> Iterator[EffectOnAccount]:
        """Those for which anything would have been otherwise, by id."""
        for (account_id, _), charge in self._charges.items():
            self._add(account_id, charged_minutes=charge.minutes, not_in_quantum=int(not charge.in_quantum))
        for account_id, changed in sorted(self._changed.items()):
            if changed != EffectOnAccount(account_id=account_id):
                yield changed

    def _charged(self, event: ClosingFacts) -> Charge:
        k = self._version.coefficients["warranty" if event.warranty else event.category]
        minutes = int(k * event.worked_minutes) - event.charged_minutes
        return Charge(minutes, event.worked_minutes % self._version.quantum_minutes == 0)

    def _buy(self, account_id: str, event: PackagePurchased) -> None:
        plan, agreed = self._version.plans.get(event.plan), event.agreed
        if plan is None:
            self._add(account_id, not_on_sale=(event.package_id,))
            return
        minutes, price = plan.minutes, plan.price_kopecks
        if agreed and agreed.minutes is not None:
            minutes = agreed.minutes
            price = rounded_division(minutes * plan.hour_price_kopecks, 60)
        if agreed and agreed.price_kopecks is not None:
            price = agreed.price_kopecks
        self._add(account_id, purchased_minutes=minutes - event.minutes, purchased_kopecks=price - event.price_kopecks)

    def _pay(self, account_id: str, event: DebtPaid) -> None:
        """Many payments of one closing cost what one costs, at either price (rule 6.5)."""
        for part in event.payments:
            closing = (account_id, part.task_id, part.closure)
            before = self._paid.get(closing, 0)
            after = self._paid[closing] = before + part.minutes
            if event.effective_at >= self._since:
                would, was = (
                    rounded_division(after * price, 60) - rounded_division(before * price, 60)
                    for price in (self._version.debt_hour_price_kopecks, event.hour_price_kopecks)
                )
                self._add(account_id, paid_kopecks=would - was)

    def _add(self, account_id: str, **more: int | tuple[str, ...]) -> None:
        known = self._changed.get(account_id) or EffectOnAccount(account_id=account_id)
        sums = {name: getattr(known, name) + value for name, value in more.items()}
        self._changed[account_id] = known.model_copy(update=sums)
