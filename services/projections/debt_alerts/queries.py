"""The list of alerts, and all changes of them by number."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from asyncpg import Connection, Record
from pydantic import StringConstraints, TypeAdapter

from contracts.alerts import Alert, AlertDelivery, AlertDeliveryPage, AlertDetails, AlertKind, AlertPage
from contracts.quantities import POSITION_MAX, AccountId, Instant
from services.projections.debt_alerts.sentences import sentence
from services.projections.paging import Ordinal, Position, cursor_after, key_of

EndpointUrl = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,4096}$")]
AlertKey = tuple[Instant, AccountId, AlertKind, Ordinal]
ALERT_KEY: TypeAdapter[AlertKey] = TypeAdapter(AlertKey)
DELIVERY_KEY: TypeAdapter[tuple[int, str]] = TypeAdapter(tuple[Position, EndpointUrl])

ALERTS = """
    SELECT account_id, watched ->> 'customer_name' AS customer_name, kind, episode, opened_at, updated_at, closed_at,
           position, details
    FROM alert JOIN alert_account USING (account_id)
    WHERE {filters} ORDER BY opened_at DESC, account_id DESC, kind DESC, episode DESC LIMIT $1
"""

FILTERS = {True: "closed_at IS NULL", False: "closed_at IS NOT NULL"}

LAST_CHANGE = "SELECT coalesce(max(number), 0) FROM projections.alert_change"

CHANGES = "SELECT number, type, payload FROM projections.alert_change WHERE number > $1 ORDER BY number LIMIT $2"

DELIVERIES = """
    SELECT endpoint, number, account_id, kind, episode, type, attempts, last_status, last_error, next_attempt_at,
           delivered_at, given_up_at
    FROM projections.alert_delivery JOIN projections.alert_change USING (number)
    WHERE (number, endpoint) < ($1, $2) AND ($4::text[] IS NULL OR account_id = ANY ($4))
    ORDER BY number DESC, endpoint DESC LIMIT $3
"""


async def alerts(
    connection: Connection,
    *,
    is_open: bool | None,
    kind: AlertKind | None,
    account_id: str | None,
    cursor: str | None,
    limit: int,
    scope: Collection[str] | None = None,
) -> AlertPage:
    """A page of alerts, open or closed, of a kind or an account; any or all of these may be left open.

    `scope`: of none but these accounts.
    """
    given: list[object] = [limit + 1]
    filters = [FILTERS[is_open]] if is_open is not None else []
    for column, value in (("kind", kind), ("account_id", account_id)):
        if value is not None:
            given.append(value)
            filters.append(f"{column} = ${len(given)}")
    if scope is not None:
        given.append(list(scope))
        filters.append(f"account_id = ANY (${len(given)}::text[])")
    if cursor:
        n = len(given)
        given += key_of(cursor, ALERT_KEY)
        filters.append(f"(opened_at, account_id, kind, episode) < (${n + 1}, ${n + 2}, ${n + 3}, ${n + 4})")
    rows = await connection.fetch(ALERTS.format(filters=" AND ".join(filters) or "true"), *given)
    last = rows[limit - 1] if len(rows) > limit else None
    return AlertPage(
        alerts=tuple(map(_alert, rows[:limit])),
        last_change=await last_change(connection),
        next_cursor=last and cursor_after(last["opened_at"], last["account_id"], last["kind"], last["episode"]),
    )


def _alert(row: Record) -> Alert:
    closed_at: datetime | None = row["closed_at"]
    details = AlertDetails.model_validate_json(row["details"])
    text = sentence(row["kind"], details, closed_at)
    return Alert(**{**row, "details": details}, text=text)


async def last_change(connection: Connection) -> int:
    """The number of the last change; 0 before there was any."""
    return await connection.fetchval(LAST_CHANGE)


async def changes(connection: Connection, after: int, limit: int) -> list[Record]:
    """The changes that follow a number, in order, a page."""
    return await connection.fetch(CHANGES, after, limit)


async def deliveries(
    connection: Connection, cursor: str | None, limit: int, scope: Collection[str] | None = None
) -> AlertDeliveryPage:
    """A page of deliveries to webhooks, the newest first. `scope`: about none but these accounts."""
    after = key_of(cursor, DELIVERY_KEY) if cursor else (POSITION_MAX, "")
    rows = await connection.fetch(DELIVERIES, *after, limit + 1, None if scope is None else list(scope))
    last = rows[limit - 1] if len(rows) > limit else None
    return AlertDeliveryPage(
        deliveries=tuple(AlertDelivery(**row) for row in rows[:limit]),
        next_cursor=last and cursor_after(last["number"], last["endpoint"]),
    )
