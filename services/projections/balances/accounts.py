"""The list of accounts: by id, name, balance or the end of their hours, filtered by what they are, page by page."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Literal

from asyncpg import Connection, Record
from pydantic import TypeAdapter

from contracts.quantities import AccountId, Instant, Name, SignedMinutes, decimal_hours
from contracts.read_models import AccountPage, AccountSummary, AccountView
from contracts.requisites import Requisites
from services.projections.balances.search import FOUND, wanted_grams
from services.projections.lookups import UnknownAccount
from services.projections.paging import Order, cursor_after, key_of

Sort = Literal["account_id", "customer_name", "balance", "-balance", "expiry"]


ORDERS: dict[Sort, Order] = {
    "account_id": Order(("account_id",), None, TypeAdapter(tuple[Literal["account_id"], AccountId])),
    "customer_name": Order(
        ("customer_name", "account_id"),
        "${}::text",
        TypeAdapter(tuple[Literal["customer_name"], Name, AccountId]),
    ),
    "balance": Order(
        ("balance_minutes", "account_id"),
        "${}::bigint",
        TypeAdapter(tuple[Literal["balance"], SignedMinutes, AccountId]),
    ),
    "-balance": Order(
        ("balance_minutes", "account_id"),
        "${}::bigint",
        TypeAdapter(tuple[Literal["-balance"], SignedMinutes, AccountId]),
        descending=True,
    ),
    "expiry": Order(
        ("next_expiry_at", "account_id"),
        "coalesce(${}::timestamptz, 'infinity')",
        TypeAdapter(tuple[Literal["expiry"], Instant | None, AccountId]),
    ),
}
"""Each with its index; accounts without hours come last by expiry."""

# What is kept of an account is right up to its next expiry. Those few whose time has come, and whose expiry the ledger
# has not recorded yet, are looked at anew (rule 7.5); the rest comes from the order's index as it stands.
PAGE = """
    WITH {found} listed AS (
        (SELECT account_id, customer_name, contract_number, held_minutes, owed_minutes, balance_minutes,
                planned_minutes, next_expiry_at, suspended
         FROM account WHERE next_expiry_at > $1 {filters} {after} ORDER BY {by} LIMIT $2)
        UNION ALL
        (SELECT * FROM (
            SELECT account_id, customer_name, contract_number, alive.held_minutes, owed_minutes,
                   alive.held_minutes - owed_minutes AS balance_minutes, planned_minutes, alive.next_expiry_at,
                   suspended
            FROM account CROSS JOIN LATERAL (
                SELECT coalesce(sum(remaining_minutes), 0)::bigint AS held_minutes,
                       coalesce(min(ends_at), 'infinity') AS next_expiry_at
                FROM lot WHERE lot.account_id = account.account_id AND remaining_minutes > 0 AND ends_at > $1
            ) AS alive
            WHERE account.next_expiry_at <= $1
        ) AS due WHERE true {filters} {after})
    )
    SELECT account_id, customer_name, contract_number, held_minutes, owed_minutes, balance_minutes, planned_minutes,
           balance_minutes - planned_minutes AS available_minutes, suspended,
           CASE WHEN next_expiry_at < 'infinity' THEN next_expiry_at END AS next_expiry_at,
           (SELECT coalesce(sum(remaining_minutes), 0)::bigint FROM lot
            WHERE lot.account_id = listed.account_id AND ends_at = next_expiry_at) AS next_expiry_minutes
    FROM listed ORDER BY {by} LIMIT $2
"""

FILTERS = {
    ("debt", True): "AND balance_minutes < 0",
    ("debt", False): "AND balance_minutes >= 0",
    ("suspended", True): "AND suspended",
    ("suspended", False): "AND NOT suspended",
}
"""Constant text, so that the planner sees which of the partial indexes serves."""

CUSTOMER = "SELECT opened_at, contract_date, requisites FROM customer WHERE account_id = $1"

FOUND_ONLY = "AND account_id IN (SELECT account_id FROM found)"

IN_SCOPE = "AND account_id = ANY (${}::text[])"

EXPIRING = "AND next_expiry_at <= $3"


def order_of(sort: Sort | None, expiring_within: int | None) -> Sort:
    """Unless asked otherwise by id, or where hours end soon, the soonest first."""
    return sort or ("account_id" if expiring_within is None else "expiry")


async def accounts(
    connection: Connection,
    *,
    sort: Sort | None = None,
    debt: bool | None,
    expiring_within: int | None,
    suspended: bool | None,
    q: str | None = None,
    cursor: str | None,
    limit: int,
    now: datetime,
    halted: Collection[str] = (),
    scope: Collection[str] | None = None,
) -> AccountPage:
    """A page of the accounts that are in debt or not, suspended or not; any or all of these may be left open.

    `expiring_within`: only those with hours that will be gone within so many days. `q`: only those with this, folded,
    in the customer's name or the contract's number. `halted`: those that do not go on. `scope`: none but these.
    """
    chosen = order_of(sort, expiring_within)
    order = ORDERS[chosen]
    filters = [FILTERS[flag] for flag in (("debt", debt), ("suspended", suspended)) if flag in FILTERS]
    asked: list[Any] = [now, limit + 1]
    if expiring_within is not None:
        filters.append(EXPIRING)
        asked.append(now + timedelta(days=expiring_within))
    if scope is not None:
        asked.append(list(scope))
        filters.append(IN_SCOPE.format(len(asked)))
    found = after = ""
    if q is not None:
        found = FOUND.format(len(asked) + 1, len(asked) + 2)
        filters.append(FOUND_ONLY)
        asked += [q, wanted_grams(q)]
    if cursor is not None:
        after = order.after(len(asked) + 1)
        asked += key_of(cursor, order.key)[1:]
    page = PAGE.format(found=found, filters=" ".join(filters), after=after, by=order.by)
    rows = await connection.fetch(page, *asked)
    next_cursor = cursor_after(chosen, *(rows[limit - 1][column] for column in order.columns)) if rows[limit:] else None
    return AccountPage(accounts=tuple(_summary(row, halted) for row in rows[:limit]), next_cursor=next_cursor)


async def account(connection: Connection, account_id: str, now: datetime, position: int) -> AccountView:
    """One account as of now; UnknownAccount for one that was never opened. `position`: of the projection."""
    one = PAGE.format(found="", filters="AND account_id = $3", after="", by="account_id")
    row = await connection.fetchrow(one, now, 1, account_id)
    customer = await connection.fetchrow(CUSTOMER, account_id)
    if row is None or customer is None:
        raise UnknownAccount(account_id)
    requisites = customer["requisites"] and Requisites.model_validate_json(customer["requisites"])
    return AccountView(
        balance_hours=decimal_hours(row["balance_minutes"]),
        opened_at=customer["opened_at"],
        contract_date=customer["contract_date"],
        customer_requisites=requisites,
        position=position,
        **row,
    )


def _summary(row: Record, halted: Collection[str]) -> AccountSummary:
    hours = decimal_hours(row["balance_minutes"])
    return AccountSummary(balance_hours=hours, halted=row["account_id"] in halted, **row)
