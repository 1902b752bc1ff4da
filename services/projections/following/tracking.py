"""How far a projection has come in a log: moved in the transaction that applies the events, so each counts once.

Like a projection's tables, the table of places is found by the connection's search_path: a projection that is built
while the live one goes on has its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from asyncpg import Connection, Pool

from services.projections.following.halted_accounts import OF_PLACE
from services.projections.following.logged import CannotApply, Logged

SCHEMA = """
-- tables: those of that version, so that another version knows what it replaces. hash: the leaf hash of the last event
-- applied; an earlier version kept none. epoch: the ledger's, in which that was applied.
CREATE TABLE IF NOT EXISTS tracking (
    projection text NOT NULL,
    log        text NOT NULL,
    position   bigint NOT NULL DEFAULT 0,
    event_id   text,
    halted     text,
    PRIMARY KEY (projection, log)
) WITH (fillfactor = 50);
ALTER TABLE tracking
    ADD COLUMN IF NOT EXISTS version integer NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS tables text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS hash text,
    ADD COLUMN IF NOT EXISTS epoch integer NOT NULL DEFAULT 1;
"""

BEGIN = "INSERT INTO tracking (projection, log, version, tables) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"

READ = f"""
    SELECT position, event_id, halted, version, hash, epoch, {OF_PLACE} FROM tracking
    WHERE projection = $1 AND log = $2
"""  # noqa: S608 - nothing in it comes from outside

READ_LOGS = f"""
    SELECT log, position, event_id, halted, version, hash, epoch, {OF_PLACE} FROM tracking
    WHERE projection = $1 AND log = ANY ($2)
"""  # noqa: S608

ADVANCE = f"""
    UPDATE tracking SET position = $5, event_id = $6, hash = $7, epoch = $8, halted = NULL
    WHERE projection = $1 AND log = $2 AND version = $3 AND position = $4
    RETURNING {OF_PLACE}
