"""The worker: catches up, follows live, counts each event once, and halts on what it cannot apply."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import asyncpg
import httpx
import pytest

from services.projections import log_feed
from services.projections.balances import BALANCES
from services.projections.database import pool
from services.projections.live_log import LiveLog
from services.projections.log_feed import LogFeed
from services.projections.logged import Logged
from services.projections.tracking import Overtaken, Place, Projection, Tracking
from services.projections.worker import Worker
from tests.projections.asking import until
from tests.projections.log_server import LogServer, Stream, serving, stream
from tests.projections.vocabulary import Log, closed, opened, purchased


class Stage:
    """A log behind a feed and a stream, and workers that follow it into one database."""

    def __init__(self, database_url: str, database: asyncpg.Pool, nats_url: str, server: LogServer, jetstream: Stream):
        self.database_url, self.database, self.nats_url = database_url, database, nats_url
        self.server, self.stream, self.log = server, jetstream, server.log
        self.name = jetstream.name.removeprefix("HOURBOOK-")

    @asynccontextmanager
    async def worker(self, nats_url: str | None = "") -> AsyncIterator[Worker]:
        """One at work; with nats_url=None, in a world without NATS."""
        tracking = Tracking(BALANCES.name, self.name)
        async with self._made(BALANCES, tracking, self.nats_url if nats_url == "" else nats_url) as made:
            task = asyncio.create_task(made.run())
            try:
                yield made
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    @asynccontextmanager
    async def _made(self, projection: Projection, tracking: Tracking, nats_url: str | None) -> AsyncIterator[Worker]:
        async with (
            httpx.AsyncClient(base_url=self.server.url, trust_env=False) as client,
            pool(self.database_url, 2) as connections,
        ):
            yield Worker(projection, connections, tracking, LogFeed(client, self.name), LiveLog(nats_url, self.name))

    async def cut_off(self, tracking: "CutOff") -> None:
        """Let a worker work until it is cut off."""
        async with self._made(tracking.projection, tracking, None) as worker:
            with pytest.raises(asyncio.CancelledError):
                await worker.run()

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

    async def publish(self, after: int = 0) -> None:
        await self.stream.publish(*self.log.lines[after:])

    async def reached_by_worker(self, position: int) -> None:
        """Let a worker work until it is there."""
        async with self.worker(nats_url=None):
            await self.reached(position)

    async def place(self) -> Place:
        return await Tracking(BALANCES.name, self.name).place(self.database)

    async def reached(self, position: int) -> None:
        """Wait until the projection is there."""
        await until(lambda: self._at(position))

    async def _at(self, position: int) -> bool:
        return (await self.place()).position >= position

    async def halted(self) -> str:
        """Wait until the projection says that it has halted, and why."""
        await until(self._halted)
        return (await self.place()).halted or ""

    async def _halted(self) -> bool:
        return (await self.place()).halted is not None

    async def remaining(self) -> dict[str, int]:
        """What is left in each account's lot, by the sums kept and by the movements."""
        kept = await self.database.fetch("SELECT account_id, remaining_minutes FROM lot ORDER BY account_id")
        summed = await self.database.fetch(
            "SELECT account_id, sum(minutes)::bigint FROM movement GROUP BY account_id ORDER BY account_id"
        )
        assert [tuple(row) for row in kept] == [tuple(row) for row in summed]
        return dict(tuple(row) for row in kept)


@pytest.fixture
async def stage(
    database_url: str, database: asyncpg.Pool, nats_url: str, log_name: str, log: Log
) -> AsyncIterator[Stage]:
    async with serving(log) as server, stream(nats_url, log_name) as jetstream:
        yield Stage(database_url, database, nats_url, server, jetstream)


