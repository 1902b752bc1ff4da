"""The worker of one projection: catches up from the ledger's feed, then hears what is published on NATS."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

import asyncpg

from services.process import tracing
from services.process.pauses import Rests
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.projections import metrics
from services.projections.following.batches import apply
from services.projections.following.feed import LEDGER_UNAVAILABLE, LogFeed, LogWentBack, OtherPast
from services.projections.following.identity import OtherLedger
from services.projections.following.lines import Line
from services.projections.following.live_log import Delivery, LiveLog
from services.projections.following.logged import CannotApply, Logged
from services.projections.following.rebuild import Rebuild, RebuildFailed, RebuildUnderWay
from services.projections.following.tracking import OtherVersion, Overtaken, Place, Tracking

logger = logging.getLogger(__name__)

QUIET_SECONDS = 1.0  # so long without a message, and the ledger is asked whether there should have been one
QUIET_SECONDS_MAX = 4.0  # the same, after it was quiet for long
POLL_SECONDS = 0.1  # how often the feed is asked while NATS is unavailable
STAND_BY_SECONDS = 1.0
REST_SECONDS_MAX = 0.2
RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)

HINDRANCES = (*POSTGRES_UNAVAILABLE, *LEDGER_UNAVAILABLE, RebuildFailed, RebuildUnderWay, OtherVersion)


class Worker:
    """Applies one log to one projection, in order, each event once. Several may run: one works, the others wait."""

    def __init__(
        self, pool: asyncpg.Pool, tracking: Tracking, feed: LogFeed, delivery: Delivery, rebuild: Rebuild
    ) -> None:
        self._projection = tracking.projection
        self._labels = (tracking.projection.name, tracking.log)
        self._pool = pool
        self._tracking = tracking
        self._feed = feed
        self._delivery = delivery
        self._live = LiveLog(delivery)
        self._rebuild = rebuild
        self._place = Place()
        self._overtaken = False
        self._disproved: OtherPast | None = None
        self._failures = 0
        self._until_ledger_answers = False
        self.halted: str | None = None
        self.waiting: str | None = None

    async def run(self) -> None:
        """Work until cancelled, through every outage.

        An event that cannot be applied halts the projection, until it is rebuilt or this process started again; another
        ledger's log halts it, until the right ledger answers, and a log that has gone back, until another epoch begins.
        """
        async with self._delivery.followed_by(self._live):
            while True:
                await self._work()
                await self._stay_halted()

    async def _work(self) -> None:
        """Return when the projection halts."""
        while self.halted is None:
            try:
                if self._overtaken:
                    await self._stand_by()
                if self._disproved:
                    await self._replace(self._disproved)
                self._stand_at(await self._begin())
                await self._follow()
            except Overtaken:
                self._overtaken = True
            except OtherPast as disproved:
                self._disproved = disproved
                self._show_halt(str(disproved))
            except CannotApply as refused:
                self.halted = str(refused)
                self._until_ledger_answers = isinstance(refused, OtherLedger | LogWentBack)
            except HINDRANCES as hindrance:
                await asyncio.sleep(self._wait_for(hindrance))
            except Exception as broken:
                logger.exception("the projection %s broke", self._projection.name)
                self.halted, self._until_ledger_answers = repr(broken), False

    async def _begin(self) -> Place:
        """Where to go on, in tables of this version: older ones are replaced first, newer ones left alone."""
        try:
            return await self._tracking.begin(self._pool)
        except OtherVersion as other:
            if other.newer:
                raise
            self._wait_for(other)
            await self._rebuild.run()
            return await self._tracking.begin(self._pool)

    async def _replace(self, disproved: OtherPast) -> None:
        """Halt, because the log does not have what was applied, and put in its place what is built from the log.

        The live tables are known to be false, so differences from them are expected.
        """
        if (await self._tracking.place(self._pool)).last == self._place.last:  # nobody else has replaced them yet
            await self._tracking.halt(self._pool, str(disproved))
            at = await self._rebuild.run(accept_differences=True)
            await self._projection.forget(self._pool, [place.position for place in at.places])
            logger.warning("the projection %s was built anew from the log up to %s", self._projection.name, at)
        self._disproved = None
        metrics.HALTED.labels(*self._labels).set(0)

    async def _follow(self) -> None:
        """The feed first, for whatever NATS cannot have; then NATS, until something is missing or quiet.

        Where it is quiet, the ledger is only asked whether its log ends here, once for all that follow it.
        While the ledger is unavailable nothing is applied: no message is believed then.
        """
        listened = False  # only then is it the subscription's fault what the feed still has
        clock, rests, quiet = asyncio.get_running_loop().time, Rests(QUIET_SECONDS, QUIET_SECONDS_MAX), False
        while True:
            patience = rests.next() if self._delivery.connected else POLL_SECONDS
            try:
                if not (quiet and await self._is_at_the_end()) and await self._catch_up():
                    rests.begin_anew()
                    if listened and self._delivery.connected and self._live.idle:
                        self._delivery.subscribe_again()
            except LEDGER_UNAVAILABLE as outage:
                patience = self._wait_for(outage)
            since = clock()
            while events := await self._live.arrived(patience):
                await self._apply(events)
                await asyncio.sleep(min(self._projection.rest_seconds * len(events), REST_SECONDS_MAX))
                rests.begin_anew()
                since = clock()
            listened, quiet = True, clock() - since >= patience

    async def _is_at_the_end(self) -> bool:
        """Whether the log ends with the event that was applied last; false while something hinders."""
        return self._delivery.connected and not self.waiting and await self._feed.ends_with(self._place)

    async def _catch_up(self) -> bool:
        """Apply what the feed has; whether that was anything."""
        before = self._place
        async with aclosing(self._feed.pages(before)) as pages:
            async for events in pages:
                await self._apply(events)
        if self._feed.epoch > self._place.epoch:
            await self._tracking.enter_epoch(self._pool, self._feed.epoch)
            self._stand_at(replace(self._place, epoch=self._feed.epoch))
        if self.waiting:
            logger.info("the projection %s goes on at %d", self._projection.name, self._place.position)
        self._failures, self.waiting = 0, None
        return self._place != before

    async def _apply(self, events: Sequence[Logged]) -> None:
        begun_at = time.time_ns()
        async with self._pool.acquire() as connection:
            place = await apply(connection, self._tracking, self._place, events)
        self._stand_at(place)
        self._tracking.moved()
        metrics.applied(*self._labels, len(events), events[-1].recorded.recorded_at)
        if tracing.is_on():
            tracing.done(f"project {self._projection.name}", begun_at, _traced(events))

    def _stand_at(self, place: Place) -> None:
        self._place = place
        self._live.position, self._live.hash = place.position, place.hash
        metrics.POSITION.labels(*self._labels).set(place.position)
        metrics.HALTED_ACCOUNTS.labels(*self._labels).set(len(place.halted_accounts))

    async def _stand_by(self) -> None:
        """Another worker moves this projection: take over when it has stood still."""
        logger.info("the projection %s is moved by another worker", self._projection.name)
        seen, place = None, await self._tracking.place(self._pool)
        while seen != place:
            await asyncio.sleep(STAND_BY_SECONDS)
            seen, place = place, await self._tracking.place(self._pool)
        self._overtaken = False

    def _wait_for(self, hindrance: Exception) -> float:
        """Log what hinders, once; returns how many seconds to wait before another try."""
        if not self.waiting:
            logger.warning("the projection %s waits at %d: %r", self._projection.name, self._place.position, hindrance)
        self.waiting = repr(hindrance)
        self._failures += 1
        return RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS)) - 1]

    async def _stay_halted(self) -> None:
        """Skip nothing: every process shows the reason until a rebuild or another worker removes it."""
        self._show_halt(self.halted or "")
        shown = False
        while self.halted:
            try:
                if not shown:
                    await self._tracking.halt(self._pool, self.halted)
                    shown = True
                await asyncio.sleep(STAND_BY_SECONDS)
                if self._until_ledger_answers:
                    await self._feed.require_past(self._place)
                if self._until_ledger_answers or (await self._tracking.place(self._pool)).halted is None:
                    self.halted = None
            except (OtherLedger, LogWentBack):
                continue
            except OtherPast:
                self.halted = None  # in another epoch, whose log is gone by
            except (*POSTGRES_UNAVAILABLE, *LEDGER_UNAVAILABLE) as outage:
                await asyncio.sleep(self._wait_for(outage))
        metrics.HALTED.labels(*self._labels).set(0)

    def _show_halt(self, reason: str) -> None:
        metrics.HALTED.labels(*self._labels).set(1)
        logger.error("the projection %s halted: %s", self._projection.name, reason)


def _traced(events: Sequence[Logged]) -> Iterator[tuple[str, dict[str, int]]]:
    """The traceparents of those that came with one, and where the events stand."""
    for each in events:
        if isinstance(each.recorded, Line) and each.recorded.traceparent:
            yield each.recorded.traceparent, {"hourbook.position": each.position}
