"""How far a projection has come in a log: moved in the transaction that applies the events, so each counts once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from asyncpg import Connection, Pool

from services.projections.logged import CannotApply, Logged

SCHEMA = """
CREATE TABLE IF NOT EXISTS projections.tracking (
    projection text NOT NULL,
    log        text NOT NULL,
    position   bigint NOT NULL DEFAULT 0,
    event_id   text,
    halted     text,
    PRIMARY KEY (projection, log)
) WITH (fillfactor = 50);
"""

BEGIN = "INSERT INTO projections.tracking (projection, log) VALUES ($1, $2) ON CONFLICT DO NOTHING"

READ = "SELECT position, event_id, halted FROM projections.tracking WHERE projection = $1 AND log = $2"

ADVANCE = """
    UPDATE projections.tracking SET position = $4, event_id = $5, halted = NULL
    WHERE projection = $1 AND log = $2 AND position = $3
"""

HALT = "UPDATE projections.tracking SET halted = $3 WHERE projection = $1 AND log = $2"


@dataclass(frozen=True)
class Projection:
    """A read model: its tables, and how it applies a batch of events in the caller's transaction."""

    name: str
    schema: str
    tables: tuple[str, ...]
    project: Callable[[Connection, Sequence[Logged]], Awaitable[None]]


class Overtaken(Exception):
    """Another worker has moved this projection."""


@dataclass(frozen=True)
class Place:
    """A place in the log: the last event applied, and why the projection does not go on, if it does not."""

    position: int = 0
    event_id: str | None = None
    halted: str | None = None


class Tracking:
    """One projection's place in one log."""

    def __init__(self, projection: str, log: str) -> None:
        self._key = (projection, log)
        self._moved = asyncio.Event()

    async def begin(self, database: Pool) -> Place:
        """Where to go on: at the log's start for a projection that is new, or that a crash took back to its beginning.

        A halt of the past is forgotten: whoever begins will meet its cause again, if it is still there.
        """
        await database.execute(BEGIN, *self._key)
        await database.execute(HALT, *self._key, None)
        return await self.place(database)

    async def place(self, database: Pool | Connection) -> Place:
        """The place as every process sees it."""
        row = await database.fetchrow(READ, *self._key)
        return Place(**row) if row else Place()

    async def advance(self, connection: Connection, before: Place, batch: Sequence[Logged]) -> Place:
        """Move over a batch that follows `before`, in the transaction that applies it.

        This is the fence between workers: Overtaken when the place is no longer `before`.
        """
        first, last = batch[0].position, batch[-1].position
        if first != before.position + 1 or last - first + 1 != len(batch):
            raise CannotApply(f"after position {before.position} came {first} to {last} in {len(batch)} events")
        after = Place(last, batch[-1].recorded.event_id)
        done = await connection.execute(ADVANCE, *self._key, before.position, after.position, after.event_id)
        if done != "UPDATE 1":
            raise Overtaken
        return after

    async def halt(self, database: Pool, reason: str) -> None:
        """Tell every process that the projection does not go on."""
        await database.execute(HALT, *self._key, reason)

    def moved(self) -> None:
        """Wake who waits in this process, once the move is committed."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_for_move(self, seconds: float) -> None:
        """Return when a worker in this process has moved, or at the latest after so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._moved.wait()
