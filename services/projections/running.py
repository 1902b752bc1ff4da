"""The projections at work in a process: what its routes ask, and the worker beside them if it has one."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import asyncpg
import httpx

from services.problem_responses import ProblemError
from services.projections.balances import BALANCES
from services.projections.clock import present
from services.projections.database import POSTGRES_AWAY, PROJECTIONS, migrate, pool
from services.projections.debt_alerts.beside import run_beside
from services.projections.debt_alerts.projection import pass_time
from services.projections.debt_alerts.telling import has_begun
from services.projections.live_log import LiveLog
from services.projections.log_feed import LEDGER_AWAY, LogFeed
from services.projections.monthly_reports.seller import Seller, seller
from services.projections.rebuild import Rebuild
from services.projections.settings import Settings
from services.projections.tracking import Place, Projection, Tracking
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
    trackings: Mapping[str, Tracking]
    workers: tuple[Worker, ...]
    seller: Seller
    migration: asyncio.Task[None]
    _asked: dict[str, asyncio.Task[Place]] = field(default_factory=dict)

    @asynccontextmanager
    async def snapshot(
        self, minimum: int = 0, of: Projection = BALANCES
    ) -> AsyncIterator[tuple[asyncpg.Connection, int]]:
        """One state of a read model for one answer, and its position, which is `minimum` or later.

        Raises `projection-behind` when that is not reached in two seconds or the tables are of another version,
        `projections-unavailable` while PostgreSQL is away.
        """
        with self.reaching_postgres():
            await self._wait_until(minimum, of.name)
            async with (
                self.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield connection, (await self._place_of_snapshot(connection, of)).position

    async def _place_of_snapshot(self, connection: asyncpg.Connection, of: Projection) -> Place:
        """Take the snapshot, and say at which place; no rebuild can swap the tables under it."""
        with suppress(asyncpg.UndefinedTableError):  # another version may know no such table
            await connection.execute(f"LOCK TABLE {of.tables[0]} IN ACCESS SHARE MODE")
            place = await self.trackings[of.name].place(connection)
            if place.version in (None, of.version):
                return place
        detail = f"Tables of version {of.version} of the projection {of.name} are not built yet. Try again."
        raise ProblemError("projection-behind", detail, headers=SOON)

    @contextmanager
    def reaching_postgres(self) -> Iterator[None]:
        """Where questions are put to PostgreSQL; `projections-unavailable` while it is away, or has no schema."""
        try:
            if not self.migration.done():
                raise ConnectionError("the schema is not there yet")
            yield
        except POSTGRES_AWAY as away:
            detail = "The projections' database cannot be reached now. Try again."
            raise ProblemError("projections-unavailable", detail, headers=SOON) from away

    async def places(self, minimum: int = 0) -> dict[str, Place]:
        """Where each projection stands, once it has reached that position.

        In the sandbox, alerts due by then are there too: time stands still, so nobody could have waited for them.
        """
        found: dict[str, Place] = {}
        with self.reaching_postgres():
            for name, tracking in self.trackings.items():
                await self._wait_until(minimum, name)
                found[name] = await tracking.place(self.pool)
        if self.settings.sandbox and minimum:
            now = await self.now()
            with self.reaching_postgres():
                await pass_time(self.pool, now)
        return found

    async def _wait_until(self, minimum: int, name: str) -> None:
        deadline = asyncio.get_running_loop().time() + LATE_SECONDS_MAX
        while minimum and (position := await self._position(name)) < minimum:
            if asyncio.get_running_loop().time() > deadline:
                detail = f"The projection is at position {position}, not at {minimum} yet. Try again."
                raise ProblemError("projection-behind", detail, headers=SOON | {"Hourbook-Position": str(position)})
            await self.trackings[name].wait_for_move(LATE_POLL_SECONDS)

    async def _position(self, name: str) -> int:
        """Asked once for all who wait at the same time."""
        asked = self._asked.get(name)
        if asked is None or asked.done():
            asked = self._asked[name] = asyncio.create_task(self.trackings[name].place(self.pool))
        return (await asyncio.shield(asked)).position

    async def now(self) -> datetime:
        """The present; in the sandbox, what the ledger's test clock says."""
        try:
            return await present(self.settings, self.ledger)
        except LEDGER_AWAY as away:
            detail = "The ledger, which has the test clock, cannot be reached now. Try again."
            raise ProblemError("ledger-unavailable", detail, headers=SOON) from away

    async def faults(self) -> list[str]:
        """Why this process is not ready, a sentence each; empty when it is."""
        try:
            async with asyncio.timeout(1):
                places = await self.places()
                begun = await has_begun(self.pool)
        except (ProblemError, TimeoutError, *POSTGRES_AWAY):
            return ["The projections' database cannot be reached, or has no schema yet."]
        found = [
            f"The projection {name} halted after position {place.position}: {place.halted}"
            for name, place in places.items()
            if place.halted
        ]
        found += [
            f"The tables of the projection {name} are of version {places[name].version} still."
            for name, tracking in self.trackings.items()
            if places[name].version not in (None, tracking.projection.version)
        ]
        if not begun:
            found.append("The alerts have not begun: no worker has asked the ledger yet where its log ends.")
        waiting = [worker.waiting for worker in self.workers if worker.waiting]
        return found + [f"A worker waits: {hindrance}" for hindrance in waiting]


