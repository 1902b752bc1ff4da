"""What the log does not have is not believed, whatever a message says; and what was believed wrongly goes away."""

import asyncpg
import pytest
from prometheus_client import REGISTRY

from contracts.envelope import RecordedEvent
from services.process.lost_past import WENT_BACK
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.debt_alerts.episodes import begin
from services.projections.following.feed import OtherPast
from services.projections.following.tracking import Tracking
from tests.projections.following.stage import Stage, connected
from tests.projections.questions import until
from tests.projections.vocabulary import closed, purchased


def forged(stage: Stage, position: int) -> RecordedEvent:
    """A thousand hours that nobody bought."""
    event = purchased("gift", 60_000, on="2026-03-02", until="2026-06-02").model_dump(mode="json")
    written = {"position": position, "event_id": "forged", "type": "PackagePurchased", "data": event}
    return stage.log.lines[-1].model_copy(update=written)


def refused(stage: Stage) -> float:
    return REGISTRY.get_sample_value("hourbook_projection_messages_refused_total", {"log": stage.name}) or 0


@pytest.mark.parametrize("ahead", [1, 2, 1000])
async def test_a_forged_message_after_the_logs_end_is_dropped_loudly(
    stage: Stage, caplog: pytest.LogCaptureFixture, ahead: int
):
    last = await stage.record()
    await stage.publish()
    async with stage.worker() as worker:
        await stage.reached(last)
        await connected(worker)
        await stage.stream.publish(forged(stage, last + ahead), holes=True)

        async def is_refused() -> bool:
            return refused(stage) == 1

        await until(is_refused)
        more = await stage.close(tasks=3)
        await stage.stream.publish(*stage.log.lines[last:], holes=True)
        await stage.reached(more)
    assert await stage.remaining() == {"romashka": 6000 - 40}
    assert any(record.levelname == "ERROR" and "does not have" in record.message for record in caplog.records)


async def test_a_forged_message_in_the_place_of_an_event_is_dropped_and_the_event_read_from_the_feed(stage: Stage):
    """Other minutes, in a message that is true in everything else."""
    last = await stage.record()
    await stage.publish()
    async with stage.worker() as worker:
        await stage.reached(last)
        await connected(worker)
        true = await stage.close(tasks=3)
        other = closed("T-3", on="2026-03-05", draws={"spring-romashka": 6000 - 10}).model_dump(mode="json")
        forged_one = stage.log.lines[last + 1].model_copy(update={"data": other})
        await stage.stream.publish(stage.log.lines[last], forged_one, stage.log.lines[last + 2])
        await stage.reached(true)
        assert refused(stage) == 1
    assert await stage.remaining() == {"romashka": 6000 - 40}


async def test_a_message_is_not_believed_while_the_ledger_does_not_answer(stage: Stage):
    last = await stage.record()
    await stage.publish()
    async with stage.worker() as worker:
        await stage.reached(last)
        await connected(worker)
        await stage.server.stop()
        more = await stage.close()
        await stage.publish(after=last)
        await until(lambda: waits_for_ledger(worker))
        assert (await stage.place()).position == last
        await stage.server.start()
        await stage.reached(more)
    assert refused(stage) == 0


async def waits_for_ledger(worker) -> bool:
    return worker.waiting is not None


async def other_past(stage: Stage, last: int) -> None:
    """The log as it is in the epoch after a restore: it has forgotten its last three events, and records others."""
    del stage.log.lines[last - 3 :]
    stage.log.epoch += 1
    for minutes in (20, 30, 40, 50, 60):
        task = closed(f"T-{stage.log.position}", on="2026-03-05", draws={"spring-romashka": minutes})
        stage.log.record("romashka", task)


@pytest.mark.parametrize("live", [True, False])
async def test_a_projection_whose_past_is_not_the_logs_halts_and_heals_from_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture, live: bool
):
    last = await stage.record(tasks=10)
    await stage.publish()
    async with stage.worker(nats_url="" if live else None) as worker:
        await stage.reached(last)
        if live:
            await connected(worker)
        await other_past(stage, last)
        if live:
            await stage.stream.publish(*stage.log.lines[last:], holes=True)
        await stage.reached(last + 2)
    assert await stage.remaining() == {"romashka": 6000 - 70 - 200}
    halts = [record.message for record in caplog.records if "halted" in record.message]
    assert len(halts) == 1
    assert "has applied event" in halts[0]
    assert (await stage.place()).halted is None


