"""A projection that is built anew while the live one goes on, compared with it at one position, and swapped in.

The tables are built by the same `project` in a schema of their own, which the connection's search_path names instead
of the live one. What is cut short leaves nothing but that schema, which the next rebuild drops.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from itertools import chain
from typing import Any

import asyncpg

from services.projections.database import AS_OWNER, OWNER, WHOLE_TABLES_SECONDS_MAX, pool
from services.projections.following import halted_accounts
from services.projections.following import tracking as places
from services.projections.following.batches import apply
from services.projections.following.feed import LogFeed
from services.projections.following.tracking import Cut, Place, Tracking, cut
from services.projections.nodes import await_committed, distribute, is_distributed, reach_nodes
from services.projections.views import open_to_readers

logger = logging.getLogger(__name__)

NEAR_EVENTS = 1000  # so far behind the live tables, the rest is applied while their worker waits
ALONE_SECONDS = 3  # for the connection of a rebuild that was killed to be noticed
WORKER_HELD_SECONDS = 10  # for the live worker's batch to end
READERS_HELD_SECONDS = 0.3  # how long new readers wait for earlier ones to release the tables
SWAP_TRIES = 100
SWAP_RETRY_SECONDS = 0.3

ALONE = "SELECT pg_advisory_lock(hashtextextended('hourbook rebuild ' || $1, 0))"

LIVE = """
    SELECT log, position, tables FROM projections.tracking
    WHERE projection = $1 AND log = ANY ($2) ORDER BY log FOR UPDATE
"""

REPLACE = """
    UPDATE projections.tracking AS live
    SET position = built.position, event_id = built.event_id, hash = built.hash, epoch = built.epoch,
        version = built.version, tables = built.tables, halted = NULL
    FROM tracking AS built
    WHERE live.projection = built.projection AND live.log = built.log;

    DELETE FROM projections.halted_account WHERE projection IN (SELECT projection FROM tracking);
    INSERT INTO projections.halted_account SELECT * FROM halted_account;
