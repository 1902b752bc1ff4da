"""A process one of whose parts has ended is of no use: it ends too, with an error, and is started again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.data_folder import free_port
from services.ledger.running import running_ledger
from services.ledger.settings import Settings
from tests.ledger.commands import opening

CRASHING = """
import asyncio, sys
from services.ledger.writing.replays import Replays

async def crash(replays):
    await replays._arrived.wait()
    raise OverflowError("this part cannot go on")

Replays.run = crash
"""
SERVICE = """
from services.process.schema_watch import SchemaWatch
from services.process.serving import listening, serve
serve("services.ledger.app:create_api", listening(int(sys.argv[1])), SchemaWatch())
"""
EXPIRY = """
from services.ledger.running import run_expiry
from services.ledger.settings import Settings
from services.ledger.writing import expiry
from services.process.stopping import run_until_stopped

async def crash(*_):
    raise OverflowError("this part cannot go on")

expiry.expire_due = crash
run_until_stopped(run_expiry(Settings()))
"""
BODY = {"account_id": "a", "customer_name": "ООО «Ока»", "contract_number": "7/26", "contract_date": "2026-01-01"}


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"NATS_URL", "HOURBOOK_SANDBOX"}}
    return kept | {"DATABASE_URL": database_url, "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def process(environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, "-c", CRASHING + SERVICE, str(port)]
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as started:
        yield started
        started.kill()


def test_a_service_whose_pipeline_has_ended_ends_with_an_error(process: subprocess.Popen[str], port: int):
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30, transport=httpx.HTTPTransport(retries=8)
    ) as client:
        key = {"Idempotency-Key": "k"}
        assert client.post("/v1/accounts", json=BODY, headers=key).status_code == 201
        again = client.post("/v1/accounts", json=BODY, headers=key)
        assert (again.status_code, again.json()["type"]) == (503, "urn:hourbook:problem:ledger-unavailable")
    assert process.wait(timeout=30) == 1
    assert process.stderr
    assert "this part cannot go on" in process.stderr.read()


def test_an_expiry_that_has_crashed_ends_its_process_with_an_error(environment: dict[str, str]):
    line = [sys.executable, "-c", "import sys\n" + EXPIRY]
    ended = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "this part cannot go on" in ended.stderr) == (1, True)


async def test_health_names_the_part_that_has_ended(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    async with running_ledger(settings) as ledger:
        await ledger.submit(opening("a"), "k")
        assert await ledger.faults() == []
        ledger.work[0].cancel()
        while not ledger.work[0].done():
            await ledger.heads()
        assert await ledger.faults() == [f"{ledger.work[0].get_name()} has ended."]
