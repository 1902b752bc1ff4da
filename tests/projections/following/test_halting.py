"""What cannot be read halts the projection, loudly, and is never skipped."""

import pytest

from tests.projections.following.stage import Stage


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


async def test_a_version_that_can_go_on_goes_on(stage: Stage):
    last = await stage.record()
    stage.log.record_poison("romashka")
    async with stage.worker(nats_url=None):
        await stage.halted()
    stage.log.lines[-1] = stage.log.lines[-2].model_copy(update={"position": last + 1, "event_id": "understood"})
    async with stage.worker(nats_url=None):
        await stage.reached(last + 1)
    assert (await stage.place()).halted is None