"""  # noqa: S608

ENTER_EPOCH = "UPDATE tracking SET epoch = $3 WHERE projection = $1 AND log = $2 AND epoch < $3"

HALT = "UPDATE tracking SET halted = $4 WHERE projection = $1 AND log = $2 AND version <= $3"

REST_SECONDS = 0.01
"""For projections whose readers are less urgent than those of balances."""


async def _nothing_to_forget(_database: Pool, _positions: Sequence[int]) -> None:
    pass


async def _nothing_to_finish(_: Connection) -> None:
    pass


@dataclass(frozen=True)
class Projection:
    """A read model: its tables, and how it applies a batch of events in the caller's transaction.

    `version` grows with every change to what the tables are or hold; a worker that finds tables of an older one builds
    new ones. `totals`: a query for one row of sums, by which a rebuilt projection is compared with the live one.
    `finish`: what is left to do on rebuilt tables that the live ones have done without an event. `forget`: what to do
    outside of the tables when the logs have gone back to these positions. `beside`: makes tables that no rebuild makes
    anew, always in the schema `projections`. `fold`: `project` without what it does to those. `rest_seconds`: how long
    its worker rests for each event of a live batch: under load the next is larger, and more urgent ones come first.
    Everything names its tables without a schema.
    """

    name: str
    schema: str
    tables: tuple[str, ...]
    project: Callable[[Connection, Sequence[Logged]], Awaitable[None]]
    totals: str = "SELECT"
    finish: Callable[[Connection], Awaitable[None]] = _nothing_to_finish
    forget: Callable[[Pool, Sequence[int]], Awaitable[None]] = _nothing_to_forget
    beside: str = "SELECT"
    fold: Callable[[Connection, Sequence[Logged]], Awaitable[object]] | None = None
    rest_seconds: float = 0
    version: int = 1


class Overtaken(Exception):
    """Another worker has moved this projection, or another version has replaced it."""


class OtherVersion(Exception):
    """The tables that are there are not of this version."""

    def __init__(self, projection: Projection, there: int) -> None:
        name, own = projection.name, projection.version
        super().__init__(f"the tables of {name} are of version {there}, this program has {own}")
        self.newer = there > projection.version


@dataclass(frozen=True)
class Place:
    """A place in the log: the last event applied, and why the projection does not go on, if it does not.

    `version`: of the tables; absent while there is no projection yet. `hash`: of the last event; absent where a version
    applied it that kept none. `epoch`: the ledger's, in which that event was in its log.
    """

    position: int = 0
    event_id: str | None = None
    halted: str | None = None
    version: int | None = None
    hash: str | None = None
    epoch: int = 1
    halted_accounts: Sequence[str] = ()

    @classmethod
    def after(cls, last: Logged, log: str) -> Self:
        """The place after that event of that log."""
        return cls(last.position, last.recorded.event_id, hash=last.hash(log))

    @property
    def last(self) -> tuple[int, str | None, str | None]:
        """The last event applied, whatever became of the projection since."""
        return self.position, self.event_id, self.hash


@dataclass(frozen=True)
class Cut:
    """Where a projection stands in each of some logs, at one moment."""

    places: tuple[Place, ...]

    @property
    def position(self) -> int:
        """The furthest of them: a reader that waits until each log is there, or at its end, sees nothing older."""
        return max(place.position for place in self.places)

    @property
    def halted(self) -> str | None:
        """Why it does not go on in one of them, if it does not."""
        return next((place.halted for place in self.places if place.halted), None)

    @property
    def halted_accounts(self) -> tuple[str, ...]:
        """The accounts that do not go on in one of them."""
        return tuple(account_id for place in self.places for account_id in place.halted_accounts)

    def __str__(self) -> str:
        return ", ".join(str(place.position) for place in self.places)


class Tracking:
    """One projection's place in one log."""

    def __init__(self, projection: Projection, log: str) -> None:
        self.projection = projection
        self.log = log
        self._key = (projection.name, log)
        self._own = (*self._key, projection.version)
        self._moved = asyncio.Event()

    async def begin(self, database: Pool) -> Place:
        """Where to go on: at the log's start for a projection that is new.

        A halt of the past is forgotten: the worker meets its cause again, if it is still there. Raises OtherVersion
        where the tables are not this program's.
        """
        await database.execute(HALT, *self._own, None)
        place = await self.place(database)
        if place.version != self.projection.version:
            raise OtherVersion(self.projection, place.version or 0)
        return place

    async def enter(self, database: Pool | Connection) -> None:
        """Begin to keep the place, unless it is kept already."""
        await database.execute(BEGIN, *self._own, self.projection.tables)

    async def place(self, database: Pool | Connection) -> Place:
        """The place as every process sees it."""
        row = await database.fetchrow(READ, *self._key)
        return Place(**row) if row else Place()

    async def advance(self, connection: Connection, before: Place, batch: Sequence[Logged]) -> Place:
        """Move over a batch that follows `before`, in the transaction that applies it.

        This is the fence between workers: Overtaken when the place is no longer `before`, or the tables no longer of
        this version.
        """
        first, last = batch[0].position, batch[-1].position
        if first != before.position + 1 or last - first + 1 != len(batch):
            raise CannotApply(f"after position {before.position} came {first} to {last} in {len(batch)} events")
        after = replace(Place.after(batch[-1], self.log), version=self.projection.version, epoch=before.epoch)
        moved = (before.position, after.position, after.event_id, after.hash, after.epoch)
        row = await connection.fetchrow(ADVANCE, *self._own, *moved)
        if row is None:
            raise Overtaken
        return replace(after, halted_accounts=row["halted_accounts"])

    async def enter_epoch(self, database: Pool, epoch: int) -> None:
        """The last event applied is in the ledger's log still, in that epoch."""
        await database.execute(ENTER_EPOCH, *self._key, epoch)

    async def halt(self, database: Pool, reason: str) -> None:
        """Let every process see that the projection does not go on, and why."""
        await database.execute(HALT, *self._own, reason)

    def moved(self) -> None:
        """Wake the tasks of this process that wait for a move, once it is committed."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_for_move(self, seconds: float) -> None:
        """Return when a worker in this process has moved, or at the latest after so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._moved.wait()


async def cut(database: Pool | Connection, trackings: Sequence[Tracking]) -> Cut:
    """Where a projection stands in these logs, at one moment."""
    logs = [tracking.log for tracking in trackings]
    rows = await database.fetch(READ_LOGS, trackings[0].projection.name, logs)
    places = {log: Place(*place) for log, *place in rows}
    return Cut(tuple(places.get(log, Place()) for log in logs))
