"""A program whose projection has changed builds tables of its own beside the old ones, and swaps."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from services.process.problem_responses import ProblemError
from services.projections import running
from services.projections.balances import BALANCES
from services.projections.debt_alerts.episodes import begin
from services.projections.following.logged import Logged
from services.projections.following.tracking import Projection
from services.projections.running import running_projections
from services.projections.settings import Settings
from tests.projections.following.stage import Stage, connected, waits
from tests.projections.questions import until


async def project_anew(connection: asyncpg.Connection, batch: Sequence[Logged]) -> None:
    """As ever, but movements have lost their type, and events are counted."""
    await BALANCES.project(connection, batch)
    await connection.execute("UPDATE account SET events = events + $1", len(batch))


NEW = replace(
    BALANCES,
    schema=BALANCES.schema.replace("suspended       boolean", "events bigint NOT NULL DEFAULT 0, suspended boolean"),
    project=project_anew,
    version=BALANCES.version + 1,
)
NEWER = replace(NEW, version=NEW.version + 1)
EVENTS = "SELECT events FROM account"


async def test_a_worker_of_a_new_version_builds_its_tables_and_goes_on(stage: Stage):
    last = await stage.record(tasks=30)
    await stage.reached_by_worker(last)
    async with stage.worker(projection=NEW) as worker:
        await connected(worker)
        last = await stage.close()
        await stage.publish()
        await stage.reached(last)
    assert await stage.database.fetchval(EVENTS) == last
    assert (await stage.place()).version == NEW.version
    assert await stage.leftovers() == []


async def test_a_worker_of_an_old_version_leaves_newer_tables_alone(stage: Stage):
    last = await stage.record(tasks=30)
    await stage.reached_by_worker(last)
    async with stage.worker(nats_url=None) as old:
        async with stage.worker(nats_url=None, projection=NEW):
            await until(lambda: replaced(stage))
            await stage.reached(await stage.close())
            assert await stage.database.fetchval(EVENTS) == stage.log.position
        before = stage.log.position
        await stage.close()
        assert f"version {NEW.version}" in await waits(old)
    assert (await stage.place()).position == before
    assert (await stage.place()).halted is None


async def replaced(stage: Stage) -> bool:
    return (await stage.place()).version == NEW.version


async def test_tables_that_a_version_no_longer_has_are_dropped_with_it(stage: Stage):
    await stage.record()
    with_diary = replace(
        NEW, schema=NEW.schema + "CREATE TABLE IF NOT EXISTS diary (day date);", tables=(*NEW.tables, "diary")
    )
    for version in (with_diary, NEWER):
        async with stage.worker(nats_url=None, projection=version):
            await stage.reached(await stage.close())
    assert await stage.database.fetchval("SELECT to_regclass('diary')") is None
    assert (await stage.place()).version == NEWER.version


@pytest.fixture
def log_name() -> str:
    """Queries know logs by their numbers."""
    return "0"


@pytest.mark.parametrize("projection", [NEW, replace(NEW, tables=("not_there_yet",))])
async def test_queries_of_a_new_version_wait_for_its_tables(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, projection: Projection
):
    """Also where its tables have names that the old version does not know."""
    await stage.reached_by_worker(await stage.record())
    await begin(stage.database, [0], stage.log.clock)
    monkeypatch.setattr(running, "PROJECTIONS", (projection,))
    settings = Settings(database_url=stage.database_url, ledger_url=stage.server.url, logs=1)
    async with running_projections(settings, worker=False) as projections:
        with pytest.raises(ProblemError) as behind:
            async with projections.snapshot(of=projection):
                pass
        assert behind.value.problem.type.endswith(":projection-behind")
        assert await projections.faults() == [
            f"The tables of the projection balances are of version {BALANCES.version} still."
        ]


async def test_queries_of_a_new_version_are_answered_once_its_tables_are_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    last = await stage.record()
    await stage.reached_by_worker(last)
    async with stage.worker(nats_url=None, projection=NEW):
        await stage.reached(await stage.close())
    await begin(stage.database, [0], stage.log.clock)
    monkeypatch.setattr(running, "PROJECTIONS", (NEW,))
    settings = Settings(database_url=stage.database_url, ledger_url=stage.server.url, logs=1)
    async with running_projections(settings, worker=False) as projections:
        async with projections.snapshot(of=NEW) as (connection, at):
            assert await connection.fetchval(EVENTS) == at.position == last + 1
        assert await projections.faults() == []
