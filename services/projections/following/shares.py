"""Which process works on which log of which projection: any number of processes share them, and one works on each.

A process holds an advisory lock of PostgreSQL for whatever it works on, by one connection, so that a process that is
killed gives everything up at once. Another lock, which all of them share, counts them: each process takes free work up
to its fair share, and gives back what is more. Shares only avoid double work; the tracking makes sure that no event
counts twice.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from zlib import crc32

import asyncpg
import httpx

from services.process.outages import outlasting
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.stopping import end
from services.projections.database import connection_settings, pool
from services.projections.following.feed import LogFeed
from services.projections.following.identity import FollowedLedger
from services.projections.following.live_log import Delivery
from services.projections.following.rebuild import Rebuild
from services.projections.following.tracking import Tracking
from services.projections.following.worker import Worker
from services.projections.settings import Settings

logger = logging.getLogger(__name__)

WORKER_CONNECTIONS = 2
EVERY_SECONDS = 1.0

SHARES = 1213156952  # stands for these locks among the advisory locks of this database
MEMBER = 0

# A process is gone with its connection, a machine that falls silent after some seconds without an answer.
NOTICE = "SET tcp_keepalives_idle = 3; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"

JOIN = "SELECT pg_advisory_lock_shared($1, $2)"

HELD = """
    SELECT objid::bigint AS lock, count(*)::integer AS holders FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND classid = $1::bigint::oid AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    GROUP BY objid
"""

TAKE = "SELECT pg_try_advisory_lock($1, $2)"

GIVE_BACK = "SELECT pg_advisory_unlock($1, $2)"


class Shares:
    """The workers of one process, of which those run that are its share."""

    def __init__(self, database_url: str, workers: Mapping[str, Worker]) -> None:
        """Workers by names that mean the same in every process."""
        self._url = database_url
        self._workers = {_lock_of(name): worker for name, worker in workers.items()}
        self._running: dict[int, asyncio.Task[None]] = {}

    @property
    def working(self) -> tuple[Worker, ...]:
        """Those that run now."""
        return tuple(self._workers[lock] for lock in self._running)

    async def run(self) -> None:
        """Work until cancelled; while PostgreSQL is unavailable this process holds no share."""
        await outlasting(POSTGRES_UNAVAILABLE, self._share, "The sharing of the projections' work", logger)

    async def _share(self) -> None:
        connection = await asyncpg.connect(self._url, **connection_settings("hourbook shares"))
        try:
            await connection.execute(NOTICE)
            await connection.execute(JOIN, SHARES, MEMBER)
            while True:
                held = {row["lock"]: row["holders"] for row in await connection.fetch(HELD, SHARES)}
                fair = -(-len(self._workers) // held[MEMBER])
                await self._give_back(connection, fair)
                await self._take(connection, fair, held)
                await self._crashed()
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            try:
                await end(*self._running.values())
            finally:
                self._running.clear()
                connection.terminate()

    async def _give_back(self, connection: asyncpg.Connection, fair: int) -> None:
        for lock in list(self._running)[fair:]:
            await end(self._running.pop(lock))
            await connection.execute(GIVE_BACK, SHARES, lock)

    async def _take(self, connection: asyncpg.Connection, fair: int, held: Mapping[int, int]) -> None:
        for lock, worker in self._workers.items():
            if len(self._running) >= fair:
                return
            if lock not in held and await connection.fetchval(TAKE, SHARES, lock):
                self._running[lock] = asyncio.create_task(worker.run())

    async def _crashed(self) -> None:
        """A worker waits or halts, whatever happens; one that has ended is broken, and this process with it."""
        for task in self._running.values():
            if task.done():
                await task


@asynccontextmanager
async def sharing(
    settings: Settings, ledger: httpx.AsyncClient, trackings: Mapping[str, tuple[Tracking, ...]]
) -> AsyncIterator[Shares]:
    """A worker for each log of each projection, so that none waits for another or halts with it."""
    async with pool(settings.database_url, WORKER_CONNECTIONS * len(trackings), name="workers") as connections:
        followed = FollowedLedger(connections)
        feeds = [LogFeed(ledger, log, followed, settings.logs) for log in settings.log_names]
        deliveries = [Delivery(settings.nats_url, feed) for feed in feeds]
        workers: dict[str, Worker] = {}
        for name, of_logs in trackings.items():
            rebuild = Rebuild(settings.database_url, of_logs, feeds)
            for tracking, feed, delivery in zip(of_logs, feeds, deliveries, strict=True):
                workers[f"{name}/{tracking.log}"] = Worker(connections, tracking, feed, delivery, rebuild)
        yield Shares(settings.database_url, workers)


def _lock_of(name: str) -> int:
    """Its number among these locks, never that of MEMBER."""
    return crc32(name.encode()) % 0x7FFFFFFF + 1
