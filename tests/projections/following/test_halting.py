"""What cannot be applied halts the projection, loudly, and is never skipped."""

import pytest

from tests.projections.following.stage import Stage
from tests.projections.vocabulary import closed, purchased


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
