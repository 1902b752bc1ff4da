"""Every read model made a second time from the log, beside the live ones, and compared with them.

The tables are temporary ones of one connection: nobody else sees them, PostgreSQL keeps no journal of them, and drops
them with the connection, also when this process is killed. What is live goes on meanwhile and waits for nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg

from services.auditing.table_differences import Difference, differences_of, differing_views
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import as_lines
from services.process.postgres_roles import AUDITOR
from services.projections.catalogue import FIRST_TABLES, PROJECTIONS
from services.projections.database import connection_settings
from services.projections.following import halted_accounts
from services.projections.following import tracking as places
from services.projections.following.batches import apply
from services.projections.following.logged import Logged
from services.projections.following.tracking import Place, Projection, Tracking, cut
from services.projections.nodes import await_committed, is_distributed, take_state_of_nodes

PAGE_EVENTS = 5_000
NEAR_EVENTS = 2_000
"""So far behind the live tables, the rest is applied in the transaction that compares them."""

REST_SHARE = 0.25
"""Of the time that a page has taken: so long the next one waits, for whatever is more urgent."""

STATEMENT_SECONDS_MAX = 600

MODEST = {"work_mem": "8MB", "temp_buffers": "32MB", "max_parallel_workers_per_gather": "0", "jit": "off"}
"""So much of PostgreSQL's memory is taken, however much is compared, and never more than one core."""

TABLES = tuple(table for projection in PROJECTIONS for table in projection.tables)


class SideTables:
    """The read models of all logs as they follow from these, on one connection of the auditor's role."""

    def __init__(self, connection: asyncpg.Connection, store: EventStore, logs: int) -> None:
        self.connection = connection
        self._store = store
        self._folded = [Folded(projection, logs) for projection in PROJECTIONS]

    @classmethod
    @asynccontextmanager
    async def beside(cls, database_url: str, store: EventStore, logs: int) -> AsyncIterator["SideTables"]:
        """Empty ones, for the time of the context."""
        settings = connection_settings("hourbook audit", STATEMENT_SECONDS_MAX, AUDITOR)
        settings["server_settings"] |= MODEST | {"search_path": "pg_temp"}
        connection = await asyncpg.connect(database_url, **settings)
        try:
            await connection.execute(halted_accounts.SCHEMA + places.SCHEMA)
            made = cls(connection, store, logs)
            for folded in made._folded:
                await connection.execute(folded.projection.schema)
                for tracking in folded.trackings:
                    await tracking.enter(connection)
            yield made
        finally:
            await connection.close(timeout=5)

    async def follow(self) -> AsyncIterator[int]:
        """Come near the live tables, however far they go meanwhile; yields how many events were applied."""
        applied = analysed = 0
        while True:
            await self._aim()
            before = applied
            if sum(folded.missing for folded in self._folded if folded.is_comparable) > NEAR_EVENTS:
                async for events in self._steps():
                    yield events
                    applied += events
                    if applied >= 2 * analysed:  # plans are to be made for tables of this size
                        await self._analyse()
                        analysed = applied
            if applied == before:
                return

    async def compare(self) -> AsyncIterator[Difference]:
        """Follow to exactly where the live tables are in one state of theirs, and compare all that is in them.

        Those of another version, or that have gone back meanwhile, are none to compare with. Nothing is kept of it.
        """
        await self._analyse()
        async with self._state_of_live_tables():
            async for _ in self._steps():
                pass
            for folded in (each for each in self._folded if each.is_comparable):
                await folded.projection.finish(self.connection)
                for difference in folded.other_places():
                    yield difference
                for table in folded.projection.tables:
                    async for difference in differences_of(self.connection, folded.projection.name, table):
                        yield difference
            if all(folded.is_comparable for folded in self._folded):
                async for difference in differences_of(self.connection, "of halted accounts", "halted_account"):
                    yield difference
                for difference in await differing_views(self.connection):
                    yield difference

    @asynccontextmanager
    async def _state_of_live_tables(self) -> AsyncIterator[None]:
        """One state for the time of the context; no rebuild puts others in their place meanwhile.

        They are held before the state is taken: PostgreSQL would find tables that were put there since, and no rows.
        """
        before = [list(folded.places) for folded in self._folded]
        held = ", ".join(f"projections.{table}" for table in (*TABLES, "tracking", "halted_account"))
        if on_nodes := await is_distributed(self.connection):
            await await_committed(self.connection)
        transaction = self.connection.transaction(isolation="repeatable_read")
        await transaction.start()
        try:
            await self.connection.execute(f"LOCK TABLE {held} IN ACCESS SHARE MODE")
            if on_nodes:
                await take_state_of_nodes(self.connection, FIRST_TABLES)
            await self._aim()
            yield
        finally:
            await transaction.rollback()
            for folded, places_before in zip(self._folded, before, strict=True):
                folded.places = places_before

    async def notices(self) -> AsyncIterator[tuple[int, str]]:
        """What is compared as it was before the log's end, by log: it may have halted, or be on its way."""
        heads = [await self._store.head(log_id) for log_id in range(len(self._folded[0].trackings))]
        for folded in self._folded:
            for log_id, (goal, head) in enumerate(zip(folded.goals, heads, strict=True)):
                compared = f"the projection {folded.projection.name} is compared as of position {goal.position}"
                if goal.halted:
                    yield log_id, f"{compared}, where it has halted: {goal.halted}"
                elif goal.position < head:
                    yield log_id, f"{compared}; the log has come to {head} meanwhile"

    async def _analyse(self) -> None:
        """Nobody else does it for temporary tables."""
        await self.connection.execute(f"ANALYZE {', '.join(TABLES)}")

    async def _aim(self) -> None:
        """See where the live tables are."""
        await self.connection.execute("SET search_path = projections, pg_temp")
        for folded in self._folded:
            folded.goals = (await cut(self.connection, folded.trackings)).places
        await self.connection.execute("SET search_path = pg_temp")

    async def _steps(self) -> AsyncIterator[int]:
        """Apply up to the goals, one log after another; each page is read once for all read models."""
        for log_id in range(len(self._folded[0].trackings)):
            while behind := [folded for folded in self._folded if folded.is_behind(log_id)]:
                begun = time.monotonic()
                after = min(folded.places[log_id].position for folded in behind)
                furthest = max(folded.goals[log_id].position for folded in behind)
                page = await self._store.page(log_id, after, min(PAGE_EVENTS, furthest - after))
                if not page:
                    break
                batch = [Logged.of_line(line) for line in as_lines(page).split(b"\n")[:-1]]
                for folded in behind:
                    await folded.apply(self.connection, log_id, batch)
                yield len(page)
                await asyncio.sleep(REST_SHARE * (time.monotonic() - begun))


