"""The effects of alerts: time passes for them, and their changes are delivered to JetStream and webhooks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial

import httpx
import nats
from asyncpg import Pool

from services.process.settings import parsed
from services.process.stopping import stopping
from services.projections.clock import present
from services.projections.database import POSTGRES_UNAVAILABLE, pool
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.debt_alerts.publisher import publish_alerts
from services.projections.debt_alerts.timekeeping import COMMIT_TIME_MAX, Timekeeper
from services.projections.debt_alerts.webhooks import SENT_AT_ONCE, Endpoint, Webhook, endpoints, register
from services.projections.following.feed import LEDGER_UNAVAILABLE, LogFeed
from services.projections.following.tracking import Tracking
from services.projections.settings import Settings

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.2
OUTAGES = (*POSTGRES_UNAVAILABLE, *LEDGER_UNAVAILABLE, nats.errors.Error)

Work = Callable[[], Awaitable[None]]


async def run_effects(settings: Settings, ledger: httpx.AsyncClient) -> None:
    """Run until cancelled, through every outage; each effect is on its own, so that none waits for another."""
    served = parsed("HOURBOOK_WEBHOOKS_FILE", settings.webhooks_file, endpoints)
    async with (
        pool(settings.database_url, 4 + SENT_AT_ONCE * len(served)) as database,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        await _again_and_again("the webhooks", partial(register, database, served), once=True)
        async with asyncio.TaskGroup() as tasks:
            for name, work in _works(settings, ledger, database, client, served):
                tasks.create_task(_again_and_again(name, work))


def _works(
    settings: Settings,
    ledger: httpx.AsyncClient,
    database: Pool,
    client: httpx.AsyncClient,
    served: tuple[Endpoint, ...],
) -> Iterator[tuple[str, Work]]:
    trackings = [Tracking(DEBT_ALERTS, log) for log in settings.log_names]
    feeds = [LogFeed(ledger, log, settings.logs) for log in settings.log_names]
    margin = timedelta() if settings.sandbox else COMMIT_TIME_MAX  # the test clock stands still during a commit
    yield "the alerts' time", Timekeeper(database, trackings, feeds, partial(present, settings, ledger), margin).run
    if settings.nats_url:
        yield "alerts on JetStream", partial(publish_alerts, database, settings.nats_url)
    for endpoint in served:
        yield f"the webhook {endpoint.url.host}", Webhook(database, client, endpoint).run


async def _again_and_again(name: str, work: Work, *, once: bool = False) -> None:
    """Work until cancelled; with `once`, until it is done."""
    said = ""
    while not stopping():
        try:
            await work()
            if once:
                return
        except OUTAGES as outage:
            if said != repr(outage):
                logger.warning("%s: waiting, because of %r", name, outage)
            said = repr(outage)
        await asyncio.sleep(RETRY_SECONDS)
    raise asyncio.CancelledError
