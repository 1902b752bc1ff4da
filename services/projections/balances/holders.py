"""Which package holds a lot, and until when: followed from what is known, and beyond it by rule 7.5."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from contracts.events import (
    Event,
    HoursCarriedOver,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    Reversal,
    TaskClosed,
    TaskCorrected,
)


class Tenure(NamedTuple):
    """A fact about holding.

    `held`: the lot `subject_id` is held by `package_id` until `ends_at`. `succeeded`: what package `subject_id` leaves
    at its end goes to `package_id`, or to none any more. `expired`: package `subject_id` has expired, and with it the
    lots it holds.
    """

    kind: Literal["held", "succeeded", "expired"]
    subject_id: str
    package_id: str | None = None
    ends_at: datetime | None = None


class Holder(NamedTuple):
    """A package that holds a lot up to its own end."""

    package_id: str
    ends_at: datetime


def tenures(event: Event) -> list[Tenure]:
    """What the event says about who holds what. A package opens with a lot of the same id (rule 4.2)."""
    match event:
        case TaskClosed():  # most events are
            return []
        case PackagePurchased(package_id=new, successor_package_id=heir):
            facts = [Tenure("held", new, new, event.ends_at)]
            facts += [Tenure("succeeded", former, new) for former in event.succeeds]
            return [*facts, Tenure("succeeded", new, heir)] if heir else facts
        case Reversal(compensation=given) | TaskCorrected(compensation=given) if given:
            return [Tenure("held", given.package_id, given.package_id, given.ends_at)]
        case HoursCarriedOver():
            return [Tenure("held", share.lot_id, event.to_package_id, event.ends_at) for share in event.lots]
        case PackageRefunded():
            return [Tenure("succeeded", heir.package_id, heir.successor_package_id) for heir in event.succeeded]
        case PackageExpired():
            return [Tenure("expired", event.package_id)]
        case _:
            return []


def holders(facts: Iterable[Tenure]) -> dict[str, list[Holder]]:
    """Each lot's holders, one after another, from the facts in the order of recording.

    The last one's end is the lot's. A lot whose package has not expired yet goes on to that package's successor, as
    if what will be due had been recorded (rule 7.5); a question about an instant before is not affected.
    """
    chains: dict[str, list[Holder]] = {}
    ends: dict[str, datetime] = {}
    successors: dict[str, str] = {}
    alive: defaultdict[str, set[str]] = defaultdict(set)
    for fact in facts:
        match fact:
            case Tenure("held", lot_id, str(package_id), datetime() as ends_at):
                chain = chains.setdefault(lot_id, [])
                if chain:
                    alive[chain[-1].package_id].discard(lot_id)
                chain.append(Holder(package_id, ends_at))
                alive[package_id].add(lot_id)
                if lot_id == package_id:
                    ends[package_id] = ends_at
            case Tenure("succeeded", package_id, str(heir)):
                successors[package_id] = heir
            case Tenure("succeeded", package_id):
                successors.pop(package_id, None)
            case Tenure("expired", package_id):
                alive.pop(package_id, None)
    for package_id, lot_ids in alive.items():
        heirs = _heirs(package_id, successors, ends)
        for lot_id in lot_ids:
            chains[lot_id] += heirs
    return chains


def _heirs(package_id: str, successors: dict[str, str], ends: dict[str, datetime]) -> list[Holder]:
    """The packages that will take over one after another; each ends later than the one before (rule 7.2)."""
    heirs: list[Holder] = []
    while (heir := successors.get(package_id)) in ends and ends[heir] > ends[package_id]:
        heirs.append(Holder(heir, ends[heir]))
        package_id = heir
    return heirs


def holder_at(chain: list[Holder], instant: datetime) -> Holder | None:
    """The package that holds the lot then; None once the lot has ended."""
    return next((holder for holder in chain if instant < holder.ends_at), None)
