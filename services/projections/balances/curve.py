"""The curve of a balance: every step of one account's, and the ends of weeks of many accounts at once."""

from collections import Counter
from datetime import datetime
from itertools import accumulate, pairwise

from asyncpg import Connection

from contracts.quantities import KnownAt, known_bounds
from contracts.read_models import BalanceStep
from services.projections.balances.holders import Tenure, holders
from services.projections.balances.queries import TENURES, require_account

# A lot's minutes go, whatever was drawn of them before, when it ends.
HISTORY = """
    WITH change AS (
        SELECT effective_at AS at, CASE WHEN lot_id IS NULL THEN -minutes ELSE minutes END AS minutes
        FROM movement WHERE account_id = $1
        UNION ALL
        SELECT greatest(ends_at, effective_at), -minutes
        FROM movement JOIN lot USING (account_id, lot_id) WHERE account_id = $1
    )
    SELECT at, (sum(sum(minutes)) OVER (ORDER BY at))::bigint AS balance_minutes
    FROM change WHERE at < $2 GROUP BY at ORDER BY at
"""

KNOWN_MOVEMENTS = """
    SELECT lot_id, minutes, effective_at FROM movement
    WHERE account_id = $1 AND position <= $2 AND recorded_at <= $3
"""


async def history(
    connection: Connection, account_id: str, since: datetime | None, before: datetime, known_at: KnownAt = None
) -> list[BalanceStep]:
    """The balance from `since` (its first change, if absent) and each change of it up to `before`.

    By everything that is known, or by what was recorded up to `known_at`.
    """
    await require_account(connection, account_id)
    if known_at is None:
        steps = [tuple(row) for row in await connection.fetch(HISTORY, account_id, before)]
    else:
        steps = [step for step in await _known_steps(connection, account_id, known_at) if step[0] < before]
    if since is not None:
        earlier = [balance_minutes for at, balance_minutes in steps if at <= since]
        steps = [(since, earlier[-1] if earlier else 0), *(step for step in steps if step[0] > since)]
    changes = [after for earlier, after in pairwise(steps) if earlier[1] != after[1]]
    return [BalanceStep(at=at, balance_minutes=minutes) for at, minutes in steps[:1] + changes]


async def _known_steps(connection: Connection, account_id: str, known_at: KnownAt) -> list[tuple[datetime, int]]:
    """The same as HISTORY by what was known then: lots end when the packages that were to hold them end (rule 7.5)."""
    known = (account_id, *known_bounds(known_at))
    chains = holders(Tenure(*fact) for fact in await connection.fetch(TENURES, *known))
    changes: Counter[datetime] = Counter()
    for lot_id, minutes, effective_at in await connection.fetch(KNOWN_MOVEMENTS, *known):
        if lot_id is None:
            changes[effective_at] -= minutes
        else:
            changes[effective_at] += minutes
            changes[max(chains[lot_id][-1].ends_at, effective_at)] -= minutes
    days = sorted(changes)
    return list(zip(days, accumulate(changes[day] for day in days), strict=True))
