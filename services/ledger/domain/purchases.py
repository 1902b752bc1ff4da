"""A package is bought: what it opens, and whom it succeeds (rules 3, 4.2, 7.2)."""

from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.commands import PurchasePackage
from contracts.events import Agreed, PackagePurchased
from contracts.quantities import rounded_division
from services.ledger.domain.consents import require_past
from services.ledger.domain.local_time import end_of_validity, local_date, midnight
from services.ledger.domain.refusals import InvalidRequest, PackageAlreadyPurchased, UnknownPlan
from services.ledger.domain.state import Account, Package
from services.ledger.domain.terms import Plan, Terms


def require_purchasable(command: PurchasePackage, terms: Terms, now: datetime) -> None:
    """Refuse a plan that was not on sale, then a purchase that lies ahead, then a last day before it (rule 3.3)."""
    bought_at = min(command.purchased_at, now)
    if command.plan not in terms.at(bought_at).plans:
        raise UnknownPlan(command.plan)
    require_past("purchased_at", command.purchased_at, now)
    ends_on = command.agreed and command.agreed.ends_on
    if ends_on and ends_on < local_date(bought_at):
        remedy = "Give a last day that is not before the day of the purchase in Moscow."
        raise InvalidRequest(ends_on.isoformat(), "agreed.ends_on", remedy)


class Bought(NamedTuple):
    """What a purchase comes to: what was agreed for it alone, else what its plan says (rule 3.3)."""

    minutes: int
    price_kopecks: int
    ends_at: datetime


def purchase_package(command: PurchasePackage, account: Account, terms: Terms, now: datetime) -> PackagePurchased:
    """Open a lot at the price in force at the purchase, and say whom it succeeds (rules 3.1, 4.2, 7.2)."""
    if command.package_id in account.packages:
        raise PackageAlreadyPurchased(command.package_id)
    bought_at = min(command.purchased_at, now)
    in_force = terms.at(bought_at)
    plan = in_force.plans[command.plan]
    bought = _bought(command.agreed, plan, bought_at)
    heir_to = _predecessors(account, command.carry_over, bought_at, bought.ends_at)
    return PackagePurchased(
        **account.times(bought_at),
        package_id=command.package_id,
        plan=plan.name,
        minutes=bought.minutes,
        price_kopecks=bought.price_kopecks,
        hour_price_kopecks=plan.hour_price_kopecks,
        terms_version=in_force.name,
        carry_over=command.carry_over,
        ends_at=bought.ends_at,
        succeeds=tuple(package.package_id for package in heir_to),
        successor_package_id=_successor(account, bought_at, bought.ends_at),
        low_balance_minutes=bought.minutes * in_force.low_balance_percent // 100,
        expiring_days=in_force.expiring_days,
        agreed=command.agreed,
    )


def _bought(agreed: Agreed | None, plan: Plan, bought_at: datetime) -> Bought:
    """Where a size was agreed and no price, the price is the plan's, by the hour (rule 3.3)."""
    minutes, price = plan.minutes, plan.price_kopecks
    ends_at = end_of_validity(bought_at, plan.validity_months)
    if agreed is None:
        return Bought(minutes, price, ends_at)
    if agreed.minutes is not None:
        minutes = agreed.minutes
        price = rounded_division(minutes * plan.hour_price_kopecks, 60)
    if agreed.price_kopecks is not None:
        price = agreed.price_kopecks
    if agreed.ends_on is not None:
        ends_at = midnight(agreed.ends_on + timedelta(days=1))
    return Bought(minutes, price, ends_at)


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
    return account.successor_of(Package("", starts_at, ends_at, account.version, takes_over=False, lot_ids=()))
