"""The worker of one projection: catches up from the ledger's feed, then follows JetStream live."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing

import asyncpg

from services.projections import metrics
from services.projections.database import POSTGRES_AWAY
from services.projections.live_log import LiveLog
from services.projections.log_feed import LEDGER_AWAY, LogFeed
from services.projections.logged import CannotApply, Logged
from services.projections.tracking import Overtaken, Place, Projection, Tracking

logger = logging.getLogger(__name__)

QUIET_SECONDS = 1.0  # so long without a message, and the feed is asked whether there should have been one
POLL_SECONDS = 0.1  # how often the feed is asked while JetStream is away
STAND_BY_SECONDS = 1.0
RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)

DATA_REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError)
"""What PostgreSQL and asyncpg, whose own errors about data are ValueErrors, say of rows that cannot be."""


class Worker:
    """Applies one log to one projection, in order, each event once. Several may run: one works, the others wait."""

    def __init__(
        self, projection: Projection, pool: asyncpg.Pool, tracking: Tracking, feed: LogFeed, live: LiveLog
    ) -> None:
        self._projection = projection
        self._pool = pool
        self._tracking = tracking
        self._feed = feed
        self._live = live
        self._place = Place()
        self._overtaken = False
        self._failures = 0
        self.halted: str | None = None
        self.waiting: str | None = None

    async def run(self) -> None:
        """Work until cancelled, whatever is away meanwhile.

        An event that cannot be applied halts the projection: this process says so until it is started again.
        """
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(self._live.run())
            try:
                await self._work()
                await self._stay_halted()
            finally:
                following.cancel()

    async def _work(self) -> None:
        """Return when the projection halts."""
        while self.halted is None:
            try:
                if self._overtaken:
                    await self._stand_by()
                self._stand_at(await self._tracking.begin(self._pool))
                await self._follow()
            except Overtaken:
                self._overtaken = True
            except (*DATA_REFUSED, CannotApply) as refused:
                self.halted = str(refused)
            except POSTGRES_AWAY as away:
                await asyncio.sleep(self._wait_for(away))
            except Exception as broken:
                logger.exception("the projection %s broke", self._projection.name)
                self.halted = repr(broken)

    async def _follow(self) -> None:
        """The feed first, for whatever JetStream cannot have; then JetStream, until something is missing or quiet.

        While the ledger is away JetStream alone is followed.
        """
        while True:
            patience = QUIET_SECONDS if self._live.connected else POLL_SECONDS
            try:
                if await self._catch_up() and self._live.connected and self._live.idle:
                    self._live.subscribe_again()
            except LEDGER_AWAY as away:
                patience = self._wait_for(away)
            while events := await self._live.arrived(patience):
                await self._apply(events)

    async def _catch_up(self) -> bool:
        """Apply what the feed has; whether that was anything."""
        before = self._place
        async with aclosing(self._feed.pages(before)) as pages:
            async for events in pages:
                await self._apply(events)
        if self.waiting:
            logger.info("the projection %s goes on at %d", self._projection.name, self._place.position)
        self._failures, self.waiting = 0, None
        return self._place != before

    async def _apply(self, events: Sequence[Logged]) -> None:
        """A batch in one transaction; if it is refused, one by one up to the event that is to blame."""
        try:
            await self._apply_together(events)
        except (*DATA_REFUSED, CannotApply) as refused:
            if len(events) == 1:
                recorded = events[0].recorded
                raise CannotApply(f"event {recorded.event_id} at {recorded.position}: {refused}") from refused
            for event in events:
                await self._apply([event])

    async def _apply_together(self, events: Sequence[Logged]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            place = await self._tracking.advance(connection, self._place, events)
            await self._projection.project(connection, events)
        self._stand_at(place)
        self._tracking.moved()
        metrics.applied(self._projection.name, events)

    def _stand_at(self, place: Place) -> None:
        self._place = place
        self._live.position = place.position
        metrics.POSITION.labels(self._projection.name).set(place.position)

    async def _stand_by(self) -> None:
        """Another worker moves this projection: take over when it has stood still."""
        logger.info("the projection %s is moved by another worker", self._projection.name)
        seen, place = None, await self._tracking.place(self._pool)
        while seen != place:
            await asyncio.sleep(STAND_BY_SECONDS)
            seen, place = place, await self._tracking.place(self._pool)
        self._overtaken = False

    def _wait_for(self, away: Exception) -> float:
        """Say what is away, once; how many seconds to wait before another try."""
        if not self.waiting:
            logger.warning("the projection %s waits at %d: %r", self._projection.name, self._place.position, away)
        self.waiting = repr(away)
        self._failures += 1
        return RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS)) - 1]

    async def _stay_halted(self) -> None:
        """Nothing is skipped: every process shows the reason until a version that can go on is started."""
        metrics.HALTED.labels(self._projection.name).set(1)
        logger.error("the projection %s halted after %d: %s", self._projection.name, self._place.position, self.halted)
        while True:
            try:
                await self._tracking.halt(self._pool, str(self.halted))
                break
            except POSTGRES_AWAY as away:
                await asyncio.sleep(self._wait_for(away))
        await asyncio.Event().wait()