async def test_alerts_of_what_is_recorded_in_the_place_of_what_was_lost_are_delivered(stage: Stage):
    """The positions are those of events whose alerts were delivered; the debt is another one."""
    last = await stage.record(tasks=10)
    await begin(stage.database, [2], stage.log.clock)
    tracking = Tracking(DEBT_ALERTS, stage.name)

    async def caught_up() -> bool:
        return (await tracking.place(stage.database)).last[:2] == (stage.log.position, stage.log.lines[-1].event_id)

    async with stage.worker(nats_url=None, projection=DEBT_ALERTS):
        await until(caught_up)
        del stage.log.lines[last - 5 :]
        stage.log.epoch += 1

        async def shorter() -> bool:
            return await caught_up() and (await tracking.place(stage.database)).halted is None

        await until(shorter)
        stage.log.record("romashka", closed("T-owed", on="2026-03-06", owed=6600))
        await until(caught_up)
    delivered = await stage.database.fetch("SELECT kind FROM alert_change ORDER BY number")
    assert "debt" in [row["kind"] for row in delivered]


async def test_a_log_that_has_lost_its_end_is_followed_from_where_it_ends(stage: Stage):
    last = await stage.record(tasks=10)
    await stage.reached_by_worker(last)
    del stage.log.lines[last - 3 :]

    async def healed() -> bool:
        return (await stage.place()).position == last - 3

    async with stage.worker(nats_url=None) as worker:
        assert await stage.halted() == worker.halted == WENT_BACK
        assert await stage.remaining() == {"romashka": 6000 - 100}
        stage.log.epoch += 1
        await until(healed)
        await stage.reached(await stage.close())
    assert await stage.remaining() == {"romashka": 6000 - 80}


async def test_the_hash_of_what_was_applied_last_is_compared(stage: Stage):
    """The event has the same id, and other contents."""
    last = await stage.record()
    await stage.reached_by_worker(last)
    before, line = (await stage.place()).hash, stage.log.lines[-1]
    data = closed("T-2", on="2026-03-05", draws={"spring-romashka": 50}).model_dump(mode="json")
    stage.log.lines[-1] = line.model_copy(update={"data": data})
    stage.log.epoch += 1
    async with stage.worker(nats_url=None):

        async def healed() -> bool:
            return (await stage.place()).hash not in (None, before)

        await until(healed)
    assert await stage.remaining() == {"romashka": 5950}


async def test_what_an_earlier_version_applied_without_a_hash_goes_on(stage: Stage):
    last = await stage.record()
    await stage.reached_by_worker(last)
    await stage.database.execute("UPDATE tracking SET hash = NULL")
    more = await stage.close()
    await stage.publish()
    async with stage.worker():
        await stage.reached(more)
    assert (await stage.place()).hash is not None


async def test_a_ledger_that_does_not_name_itself_heals_nothing(stage: Stage):
    """Whose log it is, nobody knows: the projection halts, and stays as it is."""
    last = await stage.record(tasks=10)
    await stage.reached_by_worker(last)
    stage.log.ledger_id = ""
    await other_past(stage, last)
    async with stage.worker(nats_url=None) as worker:
        assert "has applied event" in await stage.halted()
        assert worker.halted
    assert (await stage.place()).position == last


async def test_a_projection_that_was_healed_elsewhere_is_not_rebuilt_twice(stage: Stage):
    """Workers of several logs, or of several processes, may find the same fault."""
    last = await stage.record(tasks=10)
    await stage.reached_by_worker(last)
    await other_past(stage, last)
    async with stage.rebuild() as rebuilding:
        await rebuilding.run(accept_differences=True)
    before = await table(stage.database)
    async with stage.worker(nats_url=None) as worker:
        worker._disproved = OtherPast("found before the rebuild")
        await stage.reached(await stage.close())
        assert await table(stage.database) == before


async def table(database: asyncpg.Pool) -> int:
    """Which table it is: a rebuild makes another one."""
    return await database.fetchval("SELECT 'movement'::regclass::oid::bigint")
