"""The report of any month, open or closed, as known at any time (rules 10.3, 12)."""

from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple

import orjson
from asyncpg import Connection, Record

from contracts.quantities import KnownAt, decimal_hours, hours_column, known_bounds, month_of
from contracts.reports import (
    MonthlyReport,
    Party,
    ReportCarry,
    ReportDraw,
    ReportForfeit,
    ReportLine,
    ReportPurchase,
    ReportSettlement,
    ReportTotals,
)
from services.projections.lookups import UnknownAccount
from services.projections.monthly_reports.seller import Seller

ACCOUNT = "SELECT customer_name, contract_number, contract_date, requisites FROM report_account WHERE account_id = $1"

OPENING = """
    SELECT coalesce(sum(balance_minutes), 0)::bigint FROM report_entry
    WHERE account_id = $1 AND booking_month < $2 AND position <= $3 AND recorded_at <= $4
"""

ENTRIES = """
    SELECT entry.*, closing.title, closing.category, closing.coefficient, closing.effective_at AS closed_at,
           lot.plan, lot.ends_at
    FROM report_entry AS entry
    LEFT JOIN report_closing AS closing USING (account_id, task_id, closure)
    LEFT JOIN report_lot AS lot USING (account_id, lot_id)
    WHERE account_id = $1 AND booking_month = $2 AND entry.position <= $3 AND entry.recorded_at <= $4
    ORDER BY entry.position, entry.ordinal
"""

BOOKED = """
    SELECT account_id, sum(balance_minutes)::bigint AS minutes FROM report_entry
    WHERE $1::text[] IS NULL OR account_id = ANY ($1) GROUP BY account_id
"""

MONTHS = """
    SELECT position, month, closed FROM report_month
    WHERE account_id = $1 AND position <= $2 AND recorded_at <= $3 ORDER BY position
"""

FROZEN = "SELECT report_hash FROM report_frozen WHERE account_id = $1 AND month = $2 AND position = $3"

# What was known at an instant rests on this, whatever has been recorded since.
LAST_KNOWN = """
    SELECT greatest(0,
        (SELECT max(position) FROM report_entry WHERE account_id = $1 AND recorded_at <= $2),
        (SELECT max(position) FROM report_month WHERE account_id = $1 AND recorded_at <= $2))
"""

TAKEN_BACK = ("returned", "compensated")


class Asked(NamedTuple):
    """Which report."""

    account_id: str
    month: str
    known_at: KnownAt


async def report(connection: Connection, asked: Asked, position: int, seller: Seller) -> MonthlyReport:
    """The month's report; UnknownAccount for an account that was never opened.

    `position`: how far the projection has come. A closed month rests on the event that closed it, an open one on the
    last that was known.
    """
    until, recorded = known_bounds(asked.known_at)
    account = await connection.fetchrow(ACCOUNT, asked.account_id)
    if account is None:
        raise UnknownAccount(asked.account_id)
    opening = await connection.fetchval(OPENING, asked.account_id, asked.month, until, recorded)
    entries = await connection.fetch(ENTRIES, asked.account_id, asked.month, until, recorded)
    closed_by = _closed_by(asked.month, await connection.fetch(MONTHS, asked.account_id, until, recorded))
    closing = opening + sum(entry["balance_minutes"] for entry in entries)
    if isinstance(asked.known_at, datetime):
        position = await connection.fetchval(LAST_KNOWN, asked.account_id, recorded)
    return MonthlyReport(
        account_id=asked.account_id,
        month=asked.month,
        closed=closed_by is not None,
        report_hash=await connection.fetchval(FROZEN, asked.account_id, asked.month, closed_by),
        known_at=asked.known_at,
        position=closed_by or min(until, position),
        seller=seller.party_on(last_day(asked.month)),
        customer=Party(name=account["customer_name"], **orjson.loads(account["requisites"] or "{}")),
        contract_number=account["contract_number"],
        contract_date=account["contract_date"],
        opening_balance_minutes=opening,
        opening_balance_hours=decimal_hours(opening),
        closing_balance_minutes=closing,
        closing_balance_hours=decimal_hours(closing),
        **_parts(asked.month, entries),
    )


