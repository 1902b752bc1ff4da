"""A log behind a feed and a stream, and workers that follow it; some of them are cut off."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import httpx
import pytest

from services.process.stopping import end
from services.projections.balances import BALANCES
from services.projections.database import pool
from services.projections.following.feed import LogFeed
from services.projections.following.identity import FollowedLedger
from services.projections.following.live_log import Delivery
from services.projections.following.logged import Logged
from services.projections.following.rebuild import Rebuild
from services.projections.following.tracking import Place, Projection, Tracking
from services.projections.following.worker import Worker
from tests.projections.following.log_server import LogServer, Stream
from tests.projections.questions import until
from tests.projections.vocabulary import closed, opened, purchased


class CutOff(Tracking):
    """Ends its worker at a moment of its first batch."""

    def __init__(self, log: str, moment: str) -> None:
        super().__init__(BALANCES, log)
        self._moment = moment
        self.projection = replace(BALANCES, project=self._project)

    def _pass(self, moment: str) -> None:
        if moment == self._moment:
            raise asyncio.CancelledError

    async def advance(self, connection: asyncpg.Connection, before: Place, batch: Sequence[Logged]) -> Place:
        self._pass("before the fence")
        after = await super().advance(connection, before, batch)
        self._pass("after the fence")
        return after

    async def _project(self, connection: asyncpg.Connection, batch: Sequence[Logged]) -> None:
        await BALANCES.project(connection, batch[:10])
        self._pass("halfway")
        await BALANCES.project(connection, batch[10:])
        self._pass("before the commit")

    def moved(self) -> None:
        self._pass("after the commit")
        super().moved()


class Stage:
    """A log behind a feed and a stream, and workers that follow it into one database."""

    def __init__(self, database_url: str, database: asyncpg.Pool, nats_url: str, server: LogServer, jetstream: Stream):
        self.database_url, self.database, self.nats_url = database_url, database, nats_url
        self.server, self.stream, self.log = server, jetstream, server.log
        self.name = jetstream.name.removeprefix("HOURBOOK-")

    @asynccontextmanager
    async def worker(
        self, nats_url: str | None = "", projection: Projection = BALANCES, delivery: Delivery | None = None
    ) -> AsyncIterator[Worker]:
        """One at work; with nats_url=None, in a world without NATS."""
        async with self._made(
            Tracking(projection, self.name), self.nats_url if nats_url == "" else nats_url, delivery
        ) as made:
            task = asyncio.create_task(made.run())
            try:
                yield made
            finally:
                await end(task)
                if not task.cancelled():
                    task.result()

    @asynccontextmanager
    async def _made(
        self, tracking: Tracking, nats_url: str | None, delivery: Delivery | None = None
    ) -> AsyncIterator[Worker]:
        async with (
            httpx.AsyncClient(base_url=self.server.url, timeout=60, trust_env=False) as client,
            pool(self.database_url, 2) as connections,
        ):
            feed = self.feed(client)
            rebuild = Rebuild(self.database_url, [tracking], [feed])
            yield Worker(connections, tracking, feed, delivery or Delivery(nats_url, feed), rebuild)

    def feed(self, client: httpx.AsyncClient) -> LogFeed:
        """The log over HTTP, of the ledger that the database follows."""
        return LogFeed(client, self.name, FollowedLedger(self.database))

    async def cut_off(self, tracking: CutOff) -> None:
        """Let a worker work until it is cut off."""
        async with self._made(tracking, None) as worker:
            with pytest.raises(asyncio.CancelledError):
                await worker.run()

    @asynccontextmanager
    async def rebuild(self, projection: Projection = BALANCES) -> AsyncIterator[Rebuild]:
        """One that can be run."""
        async with httpx.AsyncClient(base_url=self.server.url, timeout=60, trust_env=False) as client:
            yield Rebuild(self.database_url, [Tracking(projection, self.name)], [self.feed(client)])

    async def leftovers(self) -> list[str]:
        """Schemas of projections that are not the live one."""
        found = await self.database.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'projections_%'")
        return [row["nspname"] for row in found]

    async def record(self, account_id: str = "romashka", *, tasks: int = 1) -> int:
        """An account with a package and so many closings of ten minutes; its last position."""
        self.log.record(
            account_id, opened(), purchased(f"spring-{account_id}", 6000, on="2026-03-01", until="2026-06-02")
        )
        return await self.close(account_id, tasks)

    async def close(self, account_id: str = "romashka", tasks: int = 1) -> int:
        """So many closings more."""
        for _ in range(tasks):
            task = closed(f"T-{self.log.position}", on="2026-03-05", draws={f"spring-{account_id}": 10})
            self.log.record(account_id, task)
        return self.log.position

    async def run_into_debt(self, account_id: str = "romashka", *, tasks: int) -> int:
        """Closings of ten minutes that no lot covers, thousands if need be; the last position."""
        self.log.record(account_id, closed("T-owed", on="2026-03-05", owed=10))
        one = self.log.lines[-1]
        for position in range(self.log.position + 1, self.log.position + tasks):
            self.log.lines.append(one.model_copy(update={"position": position, "event_id": f"e-{position}"}))
        return self.log.position

    async def publish(self, after: int = 0) -> None:
        await self.stream.publish(*self.log.lines[after:])

    async def reached_by_worker(self, position: int) -> None:
        """Let a worker work until it is there."""
        async with self.worker(nats_url=None):
            await self.reached(position)

    async def place(self) -> Place:
        return await Tracking(BALANCES, self.name).place(self.database)

    async def reached(self, position: int) -> None:
        """Wait until the projection is there."""
        await until(lambda: self._at(position))

    async def _at(self, position: int) -> bool:
        return (await self.place()).position >= position

    async def halted(self) -> str:
        """Wait until the projection says that it has halted, and why."""
        await until(self._halted)
        return (await self.place()).halted or ""

    async def account_halted(self, account_id: str = "romashka") -> str:
        """Wait until that account is halted in the projection, and why."""

        async def halted() -> bool:
            return account_id in (await self.place()).halted_accounts

        await until(halted)
        of = "SELECT reason FROM halted_account WHERE (projection, account_id) = ('balances', $1)"
        return await self.database.fetchval(of, account_id)

    async def _halted(self) -> bool:
        return (await self.place()).halted is not None

    async def remaining(self) -> dict[str, int]:
        """What is left in each account's lot, by the sums kept and by the movements."""
        kept = await self.database.fetch("SELECT account_id, remaining_minutes FROM lot ORDER BY account_id")
        summed = await self.database.fetch(
            "SELECT account_id, sum(minutes)::bigint FROM movement WHERE lot_id IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        assert [tuple(row) for row in kept] == [tuple(row) for row in summed]
        return dict(tuple(row) for row in kept)


async def connected(worker: Worker) -> None:
    async def following() -> bool:
        return worker._delivery.connected

    await until(following)


async def waits(worker: Worker) -> str:
    """Wait until it says that it waits, and for what."""

    async def waiting() -> bool:
        return worker.waiting is not None

    await until(waiting)
    return worker.waiting or ""
