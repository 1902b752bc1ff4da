"""Which lots an account has had, who held them when, and what brought hours to them: all as the events say it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from contracts.events import ClosingFacts, Event, PackagePurchased, Reversal, TaskCorrected
from contracts.tasks import SettlementCause
from services.projections.balances.holders import Holder, holder_at, holders, tenures


class Fact(NamedTuple):
    """An event, where and when it was recorded, and who gave its command, unknown of old events."""

    position: int
    recorded_at: datetime
    event: Event
    actor: str | None = None


class Lot(NamedTuple):
    """Where a lot came from: a package bought, or a task whose hours could not go back."""

    lot_id: str
    plan: str | None
    agreed_minutes: int | None
    compensates_task_id: str | None
    starts_at: datetime


class Packages:
    """The packages of an account, from their facts in the order of recording."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts = list(facts)
        self._chains = holders(tenure for fact in self._facts for tenure in tenures(fact.event))
        self._lots = {lot.lot_id: lot for fact in self._facts if (lot := _lot(fact.event))}

    def lot(self, lot_id: str) -> Lot:
        return self._lots[lot_id]

    def holder(self, lot_id: str, at: datetime) -> Holder:
        """The package that held the lot then; the lot gave hours then, so it had not ended."""
        holder = holder_at(self._chains[lot_id], at)
        assert holder is not None, "a lot gives hours before its end (rule 6.1)"
        return holder

    def cause(self, settlement: Fact, closing: Fact) -> SettlementCause:
        """What brought the hours: the last fact before the settlement that can bring any to this debt (rule 6.4).

        A command's events stand together in the log, so between that fact and the settlement only what follows
        from it was recorded.
        """
        bringing = [fact for fact in self._facts if isinstance(fact.event, PackagePurchased | Reversal | TaskCorrected)]
        earlier = [closing, *(fact for fact in bringing if fact.position < settlement.position)]
        last = max(earlier, key=lambda fact: fact.position)
        match last.event:
            case PackagePurchased() as bought:
                return SettlementCause(
                    kind="purchase", package_id=bought.package_id, task_id=None, effective_at=bought.effective_at
                )
            case Reversal() | ClosingFacts() as of_task:
                kind = "closing" if last is closing else "reversal"
                return SettlementCause(
                    kind=kind, package_id=None, task_id=of_task.task_id, effective_at=of_task.effective_at
                )
            case _:
                raise AssertionError(f"{last.event} brings no hours")


def _lot(event: Event) -> Lot | None:
    match event:
        case PackagePurchased():
            size = event.agreed and event.agreed.minutes
            return Lot(event.package_id, event.plan, size, None, event.effective_at)
        case Reversal(compensation=given) | TaskCorrected(compensation=given) if given:
            return Lot(given.package_id, None, None, event.task_id, given.starts_at)
        case _:
            return None
