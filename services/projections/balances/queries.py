"""Questions about one account: its balance at any instant as known at any other, its curve, its statement."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from asyncpg import Connection, Record
from pydantic import TypeAdapter

from contracts.events import Agreed
from contracts.quantities import END_OF_TIME, Instant, KnownAt, decimal_hours, known_bounds
from contracts.read_models import BalanceView, LotView, StatementLine, StatementPage
from services.projections.balances.holders import Holder, Tenure, holder_at, holders
from services.projections.balances.movements import week_number, week_start
from services.projections.lookups import UnknownAccount
from services.projections.paging import Ordinal, Position, cursor_after, key_of

START_OF_TIME = datetime(1, 1, 1, tzinfo=UTC)

STATEMENT_KEY: TypeAdapter[tuple[Instant, int, int]] = TypeAdapter(tuple[Instant, Position, Ordinal])

# Lots as one array a column: nodes of Citus pass no rows without a type.
_LOTS = """
        SELECT array_agg(lot_id) AS lot_ids, array_agg(plan) AS plans, array_agg(size_minutes) AS sizes,
               array_agg(price_kopecks) AS prices, array_agg(agreed) AS agreed, array_agg(starts_at) AS starts,
               array_agg(minutes) AS minutes, array_agg(package_ends_at) AS package_ends
"""
_LOT_COLUMNS = ("lot_ids", "plans", "sizes", "prices", "agreed", "starts", "minutes", "package_ends")

# What is left now is kept in the rows of lots and accounts. As of another instant, or as known then, it is the sum of
# the movements.
BALANCE_NOW = f"""
    SELECT owed_minutes, planned_minutes, suspended, lots.*
    FROM account CROSS JOIN LATERAL ({_LOTS}
        FROM (SELECT *, remaining_minutes AS minutes FROM lot
              WHERE account_id = $1 AND remaining_minutes > 0 AND ends_at > $2) AS held) AS lots
    WHERE account_id = $1
"""  # noqa: S608 - columns of ours

# With everything known: whole weeks by their sums, and the movements of the week that $2 is in.
BALANCE_AS_OF = f"""
    WITH moved AS (
        SELECT lot_id, sum(minutes)::bigint AS minutes
        FROM (
            SELECT lot_id, minutes FROM week_movement WHERE account_id = $1 AND week < $3
            UNION ALL
            SELECT coalesce(lot_id, ''), minutes FROM movement
            WHERE account_id = $1 AND effective_at >= $4 AND effective_at <= $2
        ) AS counting GROUP BY lot_id
    )
    SELECT
        coalesce((SELECT minutes FROM moved WHERE lot_id = ''), 0) AS owed_minutes,
        coalesce((SELECT sum(minutes) FROM plan_change
                  WHERE account_id = $1 AND recorded_at <= $2), 0)::bigint AS planned_minutes,
        coalesce((SELECT suspended FROM suspension WHERE account_id = $1 AND effective_at <= $2
                  ORDER BY position DESC LIMIT 1), false) AS suspended,
        lots.*
    FROM account CROSS JOIN LATERAL ({_LOTS}
        FROM (SELECT of_lot.*, moved.minutes FROM moved CROSS JOIN LATERAL (
                  SELECT * FROM lot WHERE account_id = $1 AND lot.lot_id = moved.lot_id LIMIT 1) AS of_lot
              WHERE moved.minutes > 0 AND ends_at > $2) AS held) AS lots
    WHERE account_id = $1
"""  # noqa: S608 - columns of ours

BALANCE_AS_KNOWN = f"""
    WITH known_movement AS (
        SELECT lot_id, coalesce(sum(minutes) FILTER (WHERE effective_at <= $2), 0)::bigint AS minutes,
               max(position) AS position
        FROM movement WHERE account_id = $1 AND position <= $3 AND recorded_at <= $4 GROUP BY lot_id
    ), known_suspension AS (
        SELECT * FROM suspension WHERE account_id = $1 AND position <= $3 AND recorded_at <= $4
    ), known_plan AS (
        SELECT * FROM plan_change WHERE account_id = $1 AND position <= $3 AND recorded_at <= $4
    )
    SELECT
        coalesce((SELECT minutes FROM known_movement WHERE lot_id IS NULL), 0) AS owed_minutes,
        coalesce((SELECT sum(minutes) FROM known_plan WHERE recorded_at <= $2), 0)::bigint AS planned_minutes,
        coalesce((SELECT suspended FROM known_suspension WHERE effective_at <= $2
                  ORDER BY position DESC LIMIT 1), false) AS suspended,
        greatest(0, (SELECT max(position) FROM known_movement), (SELECT max(position) FROM known_suspension),
                 (SELECT max(position) FROM known_plan),
                 (SELECT max(position) FROM tenure
                  WHERE account_id = $1 AND position <= $3 AND recorded_at <= $4)) AS position,
        lots.*
    FROM account CROSS JOIN LATERAL ({_LOTS}
        FROM (SELECT of_lot.*, known_movement.minutes FROM known_movement CROSS JOIN LATERAL (
                  SELECT * FROM lot WHERE account_id = $1 AND lot.lot_id = known_movement.lot_id LIMIT 1) AS of_lot
              WHERE known_movement.minutes > 0) AS held) AS lots
    WHERE account_id = $1
