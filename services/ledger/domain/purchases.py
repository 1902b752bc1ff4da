"""A package is bought: what it opens, and whom it succeeds (rules 3, 4.2, 7.2)."""

from datetime import datetime

from contracts.commands import PurchasePackage
from contracts.events import PackagePurchased
from services.ledger.domain.local_time import end_of_validity
from services.ledger.domain.refusals import PackageAlreadyPurchased
from services.ledger.domain.state import Account, Package
from services.ledger.domain.terms import Terms


def purchase_package(command: PurchasePackage, account: Account, terms: Terms, now: datetime) -> PackagePurchased:
    """Open a lot at the price in force at the purchase, and say whom it succeeds (rules 3.1, 4.2, 7.2)."""
    if command.package_id in account.packages:
        raise PackageAlreadyPurchased(command.package_id)
    bought_at = min(command.purchased_at, now)
    in_force = terms.at(bought_at)
    plan = in_force.plans[command.plan]
    ends_at = end_of_validity(bought_at, plan.validity_months)
    heir_to = _predecessors(account, command.carry_over, bought_at, ends_at)
    return PackagePurchased(
        **account.times(bought_at),
        package_id=command.package_id,
        plan=plan.name,
        minutes=plan.minutes,
        price_kopecks=plan.price_kopecks,
        hour_price_kopecks=plan.hour_price_kopecks,
        terms_version=in_force.name,
        carry_over=command.carry_over,
        ends_at=ends_at,
        succeeds=tuple(package.package_id for package in heir_to),
        successor_package_id=_successor(account, bought_at, ends_at),
        low_balance_minutes=plan.minutes * in_force.low_balance_percent // 100,
        expiring_days=in_force.expiring_days,
    )


def _predecessors(account: Account, carry_over: bool, starts_at: datetime, ends_at: datetime) -> list[Package]:
    """Packages for which a purchase becomes the first bought after them, in time, and with a later end (rule 7.2)."""

    def succeeds(package: Package) -> bool:
        in_time = package.starts_at <= starts_at < package.ends_at < ends_at
        rival = package.successor_id and account.packages[package.successor_id].starts_at
        return in_time and (not rival or starts_at < rival)

    found = [package for package in account.packages.values() if carry_over and succeeds(package)]
    return sorted(found, key=lambda package: package.due_order)


def _successor(account: Account, starts_at: datetime, ends_at: datetime) -> str | None:
    """The package, recorded already, that was bought next after a purchase recorded late."""
    rivals = [
        package
        for package in account.packages.values()
        if package.takes_over and starts_at < package.starts_at < ends_at < package.ends_at
    ]
    first = min(rivals, key=lambda package: (package.starts_at, package.order), default=None)
    return first.package_id if first else None
