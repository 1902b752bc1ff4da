"""What packages hold at the end of a month, by what the months up to it have booked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from asyncpg import Connection

from contracts.quantities import hours_column
from contracts.reports import PackageLeft
from services.documents.formats import last_day_before
from services.projections.balances.holders import Holder, Tenure, holder_at, holders
from services.projections.monthly_reports.periods import first_instant_after

MOVED = """
    SELECT lot_id, kind, sum(minutes)::bigint AS minutes FROM report_entry
    WHERE account_id = $1 AND booking_month <= $2 AND position <= $3 AND recorded_at <= $4
    GROUP BY lot_id, kind
"""

TENURES = """
    SELECT booking_month <= $2, kind, subject_id, package_id, ends_at FROM report_tenure
    WHERE account_id = $1 AND position <= $3 AND recorded_at <= $4
    ORDER BY position, ordinal
"""

SIZES = """
    SELECT lot_id, plan, (agreed ->> 'minutes')::bigint AS agreed_minutes FROM report_lot WHERE account_id = $1
"""

OF_LOTS = {"purchased": 1, "compensated": 1, "returned": 1, "drawn": -1, "settled": -1, "forfeited": -1, "refunded": -1}
OF_DEBT = {"owed": -1, "settled": 1, "paid": 1, "cancelled": 1}
"""What entries do to what lots hold, and to the balance by way of the debt."""


async def packages_left(
    connection: Connection, account_id: str, month: str, until: int, recorded: datetime
) -> tuple[PackageLeft, ...]:
    """Packages with hours, in the order of their ends, then the debt: together the month's closing balance."""
    known = (account_id, month, until, recorded)
    moved = await connection.fetch(MOVED, *known)
    tenures = [(booked, Tenure(*tenure)) for booked, *tenure in await connection.fetch(TENURES, *known)]
    sizes = {lot["lot_id"]: lot for lot in await connection.fetch(SIZES, account_id)}
    held = _held((row["lot_id"], row["kind"], row["minutes"]) for row in moved)
    owed = sum(row["minutes"] * OF_DEBT.get(row["kind"], 0) for row in moved)
    # A month that was reopened can draw on a lot that a later month has booked.
    chains = holders(tenure for _, tenure in tenures) | holders(tenure for booked, tenure in tenures if booked)
    by_holder = _by_holder(held, chains, first_instant_after(month))
    return _rows(by_holder, owed, sizes)


def _held(moved: Iterable[tuple[str | None, str, int]]) -> Mapping[str, int]:
    """What is left in each lot."""
    held: defaultdict[str, int] = defaultdict(int)
    for lot_id, kind, minutes in moved:
        if lot_id and kind in OF_LOTS:
            held[lot_id] += OF_LOTS[kind] * minutes
    return held


def _by_holder(held: Mapping[str, int], chains: Mapping[str, list[Holder]], at: datetime) -> Mapping[Holder, int]:
    """What each package holds then; hours whose end has passed unrecorded stay with the package that held them last."""
    left: defaultdict[Holder, int] = defaultdict(int)
    for lot_id, minutes in held.items():
        if minutes:
            left[holder_at(chains[lot_id], at) or chains[lot_id][-1]] += minutes
    return left


def _rows(left: Mapping[Holder, int], owed: int, sizes: Mapping[str, Mapping[str, Any]]) -> tuple[PackageLeft, ...]:
    found = sorted(left.items(), key=lambda one: (one[0].ends_at, one[0].package_id))
    hours = iter(hours_column([*(minutes for _, minutes in found), owed]))
    rows = [
        PackageLeft(
            package_id=holder.package_id,
            plan=sizes[holder.package_id]["plan"],
            agreed_minutes=sizes[holder.package_id]["agreed_minutes"],
            minutes=minutes,
            hours=next(hours),
            last_day=last_day_before(holder.ends_at),
        )
        for holder, minutes in found
    ]
    if owed:
        rows.append(PackageLeft(package_id=None, plan=None, minutes=owed, hours=next(hours), last_day=None))
    return tuple(rows)
