"""The list of accounts: by id, or those whose hours end soon by the end that comes first."""

from datetime import datetime, timedelta

from asyncpg import Connection, Record
from pydantic import TypeAdapter

from contracts.quantities import AccountId, Instant, decimal_hours
from contracts.read_models import AccountPage, AccountSummary
from services.projections.paging import cursor_after, key_of

ID_KEY: TypeAdapter[tuple[AccountId]] = TypeAdapter(tuple[AccountId])
END_KEY: TypeAdapter[tuple[Instant, AccountId]] = TypeAdapter(tuple[Instant, AccountId])

# What an account holds now, and which of it will be gone first.
HOLDINGS = """
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(remaining_minutes), 0)::bigint AS held_minutes,
               min(ends_at) AS next_expiry_at,
               coalesce(sum(remaining_minutes) FILTER (WHERE ends_at = first_end), 0)::bigint AS next_expiry_minutes
        FROM (SELECT remaining_minutes, ends_at, min(ends_at) OVER () AS first_end
              FROM lot WHERE lot.account_id = account.account_id AND remaining_minutes > 0 AND ends_at > $1) AS alive
    ) AS holdings ON true
"""

COLUMNS = """
    SELECT account_id, customer_name, contract_number, owed_minutes, suspended, held_minutes, next_expiry_at,
           next_expiry_minutes
"""

BY_ID = """
    {columns} FROM account {holdings} WHERE account_id > $2 {filters} ORDER BY account_id LIMIT $3
"""

# A lot stands for its account if it is the first of the account's to end. What is read of lots stops with the page.
BY_END = """
    {columns} FROM lot AS ending JOIN account USING (account_id) {holdings}
    WHERE ending.ends_at > $1 AND ending.ends_at <= $4 AND (ending.ends_at, account_id) > ($5, $2)
        AND remaining_minutes > 0 AND NOT EXISTS (
            SELECT FROM lot AS sooner
            WHERE sooner.account_id = ending.account_id AND sooner.remaining_minutes > 0 AND sooner.ends_at > $1
                AND (sooner.ends_at, sooner.lot_id) < (ending.ends_at, ending.lot_id))
        {filters}
    ORDER BY ending.ends_at, account_id LIMIT $3
"""

FILTERS = {
    ("debt", True): "AND owed_minutes > 0 AND owed_minutes > held_minutes",
    ("debt", False): "AND owed_minutes <= held_minutes",
    ("suspended", True): "AND suspended",
    ("suspended", False): "AND NOT suspended",
}
"""Constant text, so that the planner sees which of the partial indexes serves."""


async def accounts(
    connection: Connection,
    *,
    debt: bool | None,
    expiring_within: int | None,
    suspended: bool | None,
    cursor: str | None,
    limit: int,
    now: datetime,
) -> AccountPage:
    """A page of the accounts that are in debt or not, suspended or not; any or all of these may be left open.

    `expiring_within`: only those with hours that will be gone within so many days, the soonest first.
    """
    filters = " ".join(FILTERS[chosen] for chosen in (("debt", debt), ("suspended", suspended)) if chosen in FILTERS)
    if expiring_within is None:
        (after_id,) = key_of(cursor, ID_KEY) if cursor else ("",)
        rows = await connection.fetch(_statement(BY_ID, filters), now, after_id, limit + 1)
    else:
        after_end, after_id = key_of(cursor, END_KEY) if cursor else (now, "")
        until = now + timedelta(days=expiring_within)
        rows = await connection.fetch(_statement(BY_END, filters), now, after_id, limit + 1, until, after_end)
    more = len(rows) > limit
    next_cursor = _cursor(rows[limit - 1], by_end=expiring_within is not None) if more else None
    return AccountPage(accounts=tuple(map(_summary, rows[:limit])), next_cursor=next_cursor)


def _statement(template: str, filters: str) -> str:
    return template.format(columns=COLUMNS, holdings=HOLDINGS, filters=filters)


def _cursor(last: Record, *, by_end: bool) -> str:
    key = (last["next_expiry_at"], last["account_id"]) if by_end else (last["account_id"],)
    return cursor_after(*key)


def _summary(row: Record) -> AccountSummary:
    balance = row["held_minutes"] - row["owed_minutes"]
    return AccountSummary(balance_minutes=balance, balance_hours=decimal_hours(balance), **row)
