"""Alerts that time alone opens or closes: found by index, once everything recorded by then is applied.

An account must not pass an event that is still being committed, or alerts would depend on which was faster. So time
passes up to a little before the present, and only when the projection is as far as the log was then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import get_args

from asyncpg import Pool

from contracts.alerts import AlertKind
from services.projections import metrics
from services.projections.debt_alerts.episodes import begin, have_begun
from services.projections.debt_alerts.projection import pass_time
from services.projections.following.feed import LogFeed
from services.projections.following.tracking import Tracking

EVERY_SECONDS = 1.0
SELDOM_SECONDS = 15.0
COUNT_SECONDS = 15.0
LATE_POLL_SECONDS = 0.02
COMMIT_TIME_MAX = timedelta(minutes=2)
"""An event is committed at most so long after its `recorded_at`: the ledger gives up appending before."""

OPEN = "SELECT kind, count(*)::integer AS alerts FROM alert WHERE closed_at IS NULL GROUP BY kind"

Clock = Callable[[], Awaitable[datetime]]


class Timekeeper:
    """Lets time pass for the alerts. Any number of processes may do it at once."""

    def __init__(
        self,
        database: Pool,
        trackings: Sequence[Tracking],
        feeds: Sequence[LogFeed],
        clock: Clock,
        margin: timedelta,
    ) -> None:
        self._database = database
        self._trackings = trackings
        self._feeds = feeds
        self._clock = clock
        self._margin = margin

    async def run(self) -> None:
        """Run until a server is unavailable, which is raised."""
        await self.begin()
        every = SELDOM_SECONDS if self._margin else EVERY_SECONDS  # later than the margin in any case
        while True:
            await self._count_open()
            for _ in range(round(COUNT_SECONDS / every)):
                await self.look()
                await asyncio.sleep(every)

    async def begin(self) -> None:
        """Let the alerts begin where the logs end now, unless they have begun already."""
        if not await have_begun(self._database):
            now = await self._clock()
            await begin(self._database, [await feed.head() for feed in self._feeds], now)

    async def look(self) -> None:
        """Let time pass up to what is known, once the projection has come as far as every log has now."""
        now = await self._clock()
        for tracking, feed in zip(self._trackings, self._feeds, strict=True):
            await self._reached(tracking, await feed.head())
        await pass_time(self._database, now - self._margin)

    async def _count_open(self) -> None:
        found = dict(await self._database.fetch(OPEN))
        for kind in get_args(AlertKind):
            metrics.OPEN_ALERTS.labels(kind).set(found.get(kind, 0))

    async def _reached(self, tracking: Tracking, head: int) -> None:
        """Wait for the projection, asking ever less often: while it does not go on, no time passes for its alerts."""
        patience = LATE_POLL_SECONDS
        while (await tracking.place(self._database)).position < head:
            await tracking.wait_for_move(patience)
            patience = min(2 * patience, EVERY_SECONDS)
