"""The list of accounts: by id, name, balance, the end of their hours or the day on which they are expected to run out.

Filtered by what they are, page by page.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any, Literal

from asyncpg import Connection, Record
from pydantic import TypeAdapter

from contracts.quantities import AccountId, Instant, Name, SignedMinutes, decimal_hours
from contracts.read_models import AccountPage, AccountSummary, AccountView, ExpectedDay
from contracts.requisites import Requisites
from services.projections.balances.forecasts import COUNT_BEHIND, begin_of_day
from services.projections.balances.search import FOUND, wanted_grams
from services.projections.lookups import UnknownAccount
from services.projections.paging import Order, cursor_after, key_of

Sort = Literal["account_id", "customer_name", "balance", "-balance", "expiry", "run_out"]


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
    "run_out": Order(
        ("p50", "account_id"),
        "coalesce(${}::date, 'infinity')",
        TypeAdapter(tuple[Literal["run_out"], date | None, AccountId]),
    ),
}
"""Each with its index; last come by expiry accounts without hours, and by the run-out day those without a forecast."""

ACCOUNTS = "account"
ACCOUNTS_AND_DAYS = """
    (SELECT account.*, coalesce(p50, 'infinity') AS p50 FROM account LEFT JOIN projections.forecast USING (account_id))
"""
FORECAST_ACCOUNTS = "(SELECT account.*, p50 FROM account JOIN projections.forecast USING (account_id))"
"""Forecasts take part only where filter or order need them; where they are required, their own index serves."""
DAY = ", CASE WHEN p50 < 'infinity' THEN p50 END AS p50"

# Looked up for the rows of the page alone, each beside its account: nodes of Citus do not look for it elsewhere.
DETAILS = """
    (SELECT coalesce(sum(remaining_minutes), 0)::bigint FROM lot
     WHERE lot.account_id = account.account_id AND lot.ends_at = account.next_expiry_at) AS next_expiry_minutes,
    (SELECT p10 FROM projections.forecast WHERE forecast.account_id = account.account_id) AS forecast_p10,
    (SELECT forecast.p50 FROM projections.forecast WHERE forecast.account_id = account.account_id) AS forecast_p50,
    (SELECT p90 FROM projections.forecast WHERE forecast.account_id = account.account_id) AS forecast_p90,
    (SELECT as_of FROM projections.forecast WHERE forecast.account_id = account.account_id) AS forecast_as_of
"""

# What is kept of an account is right up to its next expiry. Those few whose time has come, and whose expiry the ledger
# has not recorded yet, are looked at anew (rule 7.5); the rest comes from the order's index as it stands.
PAGE = """
    WITH {found} listed AS (
        (SELECT account_id, customer_name, contract_number, held_minutes, owed_minutes, balance_minutes,
                planned_minutes, next_expiry_at, suspended {p50}, {details}
         FROM {accounts} AS account WHERE next_expiry_at > $1 {filters} {after} ORDER BY {by} LIMIT $2)
        UNION ALL
        (SELECT *, {details} FROM (
            SELECT account_id, customer_name, contract_number, alive.held_minutes, owed_minutes,
                   alive.held_minutes - owed_minutes AS balance_minutes, planned_minutes, alive.next_expiry_at,
                   suspended {p50}
            FROM {accounts} AS account CROSS JOIN LATERAL (
                SELECT coalesce(sum(remaining_minutes), 0)::bigint AS held_minutes,
                       coalesce(min(ends_at), 'infinity') AS next_expiry_at
                FROM lot WHERE lot.account_id = account.account_id AND remaining_minutes > 0 AND ends_at > $1
            ) AS alive
            WHERE account.next_expiry_at <= $1
        ) AS account WHERE true {filters} {after})
    )
    SELECT account_id, customer_name, contract_number, held_minutes, owed_minutes, balance_minutes, planned_minutes,
           balance_minutes - planned_minutes AS available_minutes, suspended,
           CASE WHEN next_expiry_at < 'infinity' THEN next_expiry_at END AS next_expiry_at, next_expiry_minutes,
           forecast_p10, forecast_p50, forecast_p90, forecast_as_of {day}
    FROM listed ORDER BY {by} LIMIT $2
