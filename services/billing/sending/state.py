"""Where a month's documents are: requests, messages and documents of each account, and what waits too long."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from asyncpg import Record

from contracts.sending import AccountSending, Message, MonthSending, SentDocument
from services.billing.running import HEALTH_SECONDS_MAX, Billing, Connection
from services.billing.sending import metrics
from services.process.problem_responses import ProblemError

LATE_AFTER = timedelta(hours=1)

ACCOUNTS = """
    SELECT DISTINCT account_id FROM (
        SELECT account_id FROM sending_request WHERE month = $1 UNION SELECT account_id FROM message WHERE month = $1
    ) AS known
    WHERE account_id > $2 AND ($3::text[] IS NULL OR account_id = ANY($3)) ORDER BY account_id LIMIT $4
"""

REQUESTS = """
    SELECT DISTINCT ON (account_id) account_id, state, reason, requested_at, actor FROM sending_request
    WHERE month = $1 AND account_id = ANY($2) ORDER BY account_id, number DESC
"""

MESSAGES = """
    SELECT message.*, CASE WHEN $3 THEN address END AS address, array(
        SELECT encode(sha256, 'hex') FROM message_document AS carried
        WHERE carried.message_id = message.message_id ORDER BY ordinal
    ) AS documents
    FROM message JOIN address USING (address_id)
    WHERE month = $1 AND message.account_id = ANY($2) ORDER BY prepared_at, message_id
"""

DOCUMENTS = """
    SELECT account_id, encode(sha256, 'hex') AS sha256, kind, lang, revision, name, mark, marked_on, actor AS marked_by
    FROM month_document JOIN document_of USING (sha256, account_id) LEFT JOIN LATERAL (
        SELECT mark, marked_on, actor FROM document_mark AS marked
        WHERE marked.sha256 = document_of.sha256 AND marked.account_id = document_of.account_id
        ORDER BY number DESC LIMIT 1
    ) AS last ON true
    WHERE month = $1 AND account_id = ANY($2) ORDER BY revision, array_position('{report,act,upd}', kind), lang DESC
"""

UNSENT = """
    SELECT state, count(*) AS count, min(tried_since) FILTER (WHERE next_attempt_at IS NOT NULL) AS oldest,
        clock_timestamp() AS now
    FROM message WHERE state <> 'sent' GROUP BY state
"""
REQUESTED = "SELECT count(*) FROM sending_request WHERE state = 'requested'"
STATES = ("prepared", "waiting", "handed-over", "refused", "failed")


async def month_sending(
    connection: Connection,
    month: str,
    scope: Collection[str] | None,
    after: str,
    limit: int,
    *,
    with_addresses: bool,
) -> tuple[MonthSending, bool]:
    """A page of the month's accounts, and whether there are more."""
    within = sorted(scope) if scope is not None else None
    found = [row["account_id"] for row in await connection.fetch(ACCOUNTS, month, after, within, limit + 1)]
    shown = found[:limit]
    requests = {row["account_id"]: row for row in await connection.fetch(REQUESTS, month, shown)}
    messages = _by_account(await connection.fetch(MESSAGES, month, shown, with_addresses))
    documents = _by_account(await connection.fetch(DOCUMENTS, month, shown))
    accounts = tuple(
        _account(account_id, requests.get(account_id), messages[account_id], documents[account_id])
        for account_id in shown
    )
    return MonthSending(month=month, accounts=accounts, next_cursor=None), len(found) > limit


def _by_account(rows: Collection[Record]) -> Mapping[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["account_id"]].append(dict(row))
    return found


def _account(
    account_id: str, request: Record | None, messages: list[dict[str, Any]], documents: list[dict[str, Any]]
) -> AccountSending:
    return AccountSending(
        account_id=account_id,
        state=request and request["state"],
        reason=request and request["reason"],
        requested_at=request and request["requested_at"],
        requested_by=request and request["actor"],
        messages=tuple(map(Message.model_validate, messages)),
        documents=tuple(map(SentDocument.model_validate, documents)),
    )


async def watch(connection: Connection) -> None:
    """Let metrics say what is not sent."""
    rows = {row["state"]: row for row in await connection.fetch(UNSENT)}
    for state in STATES:
        metrics.MESSAGES.labels(state).set(rows[state]["count"] if state in rows else 0)
    ages = [(row["now"] - row["oldest"]).total_seconds() for row in rows.values() if row["oldest"]]
    metrics.OLDEST.set(max(ages, default=0))
    metrics.REQUESTS.set(await connection.fetchval(REQUESTED))


async def unsent_notices(billing: Billing) -> list[str]:
    """What somebody has to look at, a sentence each; nothing while that cannot be found out."""
    try:
        async with asyncio.timeout(HEALTH_SECONDS_MAX), billing.connection() as connection:
            rows = {row["state"]: row for row in await connection.fetch(UNSENT)}
    except (ProblemError, TimeoutError):
        return []
    late = sum(row["count"] for row in rows.values() if row["oldest"] and row["now"] - row["oldest"] > LATE_AFTER)
    stopped = sum(rows[state]["count"] for state in ("refused", "failed") if state in rows)
    return [
        *([f"{late} messages with documents were not taken by the mail server for an hour."] if late else []),
        *([f"{stopped} messages with documents are refused or given up."] if stopped else []),
    ]
