"""The list of alerts, and all changes of them by number."""

from collections.abc import Collection
from datetime import datetime

from asyncpg import Connection, Record
from pydantic import TypeAdapter

from contracts.alerts import Alert, AlertDelivery, AlertDeliveryPage, AlertDetails, AlertKind, AlertPage
from contracts.quantities import POSITION_MAX, AccountId, Instant
from services.process.outside import host_of, without_secrets
from services.projections.debt_alerts.sentences import sentence
from services.projections.paging import Ordinal, Position, cursor_after, key_of

AlertKey = tuple[Instant, AccountId, AlertKind, Ordinal]
ALERT_KEY: TypeAdapter[AlertKey] = TypeAdapter(AlertKey)
DELIVERY_KEY: TypeAdapter[tuple[int, int]] = TypeAdapter(tuple[Position, Ordinal])
"""Of an endpoint its place in the list of all: its address may be a secret, and a cursor shows what is in it."""

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
    WITH listed AS (SELECT url AS endpoint, row_number() OVER (ORDER BY url) AS place FROM projections.alert_endpoint)
    SELECT endpoint, place, number, account_id, kind, episode, type, attempts, last_status, last_error, next_attempt_at,
           delivered_at, given_up_at
    FROM projections.alert_delivery JOIN projections.alert_change USING (number) JOIN listed USING (endpoint)
    WHERE number <= $1 AND (number, place) < ($1, $2) AND ($4::text[] IS NULL OR account_id = ANY ($4))
    ORDER BY number DESC, place DESC LIMIT $3
"""

NOT_TAKEN = "It was not taken."


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
    connection: Connection, cursor: str | None, limit: int, scope: Collection[str] | None = None, *, in_detail: bool
) -> AlertDeliveryPage:
    """A page of deliveries to webhooks, the newest first. `scope`: about none but these accounts."""
    after = key_of(cursor, DELIVERY_KEY) if cursor else (POSITION_MAX, 0)
    rows = await connection.fetch(DELIVERIES, *after, limit + 1, None if scope is None else list(scope))
    last = rows[limit - 1] if len(rows) > limit else None
    return AlertDeliveryPage(
        deliveries=tuple(_delivery(row, in_detail=in_detail) for row in rows[:limit]),
        next_cursor=last and cursor_after(last["number"], last["place"]),
    )


def _delivery(row: Record, *, in_detail: bool) -> AlertDelivery:
    url, error = row["endpoint"], row["last_error"]
    shown = {
        "endpoint": without_secrets(url) if in_detail else host_of(url),
        "last_error": error and (without_secrets(error) if in_detail else NOT_TAKEN),
    }
    return AlertDelivery(**{name: value for name, value in row.items() if name != "place"} | shown)
