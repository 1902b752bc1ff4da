"""The projections at work in a process: what its routes ask, and the worker beside them if it has one."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import httpx

from contracts.quantities import parse_instant
from services.problem_responses import ProblemError
from services.projections.balances import BALANCES
from services.projections.database import POSTGRES_AWAY, migrate, pool
from services.projections.live_log import LiveLog
from services.projections.log_feed import LEDGER_AWAY, LogFeed
from services.projections.settings import Settings
from services.projections.tracking import Place, Tracking
from services.projections.worker import Worker

logger = logging.getLogger(__name__)

QUERY_CONNECTIONS = 10
WORKER_CONNECTIONS = 2
MIGRATION_SECONDS_MAX = 10.0
MIGRATION_RETRY_SECONDS = 0.2
LATE_SECONDS_MAX = 2.0
LATE_POLL_SECONDS = 0.002
SOON = {"Retry-After": "1"}


@dataclass
class Projections:
    """The read models of one process, for its routes."""

    settings: Settings
    ledger: httpx.AsyncClient
    pool: asyncpg.Pool
    tracking: Tracking
    worker: Worker | None
    migration: asyncio.Task[None]
    _asked: asyncio.Task[Place] | None = None

    @asynccontextmanager
    async def snapshot(self, minimum: int = 0) -> AsyncIterator[tuple[asyncpg.Connection, int]]:
        """One state of the read models for one answer, and its position, which is `minimum` or later.

        Raises `projection-behind` when that is not reached in two seconds, `projections-unavailable` while PostgreSQL
        is away.
        """
        try:
            if not self.migration.done():
                raise ConnectionError("the schema is not there yet")
            await self._wait_until(minimum)
            async with (
                self.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield connection, (await self.tracking.place(connection)).position
        except POSTGRES_AWAY as away:
            detail = "The projections' database cannot be reached now. Try again."
            raise ProblemError("projections-unavailable", detail, headers=SOON) from away

    async def _wait_until(self, minimum: int) -> None:
        deadline = asyncio.get_running_loop().time() + LATE_SECONDS_MAX
        while minimum and (position := await self._position()) < minimum:
            if asyncio.get_running_loop().time() > deadline:
                detail = f"The projection is at position {position}, not at {minimum} yet. Try again."
                raise ProblemError("projection-behind", detail, headers=SOON | {"Hourbook-Position": str(position)})
            await self.tracking.wait_for_move(LATE_POLL_SECONDS)

    async def _position(self) -> int:
        """Asked once for all who wait at the same time."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self.tracking.place(self.pool))
        return (await asyncio.shield(self._asked)).position

    async def now(self) -> datetime:
        """The present; in the sandbox, what the ledger's test clock says."""
        if not self.settings.sandbox:
            return datetime.now(UTC)
        try:
            answer = (await self.ledger.get("/v1/test-clock")).raise_for_status().json()
        except LEDGER_AWAY as away:
            detail = "The ledger, which has the test clock, cannot be reached now. Try again."
            raise ProblemError("ledger-unavailable", detail, headers=SOON) from away
        return parse_instant(answer["now"])

    async def faults(self) -> list[str]:
        """Why this process is not ready, a sentence each; empty when it is."""
        try:
            async with asyncio.timeout(1), self.snapshot() as (connection, _):
                place = await self.tracking.place(connection)
        except (ProblemError, TimeoutError):
            return ["The projections' database cannot be reached, or has no schema yet."]
        found: list[str] = []
        if place.halted:
            found.append(f"The projection {BALANCES.name} halted after position {place.position}: {place.halted}")
        if self.worker and self.worker.waiting:
            found.append(f"The worker waits for what is away: {self.worker.waiting}")
        return found


@asynccontextmanager
async def running_projections(settings: Settings, *, worker: bool) -> AsyncIterator[Projections]:
    """Ready for questions, with or without a worker of its own; also while PostgreSQL, NATS or the ledger is away."""
    tracking = Tracking(BALANCES.name, settings.log)
    async with AsyncExitStack() as opened:
        ledger = await opened.enter_async_context(_ledger(settings))
        queries = await opened.enter_async_context(pool(settings.database_url, QUERY_CONNECTIONS))
        made = await opened.enter_async_context(_worker(settings, ledger, tracking)) if worker else None
        migration = asyncio.create_task(_migrate(settings.database_url))
        opened.push_async_callback(_cancel, migration)
        await asyncio.wait([migration], timeout=MIGRATION_SECONDS_MAX)
        if migration.done():
            migration.result()
        if made:
            opened.push_async_callback(_cancel, asyncio.create_task(_work(migration, made)))
        yield Projections(settings, ledger, queries, tracking, made, migration)


async def run_worker(settings: Settings) -> None:
    """A worker in a process of its own, until cancelled."""
    async with _ledger(settings) as ledger, _worker(settings, ledger, Tracking(BALANCES.name, settings.log)) as worker:
        await _migrate(settings.database_url)
        await worker.run()


def _ledger(settings: Settings) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=settings.ledger_url, timeout=30, trust_env=False)


@asynccontextmanager
async def _worker(settings: Settings, ledger: httpx.AsyncClient, tracking: Tracking) -> AsyncIterator[Worker]:
    async with pool(settings.database_url, WORKER_CONNECTIONS) as connections:
        feed, live = LogFeed(ledger, settings.log), LiveLog(settings.nats_url, settings.log)
        yield Worker(BALANCES, connections, tracking, feed, live)


async def _work(migration: asyncio.Task[None], worker: Worker) -> None:
    await migration
    await worker.run()


async def _migrate(database_url: str) -> None:
    """As soon as PostgreSQL is there."""
    while True:
        try:
            return await migrate(database_url)
        except POSTGRES_AWAY as away:
            logger.warning("the projections' schema cannot be made yet: %r", away)
        await asyncio.sleep(MIGRATION_RETRY_SECONDS)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
