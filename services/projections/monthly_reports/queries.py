"""The report of any month, open or closed, as known at any time (rules 10.3, 12)."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from asyncpg import Connection

from contracts.quantities import KnownAt, decimal_hours, known_bounds
from contracts.reports import MonthlyReport
from services.documents.seller import Seller
from services.projections.lookups import UnknownAccount
from services.projections.monthly_reports.customers import customers_on, party
from services.projections.monthly_reports.frozen import GONE
from services.projections.monthly_reports.packages_left import packages_left
from services.projections.monthly_reports.periods import last_day
from services.projections.monthly_reports.revisions import changes_of_months, revisions
from services.projections.monthly_reports.tables import tables

OPENING = """
    SELECT coalesce(sum(balance_minutes), 0)::bigint FROM report_entry
    WHERE account_id = $1 AND booking_month < $2 AND position <= $3 AND recorded_at <= $4
"""

ENTRIES = """
    SELECT entry.*, closing.title, closing.category, closing.coefficient, closing.effective_at AS closed_at,
           closing.work, closing.estimated_minutes, lot.plan, lot.ends_at, lot.agreed
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

FROZEN = "SELECT report_hash FROM report_frozen WHERE account_id = $1 AND month = $2 AND position = $3"

# What was known at an instant rests on this, whatever has been recorded since.
LAST_KNOWN = """
    SELECT greatest(0,
        (SELECT max(position) FROM report_entry WHERE account_id = $1 AND recorded_at <= $2),
        (SELECT max(position) FROM report_month WHERE account_id = $1 AND recorded_at <= $2),
        (SELECT max(position) FROM report_customer
         WHERE account_id = $1 AND recorded_at <= $2 AND effective_on > '-infinity'))
"""


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
    bounds = known_bounds(asked.known_at)
    day = last_day(asked.month)
    account = (await customers_on(connection, asked.account_id, [day], *bounds)).get(day)
    if account is None:
        raise UnknownAccount(asked.account_id)
    opening = await connection.fetchval(OPENING, asked.account_id, asked.month, *bounds)
    entries = await connection.fetch(ENTRIES, asked.account_id, asked.month, *bounds)
    known = revisions(asked.month, await changes_of_months(connection, asked.account_id, *bounds))
    closed_by = known.closed_by
    frozen = await connection.fetchval(FROZEN, asked.account_id, asked.month, closed_by)
    closing = opening + sum(entry["balance_minutes"] for entry in entries)
    return MonthlyReport(
        account_id=asked.account_id,
        month=asked.month,
        closed=closed_by is not None,
        report_hash=frozen or (GONE if known.froze(asked.month) else None),
        known_at=asked.known_at,
        position=closed_by or await last_known(connection, asked.account_id, asked.known_at, position),
        seller=seller.party_on(day),
        customer=party(account),
        contract_number=account["contract_number"],
        contract_date=account["contract_date"],
        opening_balance_minutes=opening,
        opening_balance_hours=decimal_hours(opening),
        closing_balance_minutes=closing,
        closing_balance_hours=decimal_hours(closing),
        packages_left=await packages_left(connection, asked.account_id, asked.month, *bounds),
        rules_edition=known.rules_edition,
        **tables(asked.month, opening, entries, known.rules_edition),
    )


async def closed_at(connection: Connection, asked: Asked) -> datetime | None:
    """When the month was closed last, if it is, by what was known then."""
    changes = await changes_of_months(connection, asked.account_id, *known_bounds(asked.known_at))
    known = revisions(asked.month, changes)
    return known.times_closed[-1].recorded_at if known.is_closed else None


async def last_known(connection: Connection, account_id: str, known_at: KnownAt, position: int) -> int:
    """The last position that what was known then rests on; `position`: how far the projection has come."""
    until, recorded = known_bounds(known_at)
    if isinstance(known_at, datetime):
        position = await connection.fetchval(LAST_KNOWN, account_id, recorded)
    return min(until, position)


async def booked_minutes(connection: Connection, account_ids: Collection[str] | None) -> dict[str, int]:
    """What all months of each account, or of all accounts, come to: its balance by what is recorded."""
    return {row["account_id"]: row["minutes"] for row in await connection.fetch(BOOKED, account_ids)}
