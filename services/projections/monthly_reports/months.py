"""A month over all accounts: whose is closed and since when, and what was booked into it."""

from collections import defaultdict
from collections.abc import Collection

from asyncpg import Connection
from pydantic import TypeAdapter

from contracts.months import AccountMonth, MonthPage
from contracts.quantities import AccountId, decimal_hours
from services.projections.customer_data import IN_FORCE
from services.projections.monthly_reports.periods import first_instant_after, last_day, month_before
from services.projections.monthly_reports.revisions import Change, revisions
from services.projections.monthly_reports.totals import MONEY_OF_CLOSINGS
from services.projections.paging import cursor_after, key_of

KEY: TypeAdapter[tuple[str]] = TypeAdapter(tuple[AccountId])
"""What a cursor holds: the account after which the page begins."""

ACCOUNTS = """
    SELECT DISTINCT account_id FROM report_customer
    WHERE account_id > $1 AND ($2::text[] IS NULL OR account_id = ANY($2)) ORDER BY account_id LIMIT $3
"""

CUSTOMERS = f"""
    SELECT account_id, {IN_FORCE} FROM report_customer
    WHERE account_id = ANY($1) AND effective_on <= $2 GROUP BY account_id
"""  # noqa: S608 - column names of ours

CHANGES = """
    SELECT account_id, position, recorded_at, month, closed, rules_edition, frozen_months FROM report_month
    WHERE account_id = ANY($1) AND month >= $2 ORDER BY account_id, position
"""

BOOKED = """
    SELECT account_id, sum(charged_minutes)::bigint AS charged_minutes,
        coalesce(sum(amount_kopecks) FILTER (WHERE kind = ANY($3)), 0)::bigint AS amount_kopecks,
        count(DISTINCT task_id) FILTER (WHERE worked_minutes > 0 AND recorded_at >= $5) AS late_tasks,
        count(DISTINCT task_id) FILTER (WHERE worked_minutes > 0 AND effective_at < $4) AS earlier_tasks
    FROM report_entry WHERE account_id = ANY($1) AND booking_month = $2 GROUP BY account_id
"""


async def month_of_accounts(
    connection: Connection, month: str, scope: Collection[str] | None, cursor: str | None, limit: int
) -> MonthPage:
    """A page of the month, of all accounts or of those in the scope."""
    after = key_of(cursor, KEY)[0] if cursor else ""
    within = sorted(scope) if scope is not None else None
    found = [row["account_id"] for row in await connection.fetch(ACCOUNTS, after, within, limit + 1)]
    shown = found[:limit]
    customers = {row["account_id"]: row for row in await connection.fetch(CUSTOMERS, shown, last_day(month))}
    begins, ends = first_instant_after(month_before(month)), first_instant_after(month)
    rows = await connection.fetch(BOOKED, shown, month, list(MONEY_OF_CLOSINGS), begins, ends)
    booked = {row["account_id"]: row for row in rows}
    changes: dict[str, list[Change]] = defaultdict(list)
    for account_id, *change in await connection.fetch(CHANGES, shown, month):
        changes[account_id].append(Change(*change))

    def row_of(account_id: str) -> AccountMonth:
        known = revisions(month, changes[account_id])
        sums = booked.get(account_id)
        minutes = sums["charged_minutes"] if sums else 0
        return AccountMonth(
            account_id=account_id,
            customer_name=customers[account_id]["customer_name"],
            contract_number=customers[account_id]["contract_number"],
            closed=known.is_closed,
            revision=known.number,
            closed_at=known.times_closed[-1].recorded_at if known.is_closed else None,
            charged_minutes=minutes,
            charged_hours=decimal_hours(minutes),
            amount_kopecks=sums["amount_kopecks"] if sums else 0,
            late_tasks=sums["late_tasks"] if sums else 0,
            earlier_tasks=sums["earlier_tasks"] if sums else 0,
        )

    following = cursor_after(shown[-1]) if len(found) > limit else None
    return MonthPage(month=month, accounts=tuple(map(row_of, shown)), next_cursor=following)
