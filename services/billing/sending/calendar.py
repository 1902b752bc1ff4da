"""Months that are sent by themselves: so many days after they were closed, each revision once."""

from collections.abc import Iterator
from datetime import date, timedelta

from contracts.quantities import SELLER_ZONE
from services.billing.running import Billing, Connection
from services.billing.sending.delivery import ACTOR
from services.billing.sending.plan import accounts_of

MONTHS_BACK = 6

SINCE = """
    WITH begun AS (
        INSERT INTO sending_since (at) VALUES ($1) ON CONFLICT (one) DO NOTHING RETURNING at
    )
    SELECT coalesce((SELECT at FROM begun), (SELECT at FROM sending_since))
"""

# A closing is taken up once, and again when recipients were named after there were none.
ADD = """
    INSERT INTO sending_request (account_id, month, revision, actor, again)
    SELECT account_id, $1, revision, $4, false
    FROM unnest($2::text[], $3::integer[]) AS closed (account_id, revision)
    WHERE NOT EXISTS (
        SELECT FROM sending_request AS earlier
        WHERE month = $1 AND earlier.account_id = closed.account_id AND earlier.revision = closed.revision
            AND NOT (earlier.state = 'no-recipients' AND EXISTS (
                SELECT FROM recipient_list AS named
                WHERE named.account_id = closed.account_id AND recorded_at > requested_at
            ))
    )
"""


async def request_due(billing: Billing, connection: Connection, after_days: int) -> bool:
    """Request what is due by now; whether anything was. Months that were closed before this began are left alone."""
    now = await billing.now(billing.hourbook)
    since = await connection.fetchval(SINCE, now)
    added = 0
    for month in _months_until(now.astimezone(SELLER_ZONE).date().replace(day=1)):
        closed = [
            (account.account_id, account.revision)
            for account in await accounts_of(billing.hourbook, month)
            if account.closed_at and since <= account.closed_at <= now - timedelta(days=after_days)
        ]
        if closed:
            accounts, revisions = zip(*closed, strict=True)
            done = await connection.execute(ADD, month, list(accounts), list(revisions), ACTOR)
            added += int(done.rpartition(" ")[2])
    return added > 0


def _months_until(first_day: date) -> Iterator[str]:
    """The month that begins on that day, and those before it."""
    for back in range(MONTHS_BACK):
        year, month = divmod(first_day.year * 12 + first_day.month - 1 - back, 12)
        yield f"{year:04}-{month + 1:02}"