@asynccontextmanager
async def running_projections(settings: Settings, *, worker: bool) -> AsyncIterator[Projections]:
    """Ready for questions, with or without a worker of its own; also while PostgreSQL, NATS or the ledger is away."""
    trackings = _trackings(settings)
    async with AsyncExitStack() as opened:
        ledger = await opened.enter_async_context(_ledger(settings))
        queries = await opened.enter_async_context(pool(settings.database_url, QUERY_CONNECTIONS))
        workers = await opened.enter_async_context(_workers(settings, ledger, trackings)) if worker else ()
        migration = asyncio.create_task(_migrate(settings))
        opened.push_async_callback(_cancel, migration)
        await asyncio.wait([migration], timeout=MIGRATION_SECONDS_MAX)
        if migration.done():
            migration.result()
        for made in workers:
            opened.push_async_callback(_cancel, asyncio.create_task(_work(migration, made.run)))
        if worker:
            beside = asyncio.create_task(_work(migration, partial(run_beside, settings, ledger)))
            opened.push_async_callback(_cancel, beside)
        yield Projections(settings, ledger, queries, trackings, workers, seller(settings.seller_file), migration)


async def run_worker(settings: Settings) -> None:
    """The workers of all projections in a process of their own, until cancelled."""
    async with _ledger(settings) as ledger, _workers(settings, ledger, _trackings(settings)) as workers:
        await _migrate(settings)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_beside(settings, ledger))
            for worker in workers:
                tasks.create_task(worker.run())


def _trackings(settings: Settings) -> dict[str, Tracking]:
    return {projection.name: Tracking(projection, settings.log) for projection in PROJECTIONS}


def _ledger(settings: Settings) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=settings.ledger_url, timeout=30, trust_env=False)


@asynccontextmanager
async def _workers(
    settings: Settings, ledger: httpx.AsyncClient, trackings: Mapping[str, Tracking]
) -> AsyncIterator[tuple[Worker, ...]]:
    """One for each projection, so that none waits for another or halts with it."""
    async with pool(settings.database_url, WORKER_CONNECTIONS * len(PROJECTIONS)) as connections:
        yield tuple(_worker(settings, tracking, connections, ledger) for tracking in trackings.values())


def _worker(settings: Settings, tracking: Tracking, connections: asyncpg.Pool, ledger: httpx.AsyncClient) -> Worker:
    feed, live = LogFeed(ledger, settings.log), LiveLog(settings.nats_url, settings.log)
    return Worker(connections, tracking, feed, live, Rebuild(settings.database_url, tracking, feed))


async def _work(migration: asyncio.Task[None], work: Callable[[], Awaitable[None]]) -> None:
    await migration
    await work()


async def _migrate(settings: Settings) -> None:
    """As soon as PostgreSQL is there."""
    while True:
        try:
            return await migrate(settings.database_url, settings.log)
        except POSTGRES_AWAY as away:
            logger.warning("the projections' schema cannot be made yet: %r", away)
        await asyncio.sleep(MIGRATION_RETRY_SECONDS)


async def _cancel(task: asyncio.Task[None]) -> None:
    """Until it has ended: a cancellation can get lost in asyncio.wait_for of Python 3.11, which nats-py uses."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1)
