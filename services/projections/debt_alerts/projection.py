"""Events and the passing of time, applied to the accounts they concern: each account's row is read and written once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from asyncpg import Connection, Pool

from services.projections.debt_alerts.episodes import record_changes, record_changes_by_time
from services.projections.debt_alerts.watch import Change, Watched, after, at
from services.projections.following.logged import Logged
from services.projections.rows import insert

PASS_ACCOUNTS = 200

WATCHED = "SELECT account_id, watched FROM alert_account WHERE account_id = ANY($1::text[])"

# Holds the workers of all logs off, as they hold off each other: by their places, so that no row has to be locked.
HOLD = "SELECT FROM tracking WHERE projection = 'debt_alerts' ORDER BY log FOR UPDATE"

DUE = """
    SELECT account_id FROM alert_account
    WHERE next_at <= $1
        AND account_id <> ALL (ARRAY(SELECT account_id FROM halted_account WHERE projection = 'debt_alerts'))
    ORDER BY next_at LIMIT $2
"""

# Accounts built anew that live ones are ahead of, by time that has passed since their last event.
BEHIND = """
    SELECT account_id, (live.watched ->> 'as_of')::timestamptz AS as_of
    FROM alert_account AS built JOIN projections.alert_account AS live USING (account_id)
    WHERE built.next_at <= (live.watched ->> 'as_of')::timestamptz LIMIT $1
"""

KEEP = """
    INSERT INTO alert_account (account_id, watched, next_at)
    SELECT * FROM unnest($1::text[], $2::json[], $3::timestamptz[])
    ON CONFLICT (account_id) DO UPDATE SET watched = excluded.watched, next_at = excluded.next_at
"""

KEEP_ALERTS = """
    INSERT INTO alert (account_id, kind, episode, opened_at, updated_at, closed_at, position, details)
    SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::timestamptz[], $5::timestamptz[],
                         $6::timestamptz[], $7::bigint[], $8::json[])
    ON CONFLICT (account_id, kind, episode) DO UPDATE SET
        updated_at = excluded.updated_at, closed_at = excluded.closed_at, position = excluded.position,
        details = excluded.details
"""


async def project(connection: Connection, batch: Sequence[Logged]) -> None:
    """Apply a batch event by event, in the caller's transaction, and record what is to be delivered."""
    await record_changes(connection, await fold(connection, batch), batch[-1])


async def fold(connection: Connection, batch: Sequence[Logged]) -> list[tuple[int, Change]]:
    """Apply a batch, and deliver nothing; the changes of alerts, each with its event's position.

    CannotApply for an account that was never opened.
    """
    watched = await _watched(connection, {logged.recorded.account_id for logged in batch})
    changes: list[tuple[int, Change]] = []
    for logged in batch:
        account_id = logged.recorded.account_id
        watched[account_id], made = after(watched.get(account_id), logged)
        changes += [(logged.position, change) for change in made]
    await _keep(connection, watched, [change for _, change in changes])
    return changes


async def pass_time(database: Pool, now: datetime) -> None:
    """Let time pass up to now wherever that changes something. Everything recorded by then must have been applied."""
    while await _pass_time(database, now):
        pass


async def catch_up_in_time(connection: Connection) -> None:
    """Let as much time pass for accounts built anew as has passed for the live ones, whose changes are recorded."""
    while behind := dict(await connection.fetch(BEHIND, PASS_ACCOUNTS)):
        watched = await _watched(connection, behind)
        changes: list[Change] = []
        for account_id, as_of in behind.items():
            watched[account_id], made = at(watched[account_id], as_of)
            changes += made
        await _keep(connection, watched, changes)


async def _pass_time(database: Pool, now: datetime) -> bool:
    """For a page of accounts, found by index; false when there was none."""
    due = {row["account_id"] for row in await database.fetch(DUE, now, PASS_ACCOUNTS)}
    if not due:
        return False
    async with database.acquire() as connection, connection.transaction():
        await connection.execute(HOLD)
        watched = await _watched(connection, due)
        changes: list[Change] = []
        for account_id, account in watched.items():
            watched[account_id], made = at(account, now)
            changes += made
        await _keep(connection, watched, changes)
        await record_changes_by_time(connection, changes)
    return True


async def _watched(connection: Connection, account_ids: Iterable[str]) -> dict[str, Watched]:
    rows = await connection.fetch(WATCHED, list(account_ids))
    return {row["account_id"]: Watched.model_validate_json(row["watched"]) for row in rows}


async def _keep(connection: Connection, watched: Mapping[str, Watched], changes: Sequence[Change]) -> None:
    accounts = [(account_id, each.model_dump_json(), each.next_at) for account_id, each in watched.items()]
    await insert(connection, KEEP, accounts)
    last = {(change.watched.account_id, change.kind, change.episode.number): change for change in changes}
    alerts = [
        (account_id, kind, number, change.episode.opened_at, change.episode.updated_at,
         change.episode.closed_at, change.watched.position, change.episode.details.model_dump_json(exclude_none=True))
        for (account_id, kind, number), change in last.items()
    ]  # fmt: skip
    await insert(connection, KEEP_ALERTS, alerts)
