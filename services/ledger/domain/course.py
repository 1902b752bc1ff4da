"""The course of one command: the account as it stands, and the events so far; then what follows from any fact.

After the fact come reclaimed hours (7.4), debt (6.4) and whatever is due, until neither does anything (rule 11.1).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from contracts.events import DebtSettled, Event, HoursCarriedOver, LotShare, PackageExpired
from services.ledger.domain.evolution import evolve
from services.ledger.domain.lots import Lot
from services.ledger.domain.state import Account, Debt, Package


class Times(TypedDict):
    """When an event counts, and in which month's report it stands (rule 2.1)."""

    effective_at: datetime
    booking_month: str


class Course:
    """What one command has led to so far."""

    def __init__(self, account: Account, now: datetime) -> None:
        self.account = account
        self.now = now
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        """The event happens: later decisions see its effect."""
        self.account = evolve(self.account, event)
        self.events.append(event)

    def times(self, effective_at: datetime) -> Times:
        """Effect and booking month of an event (rule 10.1)."""
        return {"effective_at": effective_at, "booking_month": self.account.booking_month(effective_at)}


def expire(course: Course) -> bool:
    """Expire every package due by now, in order of (end, start, id) (rule 7.1); true if there was one."""
    found = False
    while course.account.to_expire and course.account.to_expire[0][0] <= course.now:
        found = True
        _expire_package(course, course.account.packages[course.account.to_expire[0][2]])
    return found


def _expire_package(course: Course, package: Package) -> None:
    """What is left is carried to the successor, or forfeited lot by lot (rule 7.2)."""
    lots = [course.account.lots[lot_id] for lot_id in package.lot_ids]
    left = [lot for lot in lots if lot.live_minutes]
    times = course.times(package.ends_at)
    if left and package.successor_id:
        carry_over(course, package, package.successor_id, left, reclaimed=False)
        course.record(PackageExpired(**times, package_id=package.package_id, carried_to=package.successor_id))
        return
    shares = _shares(left)
    expired = PackageExpired(
        **times,
        package_id=package.package_id,
        forfeited_minutes=sum(share.minutes for share in shares),
        forfeited_amount_kopecks=sum(share.amount_kopecks for share in shares),
        lots=shares,
    )
    course.record(expired)


def carry_over(course: Course, former: Package, to_package_id: str, lots: list[Lot], *, reclaimed: bool) -> None:
    """The lots keep origin, price and money, and take the successor's end (rule 7.2)."""
    shares = _shares(lots)
    event = HoursCarriedOver(
        **course.times(former.ends_at),
        from_package_id=former.package_id,
        to_package_id=to_package_id,
        minutes=sum(share.minutes for share in shares),
        lots=shares,
        ends_at=course.account.packages[to_package_id].ends_at,
        reclaimed=reclaimed,
    )
    course.record(event)


def _shares(lots: Iterable[Lot]) -> tuple[LotShare, ...]:
    return tuple(
        LotShare(lot_id=lot.lot_id, minutes=lot.left_minutes, amount_kopecks=lot.unbooked_kopecks) for lot in lots
    )


def reclaim(course: Course, to_package_id: str, predecessors: Iterable[Package]) -> None:
    """A purchase recorded late takes over what packages without a successor have forfeited since (rule 7.4)."""
    for package in sorted(predecessors, key=lambda package: package.due_order):
        lots = [course.account.lots[lot_id] for lot_id in course.account.packages[package.package_id].lot_ids]
        forfeited = [lot for lot in lots if lot.expired and lot.left_minutes]
        if forfeited:
            carry_over(course, package, to_package_id, forfeited, reclaimed=True)


def settle(course: Course, triggered_at: datetime) -> bool:
    """Pay debt, the oldest first, with the first hours that were there after it arose (rule 6.4)."""
    found = False
    for debt in course.account.debts:
        usable = list(course.account.lots_ending_after(max(debt.effective_at, triggered_at)))
        if not usable:
            break
        found = _settle_debt(course, debt, usable, triggered_at) or found
    return found


def _settle_debt(course: Course, debt: Debt, usable: list[Lot], triggered_at: datetime) -> bool:
    since = max(debt.effective_at, triggered_at)
    offers = [(max(since, lot.starts_at), lot) for lot in usable if lot.starts_at < lot.ends_at]
    owed = debt.minutes
    for at, lot in sorted(offers, key=lambda offer: (offer[0], offer[1].priority(offer[0]))):
        if not owed:
            break
        given = lot.give(min(owed, lot.left_minutes))
        owed -= given.minutes
        settled = DebtSettled(
            **course.times(at),
            task_id=debt.task_id,
            closure=debt.closure,
            **given.model_dump(),
        )
        course.record(settled)
    return bool(offers)