async def test_what_was_recorded_before_is_caught_up_with_page_by_page(stage: Stage):
    last = await stage.record(tasks=2500 // 10)
    await stage.record("technosphere", tasks=10)
    last = await stage.close(tasks=100)
    async with stage.worker(nats_url=None):
        await stage.reached(last)
    assert await stage.remaining() == {"romashka": 6000 - 3500, "technosphere": 5900}


async def test_what_is_published_is_applied_without_the_feed(stage: Stage):
    last = await stage.record()
    await stage.publish()
    async with stage.worker() as worker:
        await stage.reached(last)
        await connected(worker)
        await stage.server.stop()
        more = await stage.close(tasks=3)
        await stage.publish(after=last)
        await stage.reached(more)
    assert await stage.remaining() == {"romashka": 6000 - 40}


async def connected(worker: Worker) -> None:
    async def following() -> bool:
        return worker._live.connected

    await until(following)


async def test_without_nats_the_feed_is_enough(stage: Stage):
    last = await stage.record()
    async with stage.worker(nats_url="nats://127.0.0.1:9"):
        await stage.reached(last)
        await stage.reached(await stage.close())


async def test_a_hole_in_the_stream_is_filled_from_the_feed(stage: Stage):
    last = await stage.record()
    await stage.publish()
    async with stage.worker() as worker:
        await stage.reached(last)
        await connected(worker)
        more = await stage.close(tasks=3)
        await stage.stream.publish(stage.log.lines[-1], holes=True)
        await stage.reached(more)
    assert await stage.remaining() == {"romashka": 6000 - 40}


async def test_a_message_that_cannot_be_read_is_read_from_the_feed(stage: Stage):
    last = await stage.record()
    await stage.publish()
    async with stage.worker() as worker:
        await stage.reached(last)
        await connected(worker)
        more = await stage.close()
        garbled = stage.log.lines[-1].model_copy(update={"data": {"effective_at": "?"}})
        await stage.stream.publish(garbled)
        await stage.reached(more)


async def test_a_stream_deleted_and_refilled_harms_nothing(stage: Stage):
    last = await stage.record()
    await stage.publish()
    async with stage.worker() as worker:
        await stage.reached(last)
        await connected(worker)
        await stage.stream.delete()
        await stage.stream.create()
        more = await stage.close(tasks=3)
        await stage.publish()
        await stage.reached(more)
        await stage.server.stop()
        await until(lambda: refollows(stage, worker))
    assert await stage.remaining() == {"romashka": 6000 - 10 * (stage.log.position - 2)}


async def refollows(stage: Stage, worker: Worker) -> bool:
    """Whether, the feed being away, an event arrives by the new stream."""
    before = stage.log.position
    await stage.close()
    await stage.publish(after=before)
    for _ in range(50):
        if (await stage.place()).position > before:
            return True
        await asyncio.sleep(0.002)
    return False


async def test_two_workers_count_nothing_twice(stage: Stage):
    last = await stage.record(tasks=50)
    async with stage.worker(), stage.worker(), stage.worker(nats_url=None):
        for _ in range(20):
            before = last
            last = await stage.close(tasks=5)
            await stage.publish(after=before if before > 52 else 0)
        await stage.reached(last)
    assert await stage.remaining() == {"romashka": 6000 - 150 * 10}


async def test_the_slower_of_two_workers_is_fenced_off(stage: Stage):
    await stage.record()
    batch = [Logged.read(line) for line in stage.log.lines]
    tracking = Tracking(BALANCES.name, stage.name)
    before = await tracking.begin(stage.database)
    async with stage.database.acquire() as faster, stage.database.acquire() as slower:
        async with faster.transaction():
            await tracking.advance(faster, before, batch[:1])
            held_up = asyncio.create_task(tracking.advance(slower, before, batch))
        with pytest.raises(Overtaken):
            await held_up
    assert (await stage.place()).position == 1


async def test_when_the_working_one_of_two_ends_the_other_goes_on(stage: Stage):
    async with stage.worker(nats_url=None):
        async with stage.worker(nats_url=None):
            await stage.reached(await stage.record())
        await stage.reached(await stage.close())


class CutOff(Tracking):
    """Ends its worker at a moment of its first batch."""

    def __init__(self, log: str, moment: str) -> None:
        super().__init__(BALANCES.name, log)
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


@pytest.mark.parametrize(
    "moment", ["before the fence", "after the fence", "halfway", "before the commit", "after the commit"]
)
async def test_a_worker_cut_off_anywhere_repeats_nothing_and_skips_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, moment: str
):
    monkeypatch.setattr(log_feed, "PAGE_EVENTS", 20)
    last = await stage.record(tasks=50)
    for _ in range(2):
        await stage.cut_off(CutOff(stage.name, moment))
    assert (await stage.place()).position == (40 if moment == "after the commit" else 0)
    await stage.reached_by_worker(last)
    assert await stage.remaining() == {"romashka": 6000 - 500}


