"""Changes of alerts on JetStream: one message each, in order, after the last one acknowledged."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from asyncpg import Connection, Pool, Record
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import Header, StorageType, StreamConfig

from services.process.nats_connection import connected
from services.process.pauses import Rests
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.reach import Reach
from services.process.stopping import stopping
from services.process.streams import OtherLedgersStream, StreamNotAsItHasToBe, own_stream
from services.projections.following.identity import followed_ledger

STREAM = "HOURBOOK-ALERTS"
SUBJECTS = "hourbook.alerts.>"
PAGE_CHANGES = 200
POLL_SECONDS = 0.1
LOOK_SECONDS = 2.0
HINDERED_TIME_MAX = timedelta(seconds=10)
"""Another publisher that works says so within seconds; what is hindered for longer is hindered for all."""
REST_SECONDS_MAX = 1.0
DUPLICATES_SECONDS = 3600

HAS_GROWN = """
    SELECT (SELECT max(number) FROM projections.alert_change) > (SELECT number FROM projections.alert_publication)
"""

PLACE = "SELECT number FROM projections.alert_publication FOR UPDATE SKIP LOCKED"

AFTER = """
    SELECT number, id, account_id, kind, at, type, payload FROM projections.alert_change
    WHERE number > $1 ORDER BY number LIMIT $2
"""

ADVANCE = "UPDATE projections.alert_publication SET number = $1"


HINDER = """
    UPDATE projections.alert_publication SET hindrance = $1, hindered_at = coalesce(hindered_at, clock_timestamp())
    WHERE hindrance IS DISTINCT FROM $1
"""

FREE = "UPDATE projections.alert_publication SET hindrance = NULL, hindered_at = NULL WHERE hindrance IS NOT NULL"

HINDRANCE = """
    SELECT hindrance, hindered_at FROM projections.alert_publication
    WHERE hindered_at < clock_timestamp() - $1::interval
"""

REFUSED = (OtherLedgersStream, StreamNotAsItHasToBe)


def stream_config(replicas: int | None) -> StreamConfig:
    """How the stream has to be. How long and how much of it is kept its operator may limit."""
    return StreamConfig(
        name=STREAM,
        description="Alerts of accounts: opened, updated, closed. PostgreSQL has them all.",
        subjects=[SUBJECTS],
        storage=StorageType.FILE,
        num_replicas=replicas,
        duplicate_window=DUPLICATES_SECONDS,
    )


async def publish_alerts(database: Pool, nats_url: str, replicas: int | None, reach: Reach) -> None:
    """Publish until NATS or PostgreSQL is unavailable, which is raised. Several may run; one works at a time."""
    ledger_id = await _owner(database)
    try:
        async with connected(nats_url) as client:
            jetstream, config = client.jetstream(), stream_config(replicas)
            clock, looked_at = asyncio.get_running_loop().time, 0.0
            rests = Rests(POLL_SECONDS, REST_SECONDS_MAX)
            while client.is_connected and not stopping():
                if clock() - looked_at > LOOK_SECONDS:
                    await own_stream(jetstream, config, ledger_id)
                    await database.execute(FREE)
                    reach.works()
                    looked_at = clock()
                if await database.fetchval(HAS_GROWN) and await _publish_page(database, jetstream):
                    rests.begin_anew()
                else:
                    await asyncio.sleep(rests.next())
            if not stopping():
                raise ConnectionError("the connection to NATS was lost")
    except (NatsError, OSError, *REFUSED) as hindrance:
        reach.fails()
        with suppress(*POSTGRES_UNAVAILABLE):
            await database.execute(HINDER, str(hindrance) or type(hindrance).__name__)
        raise


async def hindered(database: Pool | Connection) -> str | None:
    """Since when no process can publish alerts, and why, where that is so for long."""
    found = await database.fetchrow(HINDRANCE, HINDERED_TIME_MAX)
    return found and f"Alerts are not published on NATS since {found['hindered_at'].isoformat()}: {found['hindrance']}."


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
