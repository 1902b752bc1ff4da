"""The curve of a balance: every step of one account's, and the ends of weeks of many accounts at once."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import accumulate, pairwise

from asyncpg import Connection

from contracts.quantities import KnownAt, known_bounds
from contracts.read_models import BalanceStep, WeeklyBalances
from services.projections.balances.holders import Tenure, holders
from services.projections.balances.movements import week_number
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

KNOWN_ACCOUNTS = "SELECT account_id FROM account WHERE account_id = ANY ($1::text[]) ORDER BY account_id"

KNOWN_MOVEMENTS = """
    SELECT lot_id, minutes, effective_at FROM movement
    WHERE account_id = $1 AND position <= $2 AND recorded_at <= $3
"""

WEEKS = """
    SELECT account_id, week, nullif(lot_id, ''), minutes, lot.ends_at
    FROM week_movement LEFT JOIN lot USING (account_id, lot_id)
    WHERE account_id = ANY ($1::text[])
"""


async def weekly_balances(
    connection: Connection, account_ids: Collection[str], weeks: int, now: datetime
) -> list[WeeklyBalances]:
    """The balance at the end of each of the last weeks, and now; accounts that nobody has opened are left out.

    From the sums of weeks, so that a list of accounts costs no more than their weeks.
    """
    known = [row["account_id"] for row in await connection.fetch(KNOWN_ACCOUNTS, account_ids)]
    changes: dict[str, Counter[int]] = {account_id: Counter() for account_id in known}
    for account_id, week, lot_id, minutes, ends_at in await connection.fetch(WEEKS, known):
        changes[account_id][week] += minutes if lot_id else -minutes
        if lot_id and ends_at <= now:
            changes[account_id][max(week, week_number(ends_at))] -= minutes
    last = week_number(now)
    shown = range(last - weeks + 1, last + 1)
    return [WeeklyBalances(account_id=each, weekly_balance_minutes=_at(changes[each], shown)) for each in known]


def _at(changes: Counter[int], weeks: Sequence[int]) -> tuple[int, ...]:
    """The sums of changes up to the end of each of these weeks; the last one's are all."""
    sums = dict(zip(sorted(changes), accumulate(changes[week] for week in sorted(changes)), strict=True))
    before = [max((week for week in sums if week <= each), default=None) for each in weeks]
    return tuple(sums[week] if week is not None else 0 for week in before)


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
