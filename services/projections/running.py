"""The projections at work in a process: what its routes ask, and the workers if it has them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import httpx

from services.access.caller import asking
from services.documents.seller import seller
from services.process.postgres_login import log_in
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.settings import parsed
from services.process.stopping import end
from services.projections.balances.forecasts import keep_forecasts
from services.projections.catalogue import PROJECTIONS, migrate, standing
from services.projections.database import pool
from services.projections.debt_alerts.effects import run_effects
from services.projections.debt_alerts.stream import changes_of_alerts
from services.projections.following.identity import FollowedLedger
from services.projections.following.shares import sharing
from services.projections.following.tracking import Tracking
from services.projections.read_models import CONNECTION_SECONDS_MAX, Projections
from services.projections.settings import Settings

QUERY_CONNECTIONS = 10
STREAM_CONNECTIONS = 2
"""For all streams together, which therefore do not wait behind queries, nor queries behind them."""

MIGRATION_SECONDS_MAX = 10.0
MIGRATION_RETRY_SECONDS = 0.2


@asynccontextmanager
async def running_projections(settings: Settings, *, worker: bool) -> AsyncIterator[Projections]:
    """Ready for questions, with or without workers; also while PostgreSQL, NATS or the ledger is unavailable."""
    trackings = _trackings(settings)
    async with AsyncExitStack() as opened:
        ledger = await opened.enter_async_context(_ledger(settings))
        queries = await opened.enter_async_context(pool(settings.database_url, QUERY_CONNECTIONS, name="queries"))
        streams = await opened.enter_async_context(pool(settings.database_url, STREAM_CONNECTIONS, name="streams"))
        shares = await opened.enter_async_context(sharing(settings, ledger, trackings)) if worker else None
        migration = asyncio.create_task(_migrate(settings))
        opened.push_async_callback(end, migration)
        await asyncio.wait([migration], timeout=MIGRATION_SECONDS_MAX)
        if migration.done():
            migration.result()
        if shares:
            for work in (shares.run, *_works(settings, ledger)):
                opened.push_async_callback(end, asyncio.create_task(_work(migration, work)))
        changes = changes_of_alerts(partial(streams.acquire, timeout=CONNECTION_SECONDS_MAX))
        opened.push_async_callback(end, asyncio.create_task(changes.run()))
        yield Projections(
            settings,
            ledger,
            queries,
            trackings,
            shares,
            parsed("HOURBOOK_SELLER_FILE", settings.seller_file, seller),
            FollowedLedger(queries),
            migration,
            changes,
        )


async def run_worker(settings: Settings) -> None:
    """The workers of this process's share, without routes, until cancelled."""
    async with _ledger(settings) as ledger, sharing(settings, ledger, _trackings(settings)) as shares:
        await _migrate(settings)
        async with asyncio.TaskGroup() as tasks:
            for work in (shares.run, *_works(settings, ledger)):
                tasks.create_task(work())


def _works(settings: Settings, ledger: httpx.AsyncClient) -> tuple[Callable[[], Coroutine[None, None, None]], ...]:
    """What workers do beside the projections, each in one process at a time."""
    return partial(run_effects, settings, ledger), partial(keep_forecasts, settings, ledger)


def _trackings(settings: Settings) -> dict[str, tuple[Tracking, ...]]:
    return {
        projection.name: tuple(Tracking(projection, log) for log in settings.log_names) for projection in PROJECTIONS
    }


def _ledger(settings: Settings) -> httpx.AsyncClient:
    return httpx.AsyncClient(**asking(settings.ledger_url, settings.ledger_key_file), timeout=30)


async def _work(migration: asyncio.Task[None], work: Callable[[], Awaitable[None]]) -> None:
    await migration
    await work()


async def _migrate(settings: Settings) -> None:
    """Make what is missing as soon as PostgreSQL answers; OperatorError where it refuses."""
    while True:
        await log_in(settings.database_url)
        with suppress(*POSTGRES_UNAVAILABLE):
            if (await standing(settings.database_url, settings.log_names)).missing:
                await migrate(settings.database_url, settings.log_names)
            return
        await asyncio.sleep(MIGRATION_RETRY_SECONDS)