class Folded:
    """One read model of all logs: how far it has come, and how far it is to come."""

    def __init__(self, projection: Projection, logs: int) -> None:
        self.projection = replace(projection, project=projection.fold or projection.project)
        self.trackings = [Tracking(self.projection, str(log_id)) for log_id in range(logs)]
        self.places = [Place() for _ in self.trackings]
        self.goals = tuple(self.places)

    @property
    def is_comparable(self) -> bool:
        """Whether the live tables are of this version, and not behind where these are already."""
        return all(
            goal.version == self.projection.version and place.position <= goal.position
            for place, goal in zip(self.places, self.goals, strict=True)
        )

    @property
    def missing(self) -> int:
        """How many events are to be applied."""
        return sum(goal.position - place.position for place, goal in zip(self.places, self.goals, strict=True))

    def is_behind(self, log_id: int) -> bool:
        """Whether events of that log are to be applied."""
        return self.is_comparable and self.places[log_id].position < self.goals[log_id].position

    async def apply(self, connection: asyncpg.Connection, log_id: int, batch: list[Logged]) -> None:
        """Those of a batch that come next, up to the goal."""
        place, goal = self.places[log_id], self.goals[log_id]
        if wanted := [logged for logged in batch if place.position < logged.position <= goal.position]:
            self.places[log_id] = await apply(connection, self.trackings[log_id], place, wanted)

    def other_places(self) -> Iterator[Difference]:
        """Where the live tables say that they are, and the log is not so."""
        for tracking, place, goal in zip(self.trackings, self.places, self.goals, strict=True):
            name, row = self.projection.name, "tracking"
            if place.position != goal.position:
                said = f" is at {goal.position} of log {tracking.log}, which reaches {place.position}"
                yield Difference(name, row, said)
            elif place.event_id != goal.event_id or (goal.hash and place.hash != goal.hash):
                said = f" has applied event {goal.event_id} at {goal.position} of log {tracking.log}, which has another"
                yield Difference(name, row, said)
