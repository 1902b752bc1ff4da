"""The packages of an account: what each was sold as, and what it holds now, or where its hours have gone (rule 7)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from asyncpg import Connection, Record
from pydantic import TypeAdapter

from contracts.quantities import END_OF_TIME, POSITION_MAX, Instant, LotId, decimal_hours
from contracts.read_models import LotView, PackagePage, PackageState, PackageView
from services.projections.balances.holders import Holder, Tenure, holder_at, holders
from services.projections.balances.queries import START_OF_TIME, TENURES, agreed_of, require_account
from services.projections.paging import cursor_after, key_of

PACKAGE_KEY: TypeAdapter[tuple[Instant, LotId]] = TypeAdapter(tuple[Instant, LotId])

LOTS = """
    SELECT lot_id, plan, size_minutes, price_kopecks, agreed, starts_at, package_ends_at, remaining_minutes
    FROM lot WHERE account_id = $1 ORDER BY starts_at DESC, lot_id DESC
"""


async def packages(
    connection: Connection,
    account_id: str,
    *,
    state: PackageState | None,
    since: datetime | None,
    before: datetime | None,
    cursor: str | None,
    limit: int,
    now: datetime,
) -> PackagePage:
    """A page of the packages bought in [since, before), in that state or any, the newest first.

    Whatever is due by now counts as recorded (rule 7.5), so all lots of the account are looked at: tens, not thousands.
    """
    await require_account(connection, account_id)
    lots = await connection.fetch(LOTS, account_id)
    facts = [Tenure(*fact) for fact in await connection.fetch(TENURES, account_id, POSITION_MAX, END_OF_TIME)]
    found = [
        package
        for package in _views(lots, facts, now)
        if (since or START_OF_TIME) <= package.bought_at < (before or END_OF_TIME) and state in (None, package.state)
    ]
    if cursor is not None:
        after = key_of(cursor, PACKAGE_KEY)
        found = [package for package in found if (package.bought_at, package.package_id) < after]
    last = found[limit - 1] if len(found) > limit else None
    return PackagePage(
        account_id=account_id,
        packages=tuple(found[:limit]),
        next_cursor=last and cursor_after(last.bought_at, last.package_id),
    )


def _views(lots: Iterable[Record], facts: Collection[Tenure], now: datetime) -> Iterable[PackageView]:
    """Each package opens with a lot of the same id (rule 4.2), so lots are packages too."""
    chains = holders(facts)
    left = {lot["lot_id"]: lot["remaining_minutes"] for lot in lots}
    expired = {fact.subject_id for fact in facts if fact.kind == "expired"}
    carried_to = _carried_to(chains, left, expired)
    held: dict[str, list[LotView]] = {}
    forfeited: dict[str, int] = {}
    for lot in lots:
        chain = chains[lot["lot_id"]]
        holder = holder_at(chain, now)
        if holder is None:
            last = chain[-1].package_id
            forfeited[last] = forfeited.get(last, 0) + lot["remaining_minutes"]
        elif lot["remaining_minutes"]:
            held.setdefault(holder.package_id, []).append(_lot(lot, holder))
    for lot in lots:
        yield _view(lot, held.get(lot["lot_id"], []), forfeited.get(lot["lot_id"], 0), carried_to, now)


def _carried_to(
    chains: Mapping[str, list[Holder]], left: Mapping[str, int], expired: Collection[str]
) -> dict[str, str]:
    """The package that each one's hours go to: by what is recorded, or, before that, where any are left to go."""
    return {
        former.package_id: heir.package_id
        for lot_id, chain in chains.items()
        for former, heir in pairwise(chain)
        if former.package_id in expired or left[lot_id]
    }


def _lot(lot: Record, holder: Holder) -> LotView:
    of_lot = {name: value for name, value in lot.items() if name not in ("package_ends_at", "agreed")}
    return LotView(**of_lot, agreed=agreed_of(lot["agreed"]), package_id=holder.package_id, ends_at=holder.ends_at)


def _view(
    lot: Record, held: list[LotView], forfeited: int, carried_to: Mapping[str, str], now: datetime
) -> PackageView:
    package_id, remaining = lot["lot_id"], sum(lot.remaining_minutes for lot in held)
    ended: dict[str, Any] = {"state": "valid", "carried_to": None, "forfeited_minutes": 0}
    if lot["package_ends_at"] <= now:
        heir = carried_to.get(package_id)
        ended = {
            "state": "carried_over" if heir else "expired",
            "carried_to": heir,
            "forfeited_minutes": forfeited,
        }
    return PackageView(
        package_id=package_id,
        kind="purchase" if lot["plan"] else "compensation",
        plan=lot["plan"],
        bought_at=lot["starts_at"],
        ends_at=lot["package_ends_at"],
        size_minutes=lot["size_minutes"],
        price_kopecks=lot["price_kopecks"],
        agreed=agreed_of(lot["agreed"]),
        remaining_minutes=remaining,
        remaining_hours=decimal_hours(remaining),
        lots=tuple(sorted(held, key=lambda one: (one.starts_at, one.lot_id))),
        **ended,
    )
