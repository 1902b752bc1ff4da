"""Changes of alerts on JetStream: one message each, in order, after the last one acknowledged."""

import asyncio

from asyncpg import Pool, Record
from nats.js import JetStreamContext
from nats.js.api import Header, StreamConfig

from services.process.nats_connection import connected
from services.process.stopping import stopping
from services.process.streams import own_stream
from services.projections.following.identity import followed_ledger

STREAM = "HOURBOOK-ALERTS"
SUBJECTS = "hourbook.alerts.>"
PAGE_CHANGES = 200
POLL_SECONDS = 0.1
DUPLICATES_SECONDS = 3600

PLACE = "SELECT number FROM projections.alert_publication FOR UPDATE SKIP LOCKED"

AFTER = """
    SELECT number, id, account_id, kind, at, type, payload FROM projections.alert_change
    WHERE number > $1 ORDER BY number LIMIT $2
"""

ADVANCE = "UPDATE projections.alert_publication SET number = $1"


CONFIG = StreamConfig(
    name=STREAM,
    description="Alerts of accounts: opened, updated, closed. PostgreSQL has them all.",
    subjects=[SUBJECTS],
    duplicate_window=DUPLICATES_SECONDS,
)


async def publish_alerts(database: Pool, nats_url: str) -> None:
    """Publish until NATS or PostgreSQL is unavailable, which is raised. Several may run; one works at a time."""
    ledger_id = await _owner(database)
    async with connected(nats_url) as client:
        jetstream = client.jetstream()
        await own_stream(jetstream, CONFIG, ledger_id)
        while client.is_connected and not stopping():
            if not await _publish_page(database, jetstream):
                await asyncio.sleep(POLL_SECONDS)
        if not stopping():
            raise ConnectionError("the connection to NATS was lost")


async def _owner(database: Pool) -> str:
    """Whose alerts these are: there are none before a worker has met the ledger."""
    while (ledger_id := await followed_ledger(database)) is None:  # noqa: ASYNC110 - another process finds it out
        await asyncio.sleep(POLL_SECONDS)
    return ledger_id


async def _publish_page(database: Pool, jetstream: JetStreamContext) -> bool:
    """The place moves when JetStream has the messages; after a crash, JetStream drops repeats by their ids."""
    async with database.acquire() as connection, connection.transaction():
        place = await connection.fetchval(PLACE)
        if place is None:  # another process publishes
            return False
        changes = await connection.fetch(AFTER, place, PAGE_CHANGES)
        for change in changes:
            subject = f"hourbook.alerts.{change['account_id']}.{change['kind']}"
            await jetstream.publish(subject, change["payload"].encode(), stream=STREAM, headers=_headers(change))
        if changes:
            await connection.execute(ADVANCE, changes[-1]["number"])
    return bool(changes)


def _headers(change: Record) -> dict[str, str]:
    """CloudEvents in binary mode."""
    return {
        "ce-specversion": "1.0",
        "ce-id": str(change["id"]),
        "ce-type": change["type"],
        "ce-source": "urn:hourbook:alerts",
        "ce-subject": change["account_id"],
        "ce-time": change["at"].isoformat().replace("+00:00", "Z"),
        "content-type": "application/json",
        Header.MSG_ID: str(change["id"]),
    }