"""  # noqa: S608 - columns of ours

# Who holds a lot has to be followed only where its own package has ended.
TENURES = """
    SELECT kind, subject_id, package_id, ends_at FROM tenure
    WHERE account_id = $1 AND position <= $2 AND recorded_at <= $3 ORDER BY position, ordinal
"""

STATEMENT = """
    SELECT position, event_id, type, recorded_at, effective_at, lot_id, task_id, closure, minutes, amount_kopecks,
           ordinal
    FROM movement
    WHERE account_id = $1 AND effective_at >= $2 AND effective_at < $3
        AND (effective_at, position, ordinal) > ($4, $5, $6)
    ORDER BY effective_at, position, ordinal LIMIT $7
"""

EXISTS = "SELECT FROM account WHERE account_id = $1"


async def balance(
    connection: Connection, account_id: str, as_of: datetime | None, known_at: KnownAt, now: datetime, position: int
) -> BalanceView:
    """The balance at `as_of` (now, if absent) by what was recorded up to `known_at` (rules 7.5, 12).

    Everything recorded counts by now, even where the ledger's clock is ahead of ours. `position`: how far the
    projection has come.
    """
    at = as_of or now
    until, recorded = known_bounds(known_at)
    if as_of is None and known_at is None:
        row = await connection.fetchrow(BALANCE_NOW, account_id, at)
    elif known_at is None:
        row = await connection.fetchrow(BALANCE_AS_OF, account_id, at, week_number(at), week_start(at))
    else:
        row = await connection.fetchrow(BALANCE_AS_KNOWN, account_id, at, until, recorded)
    if row is None:
        raise UnknownAccount(account_id)
    if isinstance(known_at, datetime):
        position = row["position"]
    elif known_at is not None:
        position = min(known_at, position)
    chains: dict[str, list[Holder]] = {}
    if any(package_ends_at <= at for package_ends_at in row["package_ends"] or ()):
        chains = holders(Tenure(*fact) for fact in await connection.fetch(TENURES, account_id, until, recorded))
    return _view(row, chains, account_id=account_id, as_of=at, known_at=known_at, position=position)


def _view(row: Record, chains: Mapping[str, list[Holder]], *, as_of: datetime, **asked: Any) -> BalanceView:
    lots = tuple(_lots(row, chains, as_of))
    held = sum(lot.remaining_minutes for lot in lots)
    return BalanceView(
        as_of=as_of,
        balance_minutes=held - row["owed_minutes"],
        balance_hours=decimal_hours(held - row["owed_minutes"]),
        held_minutes=held,
        owed_minutes=row["owed_minutes"],
        planned_minutes=row["planned_minutes"],
        available_minutes=held - row["owed_minutes"] - row["planned_minutes"],
        suspended=row["suspended"],
        lots=lots,
        **asked,
    )


def _lots(row: Record, chains: Mapping[str, list[Holder]], as_of: datetime) -> list[LotView]:
    """The lots alive then, in the order in which they are drawn on (rule 6.2).

    Without a chain a lot is held by its own package.
    """
    alive = [
        LotView(
            lot_id=lot_id,
            package_id=holder.package_id,
            plan=plan,
            remaining_minutes=minutes,
            size_minutes=size,
            price_kopecks=price,
            agreed=agreed_of(agreed),
            starts_at=starts_at,
            ends_at=holder.ends_at,
        )
        for lot_id, plan, size, price, agreed, starts_at, minutes, package_ends_at in zip(
            *(row[column] or () for column in _LOT_COLUMNS), strict=True
        )
        if (holder := holder_at(chains.get(lot_id) or [Holder(lot_id, package_ends_at)], as_of))
    ]
    return sorted(alive, key=lambda lot: (lot.ends_at, lot.starts_at, lot.lot_id))


def agreed_of(text: str | None) -> Agreed | None:
    """What was agreed for a lot's purchase alone, as it is kept."""
    return None if text is None else Agreed.model_validate_json(text)


async def statement(
    connection: Connection,
    account_id: str,
    since: datetime | None,
    before: datetime | None,
    cursor: str | None,
    limit: int,
) -> StatementPage:
    """The account's movements effective in [since, before), in order of effect, a page."""
    await require_account(connection, account_id)
    after = key_of(cursor, STATEMENT_KEY) if cursor else (START_OF_TIME, 0, 0)
    period = (since or START_OF_TIME, before or END_OF_TIME)
    rows = await connection.fetch(STATEMENT, account_id, *period, *after, limit + 1)
    lines = [StatementLine(**row) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = last and cursor_after(last["effective_at"], last["position"], last["ordinal"])
    return StatementPage(account_id=account_id, lines=tuple(lines), next_cursor=next_cursor)


async def require_account(connection: Connection, account_id: str) -> None:
    """UnknownAccount for one that was never opened."""
    if await connection.fetchrow(EXISTS, account_id) is None:
        raise UnknownAccount(account_id)
