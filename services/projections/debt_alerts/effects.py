"""The effects of alerts: time passes for them, and their changes are delivered to JetStream and webhooks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial

import httpx
import nats
from asyncpg import Pool

from services.process.logins import nats_login
from services.process.outages import outlasting
from services.process.outside import outside_client
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.reach import Reach
from services.process.settings import parsed
from services.projections.clock import present
from services.projections.database import pool
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.debt_alerts.publisher import REFUSED, publish_alerts
from services.projections.debt_alerts.timekeeping import COMMIT_TIME_MAX, Timekeeper
from services.projections.debt_alerts.webhooks import SENT_AT_ONCE, Endpoint, Webhook, endpoints, register
from services.projections.following.feed import LEDGER_UNAVAILABLE, LogFeed
from services.projections.following.identity import FollowedLedger, OtherLedger
from services.projections.following.tracking import Tracking
from services.projections.settings import Settings

logger = logging.getLogger(__name__)

OUTAGES = (*POSTGRES_UNAVAILABLE, *LEDGER_UNAVAILABLE, nats.errors.Error, OtherLedger, *REFUSED)

Work = Callable[[], Awaitable[None]]


async def run_effects(settings: Settings, ledger: httpx.AsyncClient) -> None:
    """Run until cancelled, through every outage; each effect is on its own, so that none waits for another."""
    served = parsed("HOURBOOK_WEBHOOKS_FILE", settings.webhooks_file, endpoints)
    async with (
        pool(settings.database_url, 4 + SENT_AT_ONCE * len(served), name="alerts") as database,
        outside_client() as client,
    ):
        await outlasting(OUTAGES, partial(register, database, served), "The register of webhooks", logger)
        async with asyncio.TaskGroup() as tasks:
            for name, work in _works(settings, ledger, database, client, served):
                tasks.create_task(outlasting(OUTAGES, work, name, logger))


def _works(
    settings: Settings,
    ledger: httpx.AsyncClient,
    database: Pool,
    client: httpx.AsyncClient,
    served: tuple[Endpoint, ...],
) -> Iterator[tuple[str, Work]]:
    trackings = [Tracking(DEBT_ALERTS, log) for log in settings.log_names]
    followed = FollowedLedger(database)
    feeds = [LogFeed(ledger, log, followed, settings.logs) for log in settings.log_names]
    margin = timedelta() if settings.sandbox else COMMIT_TIME_MAX  # the test clock stands still during a commit
    yield "The alerts' time", Timekeeper(database, trackings, feeds, partial(present, settings, ledger), margin).run
    if nats_url := nats_login("alerts") or settings.nats_url:
        yield (
            "The publication of alerts",
            partial(publish_alerts, database, nats_url, settings.nats_replicas, Reach("alerts")),
        )
    for endpoint in served:
        yield f"The webhook {endpoint.url.host}", Webhook(database, client, endpoint).run
