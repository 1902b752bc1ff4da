"""`hourbook rebuild` as an operator runs it, and as it is killed."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.projections.catalogue import PROJECTIONS
from tests.projections.following.stage import Stage
from tests.projections.questions import until

BUILT = "SELECT position FROM projections_building_balances.tracking"


@pytest.fixture
def log_name() -> str:
    """The program knows logs by their numbers."""
    return "0"


async def start(stage: Stage, *arguments: str) -> Process:
    environment = os.environ | {
        "DATABASE_URL": stage.database_url,
        "HOURBOOK_LEDGER_URL": stage.server.url,
        "HOURBOOK_LOGS": "1",
    }
    line = [sys.executable, "-m", "services", "rebuild", *arguments]
    return await asyncio.create_subprocess_exec(*line, env=environment, stdout=PIPE, stderr=PIPE)


async def run(stage: Stage, *arguments: str) -> tuple[int | None, str]:
    """Its exit code, and everything it said."""
    process = await start(stage, *arguments)
    said = await process.communicate()
    return process.returncode, " ".join(b"".join(said).decode().split())


@pytest.fixture
async def owner(stage: Stage) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stage.database_url)
    yield connection
    await connection.close()


async def built(owner: asyncpg.Connection) -> int:
    """How far the tables beside the live ones have come."""
    try:
        return await owner.fetchval(BUILT) or 0
    except (asyncpg.InvalidSchemaNameError, asyncpg.UndefinedTableError):
        return 0


async def test_killed_anywhere_it_harms_nothing_and_starts_over(stage: Stage, owner: asyncpg.Connection):
    await stage.record(tasks=3)
    last = await stage.run_into_debt(tasks=8000)
    await stage.reached_by_worker(last)
    before = await stage.remaining()
    for position in (1, 3000, last - 1500):
        process = await start(stage, "balances")

        async def come_so_far(position: int = position) -> bool:
            return await built(owner) >= position

        await until(come_so_far)
        process.kill()
        await process.wait()
        assert await stage.remaining() == before
    done, said = await run(stage, "balances")
    assert (done, f"balances is rebuilt up to position {last} " in said) == (0, True), said
    assert f"{last}/{last}" in said
    assert await stage.remaining() == before
    assert await stage.leftovers() == []


async def test_an_unknown_name_is_answered_with_the_known_ones(stage: Stage):
    assert await run(stage, "balance") == (
        1,
        "hourbook: There is no projection balance; there are " + ", ".join(known.name for known in PROJECTIONS) + ".",
    )


async def test_differences_fail_until_they_are_accepted(stage: Stage):
    last = await stage.record(tasks=3)
    await stage.reached_by_worker(last)
    await stage.database.execute("UPDATE account SET owed_minutes = 5")
    failed, said = await run(stage, "balances")
    assert failed == 1
    assert "balances differs at position 5: owed_minutes is 5 and was rebuilt as 0" in said
    assert await stage.database.fetchval("SELECT owed_minutes FROM account") == 5
    done, _ = await run(stage, "balances", "--accept-differences")
    assert done == 0
    assert await stage.database.fetchval("SELECT owed_minutes FROM account") == 0


async def test_without_the_ledger_it_fails_in_a_sentence(stage: Stage):
    await stage.reached_by_worker(await stage.record(tasks=3))
    await stage.server.stop()
    failed, said = await run(stage, "balances")
    assert failed == 1
    assert "Is Hourbook running, and is --url its address?" in said
    assert "Traceback" not in said
    assert await stage.leftovers() == []
