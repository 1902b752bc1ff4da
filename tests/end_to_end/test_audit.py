"""The audit of a running Hourbook, as its operator and its health see it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import orjson
import pytest

from infra.data_folder import free_port
from services.auditing.auditor import Audit
from services.operating.up import Hourbook, running
from tests.end_to_end.program import program
from tests.end_to_end.questions import caught_up, client_of
from tests.end_to_end.test_command_line import commands

PURCHASE = {"command": "PurchasePackage", "package_id": "spring", "plan": "hours-20"}

pytestmark = pytest.mark.usefixtures("one_log")
"""Sizes and positions are spelt out here; see test_several_logs.py for more."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audited")


@pytest.fixture(scope="module")
def hourbook(one_log: None, data: Path) -> Iterator[Hourbook]:
    """A running Hourbook with a few accounts that hold hours. The tests are its auditors: what another round that began
    before a change finds would take the place of what they find."""
    with running(data, free_port()) as started:
        next(part for part in started.parts if part.name == "auditor").stop()
        file = commands(data / "commands.ndjson", 30)
        bought = [
            PURCHASE
            | {"account_id": f"a-{n}", "idempotency_key": f"buy-{n}", "purchased_at": "2026-11-02T10:00:00+03:00"}
            for n in range(30)
        ]
        file.write_bytes(file.read_bytes() + b"\n".join(map(orjson.dumps, bought)) + b"\n")
        assert program("import", file, "--url", started.url).returncode == 0
        with client_of(started.url) as client:
            caught_up(client, "/v1/projections", 60)
            while client.get("/v1/audit/checkpoint").text.split("\n")[1:2] != ["60"]:
                pass
        yield started


async def as_superuser(hourbook: Hourbook, statement: str) -> None:
    connection = await asyncpg.connect(hourbook.servers[0].url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def health(hourbook: Hourbook, *, faulty: bool) -> httpx.Response:
    """What health says, once it has heard of faults, or of none."""
    async with httpx.AsyncClient(base_url=hourbook.url, trust_env=False, timeout=60) as client, asyncio.timeout(60):
        while True:
            answer = await client.get("/health/details")
            if (answer.status_code == 503) == faulty:
                return answer
            await asyncio.sleep(0.05)


async def test_a_key_is_rotated_while_everything_runs(hourbook: Hourbook, data: Path):
    rotated = program("audit", "rotate-key", "--data", data)
    assert (rotated.returncode, rotated.stdout[:5]) == (0, "key 2"), rotated.stderr
    file = commands(data / "more.ndjson", 1, first=500)
    assert program("import", file, "--url", hourbook.url).returncode == 0
    async with httpx.AsyncClient(base_url=hourbook.url, trust_env=False, timeout=60) as client, asyncio.timeout(60):
        while (await client.get("/v1/audit/checkpoint")).text.split("\n")[1:2] != ["61"]:
            await asyncio.sleep(0.05)
        assert [key["number"] for key in (await client.get("/v1/audit/keys")).json()["keys"]] == [1, 2]
    audited = program("audit", "verify", "--full", "--data", data)
    assert audited.returncode == 0, audited.stderr
    assert "log 0: 61 events gone over, nothing is wrong; good up to 61" in audited.stdout


@pytest.mark.parametrize(
    ("statement", "back", "fault"),
    [
        (
            "UPDATE projections.movement SET minutes = minutes + 10 WHERE account_id = 'a-3'",
            "UPDATE projections.movement SET minutes = minutes - 10 WHERE account_id = 'a-3'",
            "the movements of the projection say of a-3",
        ),
        (
            "UPDATE projections.lot SET remaining_minutes = 0 WHERE account_id = 'a-4'",
            "UPDATE projections.lot SET remaining_minutes = size_minutes WHERE account_id = 'a-4'",
            "the rows of the projection say of a-4",
        ),
        (
            "UPDATE projections.report_entry SET balance_minutes = 1 WHERE account_id = 'a-5'",
            "UPDATE projections.report_entry SET balance_minutes = minutes WHERE account_id = 'a-5'",
            "the monthly reports of a-5",
        ),
    ],
)
async def test_a_projection_that_does_not_say_what_the_log_says_is_found(
    hourbook: Hourbook, data: Path, statement: str, back: str, fault: str
):
    audit = Audit(hourbook.servers[0].url, 1, data / "audit" / "verified.json")
    await as_superuser(hourbook, statement)
    found = await audit.run(full=True)
    assert fault in found[0].faults[0]
    assert all("is not what the log makes of it" in said for said in found[0].faults[1:])
    assert found[0].faults[1:]
    assert any(fault in said for said in (await health(hourbook, faulty=True)).json()["faults"])
    await as_superuser(hourbook, back)
    assert (await audit.run(full=False))[0].events >= 60, "after faults everything is gone over again"
    assert (await health(hourbook, faulty=False)).json()["faults"] == []


async def test_a_projection_of_another_version_is_a_fault_unless_it_is_being_built_anew(hourbook: Hourbook, data: Path):
    await as_superuser(hourbook, "UPDATE projections.tracking SET version = version + 1 WHERE projection = 'tasks'")
    audited = program("audit", "verify", "--data", data)
    assert (audited.returncode, "the projection tasks is not compared" in audited.stderr) == (1, True), audited.stderr
    await as_superuser(hourbook, "CREATE SCHEMA projections_building_tasks")
    audited = program("audit", "verify", "--data", data)
    assert audited.returncode == 0, audited.stderr
    await as_superuser(
        hourbook,
        "DROP SCHEMA projections_building_tasks;"
        " UPDATE projections.tracking SET version = version - 1 WHERE projection = 'tasks'",
    )


async def test_a_changed_event_is_found_and_health_metrics_and_operator_hear_of_it(hourbook: Hourbook, data: Path):
    silence = "ALTER TABLE ledger.event DISABLE TRIGGER ALL;"
    change = "UPDATE ledger.event SET data = replace(data::text, 'minutes', 'hours')::json WHERE position = 40;"
    await as_superuser(hourbook, silence + change)
    audited = program("audit", "verify", "--full", "--data", data)
    assert (audited.returncode, "FAULT log 0: event 40 " in audited.stderr) == (1, True), audited.stderr
    await health(hourbook, faulty=True)
    async with httpx.AsyncClient(base_url=hourbook.url, trust_env=False, timeout=60) as client:
        metrics = (await client.get("/metrics")).text
        assert 'hourbook_audit_faults{log="0"} 0.0' not in metrics
        assert 'hourbook_audit_faults{log="0"}' in metrics


def test_a_folder_without_a_database_is_said(tmp_path: Path):
    audited = program("audit", "verify", "--data", tmp_path)
    assert (audited.returncode, "name a server with DATABASE_URL" in " ".join(audited.stderr.split())) == (1, True)
