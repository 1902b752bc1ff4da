"""A projection is rebuilt beside the live one: nobody sees half of it, and what is cut short leaves no harm."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import asyncpg
import pytest

from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.projections.balances import BALANCES
from services.projections.catalogue import PROJECTIONS
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.debt_alerts.episodes import begin
from services.projections.debt_alerts.projection import pass_time
from services.projections.following import feed, rebuild
from services.projections.following.logged import CannotApply, Logged
from services.projections.following.rebuild import RebuildFailed, RebuildUnderWay, TotalsDiffer
from services.projections.following.tracking import Projection, Tracking
from tests.projections.following.stage import Stage
from tests.projections.questions import until
from tests.projections.vocabulary import closed, moment

RECORDED_MEANWHILE = 40


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PAGE_EVENTS", 20)
    monkeypatch.setattr(rebuild, "NEAR_EVENTS", 10)


async def spoil(stage: Stage, statement: str) -> None:
    """Make the live tables say something wrong."""
    await stage.database.execute(statement)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
async def test_every_projection_can_be_rebuilt(stage: Stage, projection: Projection):
    last = await stage.record(tasks=100)
    tracking = Tracking(projection, stage.name)
    await begin(stage.database, [last], stage.log.clock)
    async with stage.worker(nats_url=None, projection=projection):
        await until(lambda: at(stage, tracking, last))
    before = await tables(stage, projection)
    async with stage.rebuild(projection) as rebuilding:
        assert (await rebuilding.run()).position == last
    assert await tables(stage, projection) == before
    assert await stage.leftovers() == []


async def test_alerts_that_came_without_an_event_are_rebuilt_too(stage: Stage):
    last = await stage.record(tasks=10)
    await begin(stage.database, [0], stage.log.clock)
    async with stage.worker(nats_url=None, projection=DEBT_ALERTS):
        await until(lambda: at(stage, Tracking(DEBT_ALERTS, stage.name), last))
    await pass_time(stage.database, moment("2026-07-01"))
    before = await tables(stage, DEBT_ALERTS)
    assert len(before["alert"]) == 2
    async with stage.rebuild(DEBT_ALERTS) as rebuilding:
        await rebuilding.run()
    assert (await tables(stage, DEBT_ALERTS))["alert"] == before["alert"]


async def at(stage: Stage, tracking: Tracking, position: int) -> bool:
    return (await tracking.place(stage.database)).position == position


async def tables(stage: Stage, projection: Projection) -> dict[str, list[str]]:
    """Every row of a projection."""
    return {
        table: [row[0] for row in await stage.database.fetch(f"SELECT {table}::text FROM {table} ORDER BY 1")]
        for table in projection.tables
    }


async def test_the_live_worker_goes_on_through_a_rebuild_and_after_it(stage: Stage):
    await stage.record(tasks=100)
    async with stage.worker() as worker, stage.rebuild() as rebuilding:
        recording = asyncio.create_task(record_on(stage))
        rebuilds = 0
        while rebuilds < 3 or not recording.done():
            await rebuilding.run()
            rebuilds += 1
        await recording
        await stage.reached(await stage.close())
        assert worker.halted is None
    remaining = await stage.remaining()
    assert remaining.pop("romashka") == 6000 - 1010
    assert list(remaining.values()) == [6000 - 30] * RECORDED_MEANWHILE
    assert await stage.leftovers() == []


async def record_on(stage: Stage) -> None:
    """Accounts, published as the relay publishes them, as fast as the worker follows."""
    published = 0
    for number in range(RECORDED_MEANWHILE):
        last = await stage.record(f"a-{number}", tasks=3)
        await stage.publish(after=published)
        published = last
        await stage.reached(last)


async def test_differences_are_named_and_nothing_is_swapped_unless_they_are_accepted(stage: Stage):
    await stage.reached_by_worker(await stage.record(tasks=50))
    await spoil(stage, "UPDATE lot SET remaining_minutes = remaining_minutes - 7")
    await spoil(stage, "DELETE FROM movement WHERE position = 5")
    async with stage.rebuild() as rebuilding:
        with pytest.raises(TotalsDiffer, match="remaining_minutes is 5493 and was rebuilt as 5500") as refused:
            await rebuilding.run()
        assert "rows_of_movement is 50 and was rebuilt as 51" in str(refused.value)
        assert await stage.database.fetchval("SELECT remaining_minutes FROM lot") == 5493
        assert await stage.leftovers() == []
        await rebuilding.run(accept_differences=True)
    assert await stage.remaining() == {"romashka": 5500}


async def test_a_second_rebuild_at_once_is_told_and_harms_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rebuild, "ALONE_SECONDS", 0.2)
    last = await stage.record(tasks=50)
    await stage.reached_by_worker(last)
    held, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(connection: asyncpg.Connection, batch: Sequence[Logged]) -> None:
        held.set()
        await go_on.wait()
        await BALANCES.project(connection, batch)

    async with stage.rebuild(replace(BALANCES, project=slowly)) as first, stage.rebuild() as second:
        running = asyncio.create_task(first.run())
        await held.wait()
        with pytest.raises(RebuildUnderWay, match="another process is rebuilding balances"):
            await second.run()
        go_on.set()
        assert (await running).position == last


async def test_a_reader_who_stays_holds_up_the_swap_and_not_the_others(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    await stage.reached_by_worker(await stage.record(tasks=5))
    monkeypatch.setattr(rebuild, "SWAP_TRIES", 2)
    async with stage.rebuild() as rebuilding, stage.database.acquire() as reader:
        async with reader.transaction():
            await reader.fetch("SELECT FROM account")
            with pytest.raises(RebuildFailed, match="being read all the time"):
                await rebuilding.run()
        assert await stage.leftovers() == []
        await rebuilding.run()


async def test_a_halted_account_is_cured_by_the_corrected_program(stage: Stage):
    """The faulty one gives minutes away, and halts the account in the end."""
    last = await stage.record(tasks=30)
    stage.log.record("romashka", closed("T-X", on="2026-03-05", draws={"spring-romashka": 10}))

    async def faulty(connection: asyncpg.Connection, batch: Sequence[Logged]) -> None:
        await BALANCES.project(connection, batch)
        await connection.execute("UPDATE lot SET remaining_minutes = remaining_minutes + 9")
        if batch[-1].position > last:
            raise CannotApply("it cannot be")

    async with stage.worker(nats_url=None, projection=replace(BALANCES, project=faulty)):
        assert await stage.account_halted() == "it cannot be"
    async with stage.rebuild() as rebuilding:
        with pytest.raises(TotalsDiffer, match="of the accounts there are halted romashka, and once rebuilt none"):
            await rebuilding.run()
        assert (await rebuilding.run(accept_differences=True)).position == last + 1
    assert (await stage.place()).halted_accounts == []
    assert await stage.remaining() == {"romashka": 6000 - 310}


async def test_an_account_that_halted_goes_on_once_a_rebuild_has_cured_it(stage: Stage):
    last = await stage.record(tasks=30)
    async with stage.worker(nats_url=None):
        await stage.reached(last)
        await spoil(stage, "UPDATE lot SET remaining_minutes = 0")
        last = await stage.close()
        await stage.account_halted()
        async with stage.rebuild() as rebuilding:
            await rebuilding.run(accept_differences=True)
        await stage.reached(last)
    assert await stage.remaining() == {"romashka": 6000 - 310}


async def test_an_event_that_cannot_be_applied_ends_the_rebuild_and_is_named(stage: Stage):
    await stage.reached_by_worker(await stage.record(tasks=50))
    stage.log.lines[29] = stage.log.lines[29].model_copy(update={"type": "PlanetsAligned"})
    async with stage.rebuild() as rebuilding:
        with pytest.raises(CannotApply, match="at 30: this version knows no event PlanetsAligned"):
            await rebuilding.run()
    assert await stage.leftovers() == []


async def test_a_projection_that_has_not_begun_can_be_rebuilt(stage: Stage):
    async with stage.rebuild() as rebuilding:
        assert (await rebuilding.run()).position == 0
    await stage.reached_by_worker(await stage.record())


@pytest.mark.parametrize("batch_of_death", [1, 3, 5])
async def test_a_connection_lost_anywhere_leaves_the_live_tables_as_they_were(stage: Stage, batch_of_death: int):
    """The fifth batch is the rest, applied while the live worker is held."""
    await stage.reached_by_worker(await stage.record(tasks=90))
    batches = count(1)

    async def dying(connection: asyncpg.Connection, batch: Sequence[Logged]) -> None:
        await BALANCES.project(connection, batch)
        if next(batches) == batch_of_death:
            await connection.execute("RESET ROLE; SELECT pg_terminate_backend(pg_backend_pid())")

    async with stage.rebuild(replace(BALANCES, project=dying)) as rebuilding:
        with pytest.raises(POSTGRES_UNAVAILABLE):
            await rebuilding.run()
        assert await stage.remaining() == {"romashka": 6000 - 900}
        await rebuilding.run()
    assert await stage.remaining() == {"romashka": 6000 - 900}
    assert await stage.leftovers() == []