"""

FILTERS = {
    ("debt", True): "AND balance_minutes < 0",
    ("debt", False): "AND balance_minutes >= 0",
    ("suspended", True): "AND suspended",
    ("suspended", False): "AND NOT suspended",
}
"""Constant text, so that the planner sees which of the partial indexes serves."""


def page_of(
    sort: Sort, filters: Iterable[str], *, found: str = "", after: str = "", forecast_only: bool = False
) -> str:
    """The statement for a page in that order; `forecast_only`: where a filter leaves none without a run-out day."""
    joined = FORECAST_ACCOUNTS if forecast_only else ACCOUNTS_AND_DAYS if sort == "run_out" else ACCOUNTS
    p50, day = ("", "") if joined is ACCOUNTS else (", p50", DAY)
    return PAGE.format(
        accounts=joined,
        p50=p50,
        day=day,
        details=DETAILS,
        found=found,
        filters=" ".join(filters),
        after=after,
        by=ORDERS[sort].by,
    )


CUSTOMER = "SELECT opened_at, contract_date, requisites FROM customer WHERE account_id = $1"

FOUND_ONLY = "AND account_id IN (SELECT account_id FROM found)"

IN_SCOPE = "AND account_id = ANY (${}::text[])"

EXPIRING = "AND next_expiry_at <= ${}"

RUNNING_OUT = "AND p50 < ${}"


def order_of(sort: Sort | None, expiring_within: int | None, run_out_before: date | None = None) -> Sort:
    """Unless asked otherwise by id, or where hours end or run out, the soonest first."""
    by_end: Sort = "account_id" if expiring_within is None else "expiry"
    return sort or (by_end if run_out_before is None else "run_out")


async def accounts(
    connection: Connection,
    *,
    sort: Sort | None = None,
    debt: bool | None,
    expiring_within: int | None,
    run_out_before: date | None = None,
    suspended: bool | None,
    q: str | None = None,
    cursor: str | None,
    limit: int,
    now: datetime,
    halted: Collection[str] = (),
    scope: Collection[str] | None = None,
) -> AccountPage:
    """A page of the accounts that are in debt or not, suspended or not; any or all of these may be left open.

    `expiring_within`: only those with hours that will be gone within so many days. `run_out_before`: only those that
    are as likely as not to run out before that day. `q`: only those with this, folded, in the customer's name or the
    contract's number. `halted`: those that do not go on. `scope`: none but these.
    """
    chosen = order_of(sort, expiring_within, run_out_before)
    order = ORDERS[chosen]
    filters = [FILTERS[flag] for flag in (("debt", debt), ("suspended", suspended)) if flag in FILTERS]
    asked: list[Any] = [now, limit + 1]
    if expiring_within is not None:
        asked.append(now + timedelta(days=expiring_within))
        filters.append(EXPIRING.format(len(asked)))
    if run_out_before is not None:
        asked.append(run_out_before)
        filters.append(RUNNING_OUT.format(len(asked)))
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
    page = page_of(chosen, filters, found=found, after=after, forecast_only=run_out_before is not None)
    rows = await connection.fetch(page, *asked)
    next_cursor = cursor_after(chosen, *(rows[limit - 1][column] for column in order.columns)) if rows[limit:] else None
    behind = await _forecasts_behind(connection, now, scope) if chosen == "run_out" or run_out_before else None
    summaries = tuple(_summary(row, halted) for row in rows[:limit])
    return AccountPage(accounts=summaries, forecasts_behind=behind, next_cursor=next_cursor)


async def _forecasts_behind(connection: Connection, now: datetime, scope: Collection[str] | None) -> int:
    return await connection.fetchval(COUNT_BEHIND, begin_of_day(now), None if scope is None else list(scope))


async def account(connection: Connection, account_id: str, now: datetime, position: int) -> AccountView:
    """One account as of now; UnknownAccount for one that was never opened. `position`: of the projection."""
    row = await connection.fetchrow(page_of("account_id", ["AND account_id = $3"]), now, 1, account_id)
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
        **_forecast(row),
        **row,
    )


def _summary(row: Record, halted: Collection[str]) -> AccountSummary:
    hours = decimal_hours(row["balance_minutes"])
    return AccountSummary(balance_hours=hours, halted=row["account_id"] in halted, **_forecast(row), **row)


def _forecast(row: Record) -> dict[str, Any]:
    if row["forecast_as_of"] is None:
        return {}
    return {"run_out_on": ExpectedDay(p10=row["forecast_p10"], p50=row["forecast_p50"], p90=row["forecast_p90"])}
