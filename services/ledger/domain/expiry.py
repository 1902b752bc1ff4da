"""Packages end: what is left is carried to a successor or forfeited; what was forfeited can be reclaimed (rule 7)."""

from collections.abc import Iterable
from datetime import datetime

from contracts.events import Event, HoursCarriedOver, LotShare, PackageExpired, PackagePurchased, Returned
from services.ledger.domain.lots import Lot
from services.ledger.domain.state import Account, Package


def next_expiry(account: Account, now: datetime) -> tuple[Event, ...]:
    """What the end of the first package due by now leads to, in order of (end, start, id) (rule 7.1)."""
    if not account.to_expire or account.to_expire[0][0] > now:
        return ()
    return _expired(account, account.packages[account.to_expire[0][2]])


def _expired(account: Account, package: Package) -> tuple[Event, ...]:
    """What is left is carried to the successor, or forfeited lot by lot (rule 7.2)."""
    left = [lot for lot in _lots(account, package) if lot.live_minutes]
    times = account.times(package.ends_at)
    if left and package.successor_id:
        heir = account.packages[package.successor_id]
        carried = _carried_over(account, package, heir.package_id, heir.ends_at, left, reclaimed=False)
        return carried, PackageExpired(**times, package_id=package.package_id, carried_to=package.successor_id)
    shares = _shares(left)
    expired = PackageExpired(
        **times,
        package_id=package.package_id,
        forfeited_minutes=sum(share.minutes for share in shares),
        forfeited_amount_kopecks=sum(share.amount_kopecks for share in shares),
        lots=shares,
    )
    return (expired,)


def reclaimed(account: Account, fact: Event) -> tuple[HoursCarriedOver, ...]:
    """A purchase recorded late takes what packages without a successor have forfeited since (rule 7.4).

    `account` is that before the purchase.
    """
    if not isinstance(fact, PackagePurchased):
        return ()
    taken_over: list[HoursCarriedOver] = []
    for package in (account.packages[package_id] for package_id in fact.succeeds):
        forfeited = _forfeited(account, package)
        if forfeited and package.successor_id is None:
            taken_over.append(_carried_over(account, package, fact.package_id, fact.ends_at, forfeited, reclaimed=True))
    return tuple(taken_over)


def gone_on(account: Account, returned: Iterable[Returned]) -> tuple[HoursCarriedOver, ...]:
    """What returned to a forfeiture goes on to a successor of its package that is known by now (rule 8.1)."""
    holders = {account.lots[back.lot_id].package_id for back in returned if back.forfeited}
    went: list[HoursCarriedOver] = []
    for package in sorted((account.packages[held] for held in holders), key=lambda package: package.due_order):
        if package.successor_id:
            heir = account.packages[package.successor_id]
            lots = _forfeited(account, package)
            went.append(_carried_over(account, package, heir.package_id, heir.ends_at, lots, reclaimed=True))
    return tuple(went)


def _carried_over(
    account: Account, former: Package, heir_id: str, ends_at: datetime, lots: list[Lot], *, reclaimed: bool
) -> HoursCarriedOver:
    """The lots keep origin, price and money, and take the successor's end (rule 7.2)."""
    shares = _shares(lots)
    return HoursCarriedOver(
        **account.times(former.ends_at),
        from_package_id=former.package_id,
        to_package_id=heir_id,
        minutes=sum(share.minutes for share in shares),
        lots=shares,
        ends_at=ends_at,
        reclaimed=reclaimed,
    )


def _lots(account: Account, package: Package) -> list[Lot]:
    return [account.lots[lot_id] for lot_id in package.lot_ids]


def _forfeited(account: Account, package: Package) -> list[Lot]:
    return [lot for lot in _lots(account, package) if lot.expired and lot.left_minutes]


def _shares(lots: Iterable[Lot]) -> tuple[LotShare, ...]:
    return tuple(
        LotShare(lot_id=lot.lot_id, minutes=lot.left_minutes, amount_kopecks=lot.unbooked_kopecks) for lot in lots
    )
