"""Projections follow the log of one ledger, and refuse any other's."""

import pytest
from prometheus_client import REGISTRY

from tests.projections.following.stage import Stage, connected
from tests.projections.questions import until

ANOTHER = "3f0d6f5e-0000-4000-8000-00000000000f"
FOLLOWED = "SELECT ledger_id FROM followed_ledger"


async def test_the_first_ledger_that_is_met_is_followed(stage: Stage):
    assert await stage.database.fetchval(FOLLOWED) is None
    await stage.reached_by_worker(await stage.record())
    assert await stage.database.fetchval(FOLLOWED) == stage.log.ledger_id


async def test_a_ledger_of_an_earlier_version_that_names_itself_not_is_followed(stage: Stage):
    stage.log.ledger_id = ""
    await stage.reached_by_worker(await stage.record())
    stage.log.ledger_id = ANOTHER
    await stage.reached_by_worker(await stage.close())
    assert await stage.database.fetchval(FOLLOWED) == ANOTHER


async def test_another_ledger_at_the_address_halts_the_projection_until_the_right_one_is_back(stage: Stage):
    """Its log continues ours as if it were the same."""
    ours, last = stage.log.ledger_id, await stage.record()
    async with stage.worker(nats_url=None):
        await stage.reached(last)
        stage.log.ledger_id = ANOTHER
        await stage.close()
        reason = await stage.halted()
        assert f"follow ledger {ours}" in reason
        assert ANOTHER in reason
        assert halted_by_metrics(stage) == 1
        assert (await stage.place()).position == last
        stage.log.ledger_id = ours
        await stage.reached(last + 1)
    assert (await stage.place()).halted is None
    assert halted_by_metrics(stage) == 0


def halted_by_metrics(stage: Stage) -> float | None:
    labels = {"projection": "balances", "log": stage.name}
    return REGISTRY.get_sample_value("hourbook_projection_halted", labels)


async def test_a_database_without_anything_does_not_take_up_another_ledgers_log(stage: Stage):
    """As of a second installation whose ledger could not start, because the first has its port."""
    await stage.database.execute("INSERT INTO followed_ledger (ledger_id) VALUES ($1)", ANOTHER)
    await stage.record()
    async with stage.worker(nats_url=None):
        assert ANOTHER in await stage.halted()
    assert await stage.database.fetchval("SELECT count(*) FROM account") == 0


async def test_another_ledgers_stream_is_not_followed_and_the_feed_is_enough(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    await stage.stream.delete()
    await stage.stream.create(ANOTHER)
    last = await stage.record()
    await stage.publish()
    async with stage.worker() as worker:

        async def refused() -> bool:
            return "cannot be followed: OtherLedger" in caplog.text

        await until(refused)
        await stage.reached(last)
        await stage.reached(await stage.close())
        assert not worker._delivery.connected
        await stage.stream.delete()
        await stage.stream.create()
        await connected(worker)
