"""The worker catches up from the feed and follows the stream, whatever is away or missing meanwhile."""

import asyncio

import pytest

from services.projections.following.tracking import Tracking
from services.projections.tasks import TASKS
from tests.projections.following.stage import Stage, connected
from tests.projections.questions import until


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
        stage.server.lines_hidden = True
        more = await stage.close(tasks=3)
        await stage.publish(after=last)
        await stage.reached(more)
    assert await stage.remaining() == {"romashka": 6000 - 40}


async def test_projections_of_one_process_share_a_subscription(stage: Stage, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    tasks = Tracking(TASKS, stage.name)

    async def tasks_are_there() -> bool:
        return (await tasks.place(stage.database)).position == stage.log.position

    last = await stage.record()
    await stage.publish()
    async with stage.worker() as one, stage.worker(projection=TASKS, delivery=one._delivery):
        await stage.reached(last)
        await until(tasks_are_there)
        await connected(one)
        stage.server.lines_hidden = True
        more = await stage.close(tasks=3)
        await stage.publish(after=last)
        await stage.reached(more)
        await until(tasks_are_there)
        assert caplog.text.count(f"{stage.stream.name} is followed") == 1


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
        stage.server.lines_hidden = True
        await until(lambda: refollows(stage, more))
        await stage.reached(stage.log.position)
    assert await stage.remaining() == {"romashka": 6000 - 10 * (stage.log.position - 2)}


async def refollows(stage: Stage, hidden: int) -> bool:
    """Whether an event that the feed does not show any more arrives by the new stream."""
    before = stage.log.position
    await stage.close()
    await stage.publish(after=before)
    for _ in range(50):
        if (await stage.place()).position > hidden:
            return True
        await asyncio.sleep(0.002)
    return False


async def test_a_ledger_that_is_away_is_waited_for(stage: Stage):
    await stage.server.stop()
    async with stage.worker() as worker:

        async def waits() -> bool:
            return worker.waiting is not None

        async def works() -> bool:
            return worker.waiting is None

        await until(waits)
        last = await stage.record()
        await stage.server.start()
        await stage.reached(last)
        await until(works)
        await connected(worker)