def last_day(month: str) -> date:
    """The day whose seller and VAT mode a month's documents name, and which an act is dated."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, monthrange(year, number)[1])


async def booked_minutes(connection: Connection, account_ids: Collection[str] | None) -> dict[str, int]:
    """What all months of each account, or of all accounts, come to: its balance by what is recorded."""
    return {row["account_id"]: row["minutes"] for row in await connection.fetch(BOOKED, account_ids)}


def _closed_by(month: str, changes: Iterable[Record]) -> int | None:
    """The position of the event that closed the month, if it is closed: with any later one, until reopened (10.1)."""
    closed_by: int | None = None
    for change in changes:
        if change["closed"] and month <= change["month"]:
            closed_by = closed_by or change["position"]
        elif not change["closed"] and month == change["month"]:
            closed_by = None
    return closed_by


def _parts(month: str, entries: Sequence[Record]) -> dict[str, Any]:
    lines = _lines(month, [entry for entry in entries if entry["task_id"]])
    by_kind = {kind: [entry for entry in entries if entry["kind"] in kinds] for kind, kinds in _TABLES.items()}
    return {
        "lines": lines,
        "purchases": _column(by_kind["purchases"], _purchase),
        "carried_over": _column(by_kind["carried_over"], _carry),
        "forfeited": _column(by_kind["forfeited"], _forfeit),
        "settled": _column(by_kind["settled"], _settlement),
        "paid": _column(by_kind["paid"], _settlement),
        "totals": _totals(lines, by_kind, entries),
    }


_TABLES = {
    "purchases": ("purchased", "compensated"),
    "carried_over": ("carried", "reclaimed"),
    "forfeited": ("forfeited",),
    "settled": ("settled",),
    "paid": ("paid",),
}


def _column(entries: Sequence[Record], row: Any) -> tuple[Any, ...]:
    """Rows whose hours add up to their rounded total."""
    hours = hours_column([entry["minutes"] for entry in entries])
    return tuple(row(entry, shown) for entry, shown in zip(entries, hours, strict=True))


def _lines(month: str, entries: Sequence[Record]) -> tuple[ReportLine, ...]:
    """One line a closing, in the order in which they were first booked in the month."""
    first: dict[tuple[str, int], int] = {}
    for number, entry in enumerate(entries):
        first.setdefault((entry["task_id"], entry["closure"]), number)

    def place(entry: Record) -> int:
        return first[entry["task_id"], entry["closure"]]

    groups = [list(group) for _, group in groupby(sorted(entries, key=place), key=place)]
    worked = hours_column([sum(entry["worked_minutes"] for entry in group) for group in groups])
    charged = hours_column([sum(entry["charged_minutes"] for entry in group) for group in groups])
    return tuple(_line(month, group, *hours) for group, *hours in zip(groups, worked, charged, strict=True))


def _line(month: str, group: Sequence[Record], worked_hours: str, charged_hours: str) -> ReportLine:
    of = group[0]
    return ReportLine(
        task_id=of["task_id"],
        closure=of["closure"],
        title=of["title"],
        category=of["category"],
        coefficient=of["coefficient"],
        effective_at=of["closed_at"],
        worked_minutes=sum(entry["worked_minutes"] for entry in group),
        worked_hours=worked_hours,
        charged_minutes=sum(entry["charged_minutes"] for entry in group),
        charged_hours=charged_hours,
        amount_kopecks=sum(entry["amount_kopecks"] for entry in group),
        kind=_kind(month, group),
        draws=_draws(group),
    )


def _kind(month: str, group: Sequence[Record]) -> Any:
    """A correction took effect in a month that was closed already; a settlement pays for an earlier one."""
    if any(month_of(entry["effective_at"]) < month for entry in group):
        return "correction"
    return "closing" if month_of(group[0]["closed_at"]) == month else "settlement"


def _draws(group: Iterable[Record]) -> tuple[ReportDraw, ...]:
    """What each lot gave in the month, less what went back."""
    given: dict[str, list[Any]] = {}
    for entry in group:
        if entry["lot_id"]:
            sign = -1 if entry["kind"] in TAKEN_BACK else 1
            draw = given.setdefault(entry["lot_id"], [entry["plan"], 0, 0])
            draw[1] += sign * entry["minutes"]
            draw[2] += entry["amount_kopecks"]
    return tuple(
        ReportDraw(lot_id=lot_id, plan=plan, minutes=minutes, amount_kopecks=amount)
        for lot_id, (plan, minutes, amount) in given.items()
    )


def _purchase(entry: Record, hours: str) -> ReportPurchase:
    return ReportPurchase(
        package_id=entry["lot_id"],
        plan=entry["plan"],
        effective_at=entry["effective_at"] if entry["plan"] else entry["recorded_at"],
        ends_at=entry["ends_at"],
        minutes=entry["minutes"],
        hours=hours,
        amount_kopecks=abs(entry["amount_kopecks"]),
    )


def _carry(entry: Record, hours: str) -> ReportCarry:
    return ReportCarry(
        from_package_id=entry["lot_id"],
        to_package_id=entry["to_package_id"],
        effective_at=entry["effective_at"],
        minutes=entry["minutes"],
        hours=hours,
        reclaimed=entry["kind"] == "reclaimed",
    )


def _forfeit(entry: Record, hours: str) -> ReportForfeit:
    return ReportForfeit(
        package_id=entry["lot_id"],
        effective_at=entry["effective_at"],
        minutes=entry["minutes"],
        hours=hours,
        amount_kopecks=entry["amount_kopecks"],
    )


def _settlement(entry: Record, hours: str) -> ReportSettlement:
    return ReportSettlement(
        task_id=entry["task_id"],
        closure=entry["closure"],
        lot_id=entry["lot_id"],
        effective_at=entry["effective_at"],
        minutes=entry["minutes"],
        hours=hours,
        amount_kopecks=entry["amount_kopecks"],
        payment_reference=entry["payment_reference"],
    )


def _totals(lines: Sequence[ReportLine], by_kind: dict[str, list[Record]], entries: Sequence[Record]) -> ReportTotals:
    """closing balance = opening + purchased + paid - charged - forfeited: what else moved, moved within the balance."""
    corrections = [line for line in lines if line.kind == "correction"]

    def minutes(*kinds: str) -> int:
        return sum(entry["minutes"] for entry in entries if entry["kind"] in kinds)

    worked, charged = (sum(getattr(line, name) for line in lines) for name in ("worked_minutes", "charged_minutes"))
    return ReportTotals(
        worked_minutes=worked,
        worked_hours=decimal_hours(worked),
        charged_minutes=charged,
        charged_hours=decimal_hours(charged),
        amount_kopecks=sum(line.amount_kopecks for line in lines),
        corrected_minutes=sum(line.charged_minutes for line in corrections),
        corrected_kopecks=sum(line.amount_kopecks for line in corrections),
        purchased_minutes=minutes("purchased"),
        compensated_minutes=minutes("compensated"),
        carried_over_minutes=minutes("carried", "reclaimed"),
        forfeited_minutes=minutes("forfeited"),
        settled_minutes=minutes("settled"),
        paid_minutes=minutes("paid"),
    )
