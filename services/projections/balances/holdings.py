"""What every account holds and owes by the tables of this projection: for whoever compares them with the log."""

from collections.abc import Collection
from datetime import datetime

from asyncpg import Connection

# Everything known, as of an instant: the movements that count by then, of lots that have not ended by then.
TOTALS_AS_OF = """
    SELECT account_id,
        coalesce(sum(minutes) FILTER (WHERE lot_id IS NOT NULL AND ends_at > $2), 0)::bigint AS held,
        coalesce(sum(minutes) FILTER (WHERE lot_id IS NULL), 0)::bigint AS owed
    FROM (SELECT account_id, lot_id, minutes FROM movement
          WHERE effective_at <= $2 AND ($1::text[] IS NULL OR account_id = ANY ($1))) AS counting
    LEFT JOIN lot USING (account_id, lot_id) GROUP BY account_id
"""

# The same from the rows that are kept up to date, right where nothing counts later than that instant.
TOTALS_KEPT = """
    SELECT account_id, owed_minutes AS owed,
        coalesce((SELECT sum(remaining_minutes) FROM lot
                  WHERE lot.account_id = account.account_id AND ends_at > $2), 0)::bigint AS held
    FROM account WHERE $1::text[] IS NULL OR account_id = ANY ($1)
"""

LATEST = (
    "SELECT max(greatest(recorded_at, effective_at)) FROM movement WHERE $1::text[] IS NULL OR account_id = ANY ($1)"
)

Totals = dict[str, tuple[int, int]]
"""Minutes held and owed, by account; absent where nothing has moved."""


async def latest(connection: Connection, account_ids: Collection[str] | None) -> datetime | None:
    """The instant by which everything known of these accounts, or of all, counts; None where nothing is known."""
    return await connection.fetchval(LATEST, account_ids)


async def totals_as_of(connection: Connection, account_ids: Collection[str] | None, as_of: datetime) -> Totals:
    """By the movements."""
    return _totals(await connection.fetch(TOTALS_AS_OF, account_ids, as_of))


async def totals_kept(connection: Connection, account_ids: Collection[str] | None, as_of: datetime) -> Totals:
    """By the rows of lots and accounts; `as_of` not before `latest`."""
    return _totals(await connection.fetch(TOTALS_KEPT, account_ids, as_of))


def _totals(rows: list[dict[str, int]]) -> Totals:
    return {row["account_id"]: (row["held"], row["owed"]) for row in rows}
