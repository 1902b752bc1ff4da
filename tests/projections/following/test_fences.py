"""However many workers there are and wherever they are cut off, each event counts once."""

import asyncio

import pytest

from services.projections.balances import BALANCES
from services.projections.following import feed
from services.projections.following.logged import Logged
from services.projections.following.tracking import Overtaken, Tracking
from tests.projections.following.stage import CutOff, Stage


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
    tracking = Tracking(BALANCES, stage.name)
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


@pytest.mark.parametrize(
    "moment", ["before the fence", "after the fence", "halfway", "before the commit", "after the commit"]
)
async def test_a_worker_cut_off_anywhere_repeats_nothing_and_skips_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, moment: str
):
    monkeypatch.setattr(feed, "PAGE_EVENTS", 20)
    last = await stage.record(tasks=50)
    for _ in range(2):
        await stage.cut_off(CutOff(stage.name, moment))
    two_pages = 20 + 19  # the second begins with the event before it
    assert (await stage.place()).position == (two_pages if moment == "after the commit" else 0)
    await stage.reached_by_worker(last)
    assert await stage.remaining() == {"romashka": 6000 - 500}