@pytest.mark.parametrize("live", [True, False])
async def test_an_event_of_an_unknown_type_halts_the_projection_there(
    stage: Stage, live: bool, caplog: pytest.LogCaptureFixture
):
    last = await stage.record()
    stage.log.record_poison("romashka")
    await stage.close()
    if live:
        await stage.publish()
    async with stage.worker(nats_url="" if live else None) as worker:
        reason = await stage.halted()
        assert worker.halted == reason
    assert "PlanetsAligned" in reason
    assert f"at {last + 1}" in reason
    assert (await stage.place()).position == last
    assert [record.levelname for record in caplog.records if "halted" in record.message] == ["ERROR"]


async def test_events_before_the_one_that_breaks_conservation_are_applied(stage: Stage):
    last = await stage.record(tasks=3)
    stage.log.record("romashka", closed("T-X", on="2026-03-05", draws={"spring-romashka": 7000}))
    async with stage.worker(nats_url=None):
        reason = await stage.halted()
    assert f"at {last + 1}" in reason
    assert "a_lot_holds_between_nothing_and_its_size" in reason
    assert (await stage.place()).position == last


@pytest.mark.parametrize(
    "event",
    [
        closed("T-X", on="2026-03-05", draws={"never-bought": 10}),
        closed("T-X", on="2026-03-05", owed=10),
        purchased("summer", on="2026-03-05", until="2026-06-06"),
    ],
)
async def test_an_event_of_an_account_never_opened_halts_the_projection(stage: Stage, event):
    stage.log.record("nobody", event)
    async with stage.worker(nats_url=None):
        assert "at 1" in await stage.halted()


async def test_a_version_that_can_go_on_goes_on(stage: Stage):
    last = await stage.record()
    stage.log.record_poison("romashka")
    async with stage.worker(nats_url=None):
        await stage.halted()
    stage.log.lines[-1] = stage.log.lines[-2].model_copy(update={"position": last + 1, "event_id": "understood"})
    async with stage.worker(nats_url=None):
        await stage.reached(last + 1)
    assert (await stage.place()).halted is None


async def test_another_ledgers_log_halts_the_projection(stage: Stage):
    await stage.reached_by_worker(await stage.record())
    stage.log.lines = [line.model_copy(update={"event_id": "another"}) for line in stage.log.lines]
    async with stage.worker(nats_url=None):
        assert "another" in await stage.halted()


async def test_a_log_that_ends_before_the_projection_halts_it(stage: Stage):
    await stage.reached_by_worker(await stage.record())
    del stage.log.lines[1:]
    async with stage.worker(nats_url=None):
        assert "nothing that far" in await stage.halted()


async def test_a_ledger_that_is_away_is_waited_for(stage: Stage):
    await stage.server.stop()
    async with stage.worker(nats_url=None) as worker:

        async def waits() -> bool:
            return worker.waiting is not None

        async def works() -> bool:
            return worker.waiting is None

        await until(waits)
        last = await stage.record()
        await stage.server.start()
        await stage.reached(last)
        await until(works)
