"""What goes on beside the alerts' worker: time passes, and JetStream and webhooks are told what has changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial

import httpx
import nats
from asyncpg import Pool

from services.process.stopping import stopping
from services.projections.clock import present
from services.projections.database import POSTGRES_UNAVAILABLE, pool
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.debt_alerts.publisher import publish_alerts
from services.projections.debt_alerts.timekeeping import SETTLED, Timekeeper
from services.projections.debt_alerts.webhooks import SENT_AT_ONCE, Endpoint, Webhook, endpoints, register
from services.projections.following.feed import LEDGER_UNAVAILABLE, LogFeed
from services.projections.following.tracking import Tracking
from services.projections.settings import Settings

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.2
AWAY = (*POSTGRES_UNAVAILABLE, *LEDGER_UNAVAILABLE, nats.errors.Error)

Work = Callable[[], Awaitable[None]]


async def run_beside(settings: Settings, ledger: httpx.AsyncClient) -> None:
    """Until cancelled, whatever is away meanwhile; each on its own, so that none waits for what another needs."""
    served = endpoints(settings.webhooks_file)
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
    settled = timedelta() if settings.sandbox else SETTLED  # the test clock stands still while events are recorded
    yield "the alerts' time", Timekeeper(database, trackings, feeds, partial(present, settings, ledger), settled).run
    if settings.nats_url:
        yield "alerts on JetStream", partial(publish_alerts, database, settings.nats_url)
    for endpoint in served:
        yield f"the webhook {endpoint.url.host}", Webhook(database, client, endpoint).run


async def _again_and_again(name: str, work: Work, *, once: bool = False) -> None:
    """Work until cancelled; with `once`, until it has been done."""
    said = ""
    while not stopping():
        try:
            await work()
            if once:
                return
        except AWAY as away:
            if said != repr(away):
                logger.warning("%s: waiting, because of %r", name, away)
            said = repr(away)
        await asyncio.sleep(RETRY_SECONDS)
    raise asyncio.CancelledError
