"""The read models of a process, as its routes ask them: each answer is from one state, whose place is known."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import httpx
from asyncpg.pool import PoolAcquireContext

from contracts.placement import log_of
from services.documents.seller import Seller
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.problem_responses import ProblemError
from services.process.tail import Tail
from services.projections.balances import BALANCES
from services.projections.clock import present
from services.projections.debt_alerts.projection import pass_time
from services.projections.following.feed import LEDGER_UNAVAILABLE, LogFeed
from services.projections.following.halted_accounts import halted_accounts
from services.projections.following.identity import FollowedLedger, OtherLedger
from services.projections.following.shares import Shares
from services.projections.following.tracking import Cut, Place, Projection, Tracking, cut
from services.projections.readiness import Readiness
from services.projections.settings import Settings

CONNECTION_SECONDS_MAX = 2.0
LATE_SECONDS_MAX = 2.0
DOCUMENTS_CHECKED_MAX = 5
LATE_POLL_SECONDS = 0.002
SOON = {"Retry-After": "1"}


@dataclass
class Projections:
    """The read models of one process, for its routes."""

    settings: Settings
    ledger: httpx.AsyncClient
    pool: asyncpg.Pool
    trackings: Mapping[str, tuple[Tracking, ...]]
    shares: Shares | None
    seller: Seller
    followed: FollowedLedger
    migration: asyncio.Task[None]
    alert_changes: Tail
    readiness: Readiness = field(default_factory=Readiness)
    _asked: dict[tuple[Tracking, ...], asyncio.Task[Cut]] = field(default_factory=dict)
    refused_documents: dict[tuple[str, str], Callable[[asyncpg.Connection], Awaitable[str | None]]] = field(
        default_factory=dict
    )
    """What says whether an account's month still has other figures than it was closed with."""

    @asynccontextmanager
    async def snapshot(
        self, minimum: int = 0, of: Projection = BALANCES, account_id: str | None = None
    ) -> AsyncIterator[tuple[asyncpg.Connection, Cut]]:
        """One state of a read model for one answer, and its place, whose position is `minimum` or later.

        About one account, both are positions in its log. About all, with several logs: each has come to `minimum` or
        to its end, and the position is the furthest of them.

        Raises `projection-halted` when it does not go on, `account-halted` when only this account does not, so that
        nobody takes the past for the present, `projection-behind` when that is not reached in two seconds or the tables
        are of another version, and `projections-unavailable` while PostgreSQL is unavailable.
        """
        trackings = self.trackings[of.name]
        if account_id is not None:
            trackings = (trackings[log_of(account_id, len(trackings))],)
        with self.reaching_postgres():
            await self._wait_until(await self._goals(minimum, trackings), trackings)
            async with (
                self.connection() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                at = await _cut_of_snapshot(connection, trackings)
                if account_id in at.halted_accounts:
                    raise _halted(of, account_id, at)
                yield connection, at

    def connection(self) -> PoolAcquireContext:
        """One of the few connections; OSError where none becomes free in time."""
        return self.pool.acquire(timeout=CONNECTION_SECONDS_MAX)

    @contextmanager
    def reaching_postgres(self) -> Iterator[None]:
        """For questions to PostgreSQL; raises `projections-unavailable` while it does not answer, or has no schema."""
        try:
            if not self.migration.done() or self.migration.exception():
                raise ConnectionError("the schema is not there yet")
            yield
        except asyncpg.DataError:  # an InterfaceError too, but the fault is ours
            raise
        except POSTGRES_UNAVAILABLE as outage:
            detail = "The projections' database cannot be reached now, or has too much to do. Try again."
            raise ProblemError("projections-unavailable", detail, headers=SOON) from outage

    async def places(self, minimum: int = 0) -> dict[str, Cut]:
        """Where each projection stands, once it has come to that position in each log, or to the log's end.

        In the sandbox, alerts due by then are there too: its time stands still, so waiting does not bring them.
        """
        found: dict[str, Cut] = {}
        with self.reaching_postgres():
            goals = await self._goals(minimum, next(iter(self.trackings.values())))
            for name, trackings in self.trackings.items():
                await self._wait_until(goals, trackings)
                found[name] = await self._cut(trackings)
        if self.settings.sandbox and minimum:
            now = await self.now()
            with self.reaching_postgres():
                await pass_time(self.pool, now)
        return found

    async def _goals(self, minimum: int, trackings: Sequence[Tracking]) -> list[int]:
        """How far to wait for in each log; of several, at most to its end: a position does not name its log."""
        if len(trackings) == 1 or not minimum:
            return [minimum] * len(trackings)
        return [min(minimum, head) for head in await self.heads()]

    async def heads(self) -> list[int]:
        """How far each log reaches now."""
        feeds = [LogFeed(self.ledger, log, self.followed, self.settings.logs) for log in self.settings.log_names]
        with reaching_ledger("has the logs"):
            return await asyncio.gather(*(feed.head() for feed in feeds))

    async def _wait_until(self, goals: Sequence[int], trackings: tuple[Tracking, ...]) -> None:
        deadline = asyncio.get_running_loop().time() + LATE_SECONDS_MAX
        while any(goals):
            places = (await self._cut(trackings)).places
            at = zip(trackings, places, goals, strict=True)
            behind = next(((each, place, goal) for each, place, goal in at if place.position < goal), None)
            if behind is None:
                return
            tracking, place, goal = behind
            _require_going(tracking.projection, place)
            if asyncio.get_running_loop().time() > deadline:
                detail = f"The projection is at position {place.position}, not at {goal} yet. Try again."
                there = {"Hourbook-Position": str(place.position)}
                raise ProblemError("projection-behind", detail, headers=SOON | there)
            await tracking.wait_for_move(LATE_POLL_SECONDS)

    async def _cut(self, trackings: tuple[Tracking, ...]) -> Cut:
        """Read once for all requests that wait at the same time."""
        asked = self._asked.get(trackings)
        if asked is None or asked.done():
            asked = self._asked[trackings] = asyncio.create_task(self._read_cut(trackings))
        return await asyncio.shield(asked)

    async def _read_cut(self, trackings: tuple[Tracking, ...]) -> Cut:
        async with self.connection() as connection:
            return await cut(connection, trackings)

    async def now(self) -> datetime:
        """The present; in the sandbox, what the ledger's test clock says."""
        with reaching_ledger("has the test clock"):
            return await present(self.settings, self.ledger)

    async def parts(self) -> dict[str, list[str]]:
        """What is against each part that callers need, a sentence each."""
        return await self.readiness.parts(self)

    async def faults(self) -> list[str]:
        """The same of all parts; empty when they are ready."""
        return [sentence for sentences in (await self.parts()).values() for sentence in sentences]

    async def documents_refused(self) -> list[str]:
        """Those that would be refused still; the others are forgotten."""
        found: list[str] = []
        for document, check in list(self.refused_documents.items())[:DOCUMENTS_CHECKED_MAX]:
            async with self.connection() as connection, connection.transaction(isolation="repeatable_read"):
                if fault := await check(connection):
                    found.append(fault)
                else:
                    self.refused_documents.pop(document, None)
        return found

    async def notices(self) -> list[str]:
        """What an operator has to do though the process is ready, a sentence each."""
        try:
            async with asyncio.timeout(1):
                halted = await halted_accounts(self.pool)
        except (TimeoutError, asyncpg.UndefinedTableError, *POSTGRES_UNAVAILABLE):
            return []
        return [
            f"The account {account_id} halted in the projection {name} before event {event_id} at {position}: {reason}"
            for name, account_id, position, event_id, reason in halted
        ]


async def _cut_of_snapshot(connection: asyncpg.Connection, trackings: Sequence[Tracking]) -> Cut:
    """Take the snapshot, and say at which places; no rebuild can swap the tables under it."""
    of = trackings[0].projection
    with suppress(asyncpg.UndefinedTableError):  # another version may know no such table
        await connection.execute(f"LOCK TABLE {of.tables[0]} IN ROW SHARE MODE")
        at = await cut(connection, trackings)
        if all(place.version in (None, of.version) for place in at.places):
            for place in at.places:
                _require_going(of, place)
            return at
    detail = f"Tables of version {of.version} of the projection {of.name} are not built yet. Try again."
    raise ProblemError("projection-behind", detail, headers=SOON)


def _require_going(projection: Projection, place: Place) -> None:
    """`projection-halted` for one that does not go on."""
    if place.halted is not None:
        halted = f"The projection {projection.name} has halted after position {place.position}"
        detail = f"{halted}, and nothing is answered from it until it goes on. GET /health/details says why."
        raise ProblemError("projection-halted", detail, headers=SOON | {"Hourbook-Position": str(place.position)})


def _halted(projection: Projection, account_id: str, at: Cut) -> ProblemError:
    detail = (
        f"An event of the account {account_id} could not be applied to the projection {projection.name}; until that is "
        "mended nothing is answered about this account from it. GET /health/details names the event."
    )
    return ProblemError("account-halted", detail, headers=SOON | {"Hourbook-Position": str(at.position)})


@contextmanager
def reaching_ledger(having: str) -> Iterator[None]:
    """For questions to the ledger, which has something; raises `ledger-unavailable` while it does not answer."""
    try:
        yield
    except LEDGER_UNAVAILABLE as outage:
        detail = f"The ledger, which {having}, cannot be reached now. Try again."
        raise ProblemError("ledger-unavailable", detail, headers=SOON) from outage
    except OtherLedger as other:
        raise ProblemError("ledger-unavailable", f"{other}.", headers=SOON) from other
