"""A program and the schemas of another release: what waits, what refuses, and what `hourbook migrate` makes of it."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from infra.data_folder import free_port
from services.ledger.event_store import migrations
from services.ledger.settings import Settings
from services.operating.migration import bring_up_to_date, judged, standings
from services.operating.parts import Part
from services.process.operator_error import OperatorError
from tests.end_to_end.program import program

OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
NEXT = migrations.MIGRATIONS[-1].name
OLDER = f"The schema ledger is older than this program ({NEXT} missing): run `hourbook migrate`"
LOCK_OF_BILLING = "SELECT pg_advisory_lock(hashtextextended('hourbook billing', 0))"

pytestmark = pytest.mark.usefixtures("one_log")


@pytest.fixture
async def older(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database as the release before the newest migration of the log left it."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:-1])
        await bring_up_to_date(Settings(database_url=database_url, logs=1))
    return database_url


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def parts(folder: Path, **lines: list[str]) -> Iterator[dict[str, Part]]:
    """Running parts, each by its name and command line."""
    environment = {name: value for name, value in os.environ.items() if name != "NATS_URL"}
    started = {name: Part(name, line, environment, folder) for name, line in lines.items()}
    try:
        for part in started.values():
            part.start()
        yield started
    finally:
        for part in started.values():
            part.stop()


async def test_parts_wait_for_an_older_schema_and_work_once_it_is_migrated(
    older: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Though their login may do everything, none of them changes it."""
    monkeypatch.setenv("DATABASE_URL", older)
    await asyncio.to_thread(_waited, tmp_path)


def _waited(folder: Path) -> None:
    port, shown = free_port(), free_port()
    lines = {
        "service": ["serve", "--port", str(port)],
        "expiry": ["ledger", "--only", "expiry", "--metrics-port", str(shown)],
    }
    with (
        parts(folder, **lines) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
    ):
        until(lambda: all(OLDER in part.log.read_text() for part in running.values()))
        assert client.get("/health/live").status_code == 200
        for address in ("/health/ready", f"http://127.0.0.1:{shown}/health/ready"):
            waiting = client.get(address)
            assert waiting.status_code == 503
            assert waiting.json()["faults"][0].startswith(OLDER)
        refused = client.post("/v1/accounts", json=OPEN, headers={"Idempotency-Key": "k"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json()["type"].endswith(":ledger-unavailable")

        migrated = program("migrate")
        assert (migrated.returncode, migrated.stdout.splitlines()[0]) == (0, f"missing in the schema ledger: {NEXT}")
        until(lambda: client.get("/health/ready", params={"part": "commands"}).status_code == 200)
        client.post("/v1/accounts", json=OPEN, headers={"Idempotency-Key": "k"}).raise_for_status()
        until(lambda: client.get(f"http://127.0.0.1:{shown}/health/ready").status_code == 200)
        assert not any(part.dead() for part in running.values())


async def test_a_schema_that_no_longer_serves_this_program_is_refused(older: str):
    connection = await asyncpg.connect(older)
    await connection.execute("INSERT INTO ledger.migration VALUES ('9998_more.sql')")
    said = await asyncio.to_thread(program, "migrate", "--check", DATABASE_URL=older)
    assert said.returncode == 2
    assert "of a later release, in the schema ledger: 9998_more.sql\n" in said.stdout
    await connection.execute("INSERT INTO ledger.migration VALUES ('9999_less.since_9998.sql')")
    await connection.close()
    says = "a later release has applied 9999_less.since_9998.sql. Start that release"
    with pytest.raises(OperatorError, match=says):
        await bring_up_to_date(Settings(database_url=older, logs=1))
    refused = await asyncio.to_thread(program, "serve", "--port", str(free_port()), DATABASE_URL=older)
    assert refused.returncode == 78
    assert says in refused.stderr


async def test_a_migration_that_is_killed_is_gone_on_with_by_several_at_once(database_url: str):
    """It is killed after the schema of the log, and before that of billing."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(LOCK_OF_BILLING)
    line = [sys.executable, "-m", "services", "migrate"]
    environment = os.environ | {"DATABASE_URL": database_url}
    cut_short = await asyncio.create_subprocess_exec(*line, env=environment, stdout=subprocess.PIPE)
    async with asyncio.timeout(120):
        while not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.02)
    cut_short.kill()
    await cut_short.wait()
    await connection.close()
    settings = Settings(database_url=database_url, logs=1)
    assert [each.schema for each in await standings(settings) if each.due] == ["billing"]
    await asyncio.gather(*(bring_up_to_date(settings) for _ in range(2)))
    assert judged(await standings(settings)) == 0