"""

Progress = Callable[[int, int], None]
"""Called with how many events are applied, and how many there are to apply at present."""


class RebuildUnderWay(Exception):
    """Another process is rebuilding this projection."""


class RebuildFailed(Exception):
    """The projection was not replaced; the live tables are unchanged."""


class TotalsDiffer(RebuildFailed):
    """The rebuilt tables differ from the live ones."""

    def __init__(self, name: str, at: Cut, differences: list[str]) -> None:
        found = "; ".join(differences)
        super().__init__(f"{name} differs at position {at}: {found}. Swap with --accept-differences all the same.")


class Rebuild:
    """One projection of all logs, from each log's feed."""

    def __init__(self, database_url: str, trackings: Sequence[Tracking], feeds: Sequence[LogFeed]) -> None:
        self._url = database_url
        self._trackings = trackings
        self._feeds = feeds
        self._logs = [tracking.log for tracking in trackings]
        self._projection = trackings[0].projection
        self._schema = f"projections_building_{self._projection.name}"

    async def run(self, progress: Progress = lambda _at, _goal: None, *, accept_differences: bool = False) -> Cut:
        """Build, compare and replace; where in the logs that happened. Live workers and readers go on meanwhile.

        Raises RebuildUnderWay, TotalsDiffer unless that is accepted, CannotApply for an event that this program
        cannot apply, RebuildFailed while readers never release the old tables, and what PostgreSQL and the feed raise
        while they are unavailable. Tables of another version may differ.
        """
        async with self._building() as building, pool(self._url, 1, WHOLE_TABLES_SECONDS_MAX) as live:
            at = await self._follow(building, live, await cut(building, self._trackings), progress)
            at, differences = await self._compare(building, live, at)
            if differences and not accept_differences:
                raise TotalsDiffer(self._projection.name, at, differences)
            for _ in range(SWAP_TRIES):
                at = await self._follow(building, live, at, progress)
                try:
                    return await self._replace(building, at)
                except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                    await asyncio.sleep(SWAP_RETRY_SECONDS)
            raise RebuildFailed(f"the tables of {self._projection.name} are being read all the time; try again later")

    @asynccontextmanager
    async def _building(self) -> AsyncIterator[asyncpg.Connection]:
        """The only connection that builds this projection, with its new tables, empty."""
        connection = await asyncpg.connect(
            self._url,
            timeout=5,
            server_settings={"search_path": self._schema, "application_name": "hourbook rebuild"},
        )
        try:
            await connection.execute(AS_OWNER, OWNER, False)
            await self._alone(connection)
            await reach_nodes(connection)
            await connection.execute(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE; CREATE SCHEMA {self._schema}")
            await connection.execute(halted_accounts.SCHEMA + places.SCHEMA)
            await connection.execute(self._projection.schema)
            await distribute(connection, self._schema)
            for tracking in self._trackings:
                await tracking.enter(connection)
            try:
                yield connection
            finally:
                if not connection.is_closed():
                    await connection.execute(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")
        finally:
            await connection.close(timeout=5)

    async def _alone(self, connection: asyncpg.Connection) -> None:
        """Keep others from rebuilding this projection for as long as the connection lives."""
        await _wait_for_locks(connection, ALONE_SECONDS)
        try:
            await connection.execute(ALONE, self._projection.name)
        except asyncpg.LockNotAvailableError as taken:
            raise RebuildUnderWay(f"another process is rebuilding {self._projection.name}; wait for it") from taken

    async def _follow(self, building: asyncpg.Connection, live: asyncpg.Pool, at: Cut, progress: Progress) -> Cut:
        """Come near the live tables, never past them, however far they go meanwhile."""
        while _events(goal := await cut(live, self._trackings)) - _events(at) > NEAR_EVENTS:
            before, at = at, await self._reach(building, at, goal, progress)
            if at == before:  # the logs end before the places at which the live tables are
                break
        return at

    async def _reach(
        self, building: asyncpg.Connection, at: Cut, goal: Cut, progress: Progress = lambda _at, _goal: None
    ) -> Cut:
        """Apply up to those places and no further, or up to the end of a log; one log after another."""
        reached = list(at.places)
        for n, place in enumerate(goal.places):
            async for step in self._steps(building, n, reached[n], place.position):
                reached[n] = step
                progress(_events(Cut(tuple(reached))), _events(goal))
        return Cut(tuple(reached))

    async def _steps(self, building: asyncpg.Connection, n: int, at: Place, goal: int) -> AsyncGenerator[Place, None]:
        """The places on the way through one log, a page apart."""
        if at.position >= goal:
            return
        async with aclosing(self._feeds[n].pages(at)) as pages:
            async for events in pages:
                at = await apply(building, self._trackings[n], at, events[: goal - at.position])
                yield at
                if at.position == goal:
                    return

    async def _compare(self, building: asyncpg.Connection, live: asyncpg.Pool, at: Cut) -> tuple[Cut, list[str]]:
        """Bring the new tables to where the live ones are, and say in which sums they differ there."""
        snapshot = {"isolation": "repeatable_read", "readonly": True}
        async with live.acquire() as connection:
            if await is_distributed(connection):
                await await_committed(connection)
            async with connection.transaction(**snapshot):
                with suppress(asyncpg.UndefinedTableError):  # another version may know no such table
                    async with connection.transaction():
                        await connection.execute(f"LOCK TABLE {self._projection.tables[0]} IN ROW SHARE MODE")
                there = await cut(connection, self._trackings)
                expected = await self._totals(connection)
        at = await self._reach(building, at, there)
        await self._projection.finish(building)
        found = await self._totals(building)
        differences = [
            f"{name} is {expected[name]} and was rebuilt as {found[name]}"
            for name in expected.keys() & found.keys()
            if expected[name] != found[name]
        ]
        if _events(at) < _events(there):
            differences.append(f"the log ends at {at}, the tables stand at {there}")
        if at.halted_accounts != there.halted_accounts:
            names = (", ".join(accounts) or "none" for accounts in (there.halted_accounts, at.halted_accounts))
            differences.append("of the accounts there are halted {}, and once rebuilt {}".format(*names))
        if all(place.version == self._projection.version for place in there.places):
            return at, sorted(differences)
        logger.info("%s differs, as expected, once rebuilt: %s", self._projection.name, "; ".join(differences))
        return at, []

    async def _totals(self, connection: asyncpg.Connection) -> dict[str, Any]:
        """How many rows each table has, and the projection's own sums; nothing where another version has no such."""
        rows = ", ".join(f"(SELECT count(*) FROM {table}) AS rows_of_{table}" for table in self._projection.tables)  # noqa: S608
        sums = f"SELECT * FROM (SELECT {rows}) AS counted, ({self._projection.totals}) AS summed"  # noqa: S608
        try:
            async with connection.transaction():
                return dict(await connection.fetchrow(sums))
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
            return {}

    async def _replace(self, building: asyncpg.Connection, at: Cut) -> Cut:
        """In one transaction: hold the live workers, apply the rest, and let the new tables take the old ones' place.

        A reader locks the first table before it sees anything, and so sees either all of the old or all of the new.
        """
        async with building.transaction():
            await _wait_for_locks(building, WORKER_HELD_SECONDS)
            live = {row["log"]: row for row in await building.fetch(LIVE, self._projection.name, self._logs)}
            at = await self._reach(building, at, Cut(tuple(Place(live[log]["position"]) for log in self._logs)))
            await _wait_for_locks(building, READERS_HELD_SECONDS)
            names = [*chain.from_iterable(row["tables"] for row in live.values()), *self._projection.tables]
            old = [f"projections.{table}" for table in dict.fromkeys(names)]
            await building.execute(f"DROP TABLE IF EXISTS {', '.join(old)} CASCADE")
            for table in self._projection.tables:
                await building.execute(f"ALTER TABLE {table} SET SCHEMA projections")
            await building.execute(REPLACE)
            await building.execute(f"DROP SCHEMA {self._schema} CASCADE")
            await open_to_readers(building)
        return at


def _events(at: Cut) -> int:
    """How many events lie before, in all logs."""
    return sum(place.position for place in at.places)


async def _wait_for_locks(connection: asyncpg.Connection, seconds: float) -> None:
    """So long and no longer, from now on; in a transaction, up to its end if it fails."""
    await connection.execute(f"SET lock_timeout = '{seconds}s'")
