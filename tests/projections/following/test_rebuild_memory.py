"""A rebuild of a long log takes no more memory than one of a short log; that of the campaign has a million events."""

import asyncio
import os
import subprocess
import sys

import pytest

from tests.projections.following.stage import Stage

SHORT_EVENTS = 20_000
LONG_EVENTS = 1_000_000 if os.environ.get("HYPOTHESIS_PROFILE") == "campaign" else 60_000


MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.fixture
def log_name() -> str:
    """The program knows logs by their numbers."""
    return "0"


async def test_memory_does_not_grow_with_the_log(stage: Stage):
    await stage.record()
    short = await memory_of_rebuild(stage, SHORT_EVENTS)
    long = await memory_of_rebuild(stage, LONG_EVENTS)
    assert long <= 1.1 * short, f"{long} KiB for {LONG_EVENTS} events, {short} KiB for {SHORT_EVENTS}"


async def memory_of_rebuild(stage: Stage, events: int) -> int:
    """The most that `hourbook rebuild` took at any moment, in the system's unit."""
    last = await stage.run_into_debt(tasks=events - stage.log.position)
    await stage.database.execute("UPDATE tracking SET position = $1 WHERE projection = 'balances'", last)
    where = {"DATABASE_URL": stage.database_url, "HOURBOOK_LEDGER_URL": stage.server.url, "HOURBOOK_LOGS": "1"}
    memory = await asyncio.to_thread(run, os.environ | where)
    assert await stage.database.fetchval("SELECT count(*) FROM movement WHERE lot_id IS NULL") > events - 10
    return memory


def run(environment: dict[str, str]) -> int:
    """The most it took, measured from outside a process as large as this one."""
    line = [sys.executable, "-c", MEASURE, sys.executable, "-m", "services", "rebuild", "balances"]
    line.append("--accept-differences")
    return int(subprocess.run(line, env=environment, capture_output=True, check=True).stdout)
