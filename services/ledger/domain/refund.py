"""Money given back for what is left in a lot (rule 14)."""

from datetime import datetime

from contracts.commands import RefundPackage
from contracts.events import PackageRefunded, Succession
from services.ledger.domain.refusals import NothingToRefund, PackageNotFound, RefundExceedsPrice
from services.ledger.domain.state import Account


def refund_package(command: RefundPackage, account: Account, now: datetime) -> PackageRefunded:
    """What is left leaves the lot; of what is not booked on it, the seller keeps what is not given back (rule 14.2)."""
    lot = account.lots.get(command.package_id)
    if lot is None:
        raise PackageNotFound(command.package_id)
    if not lot.live_minutes:
        raise NothingToRefund(command.package_id)
    amount = lot.unbooked_kopecks if command.amount_kopecks is None else command.amount_kopecks
    if amount > lot.unbooked_kopecks:
        raise RefundExceedsPrice(amount)
    return PackageRefunded(
        **account.times(now),
        lot_id=lot.lot_id,
        package_id=lot.package_id,
        refunded_minutes=lot.left_minutes,
        refunded_kopecks=amount,
        retained_kopecks=lot.unbooked_kopecks - amount,
        reason=command.reason,
        refund_reference=command.refund_reference,
        succeeded=_succeeded(account, lot.lot_id),
    )


def _succeeded(account: Account, package_id: str) -> tuple[Succession, ...]:
    """A package whose own lot was refunded takes over from none any more (rule 14.3); the next may."""
    orphans = (package for package in account.packages.values() if package.successor_id == package_id)
    return tuple(
        Succession(package_id=orphan.package_id, successor_package_id=account.successor_of(orphan, but=package_id))
        for orphan in sorted(orphans, key=lambda orphan: orphan.due_order)
    )
