"""A ledger of four logs, whatever the rest of the suite runs with: callers notice nothing, and work is shared out."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from contracts.placement import log_of
from infra import processes
from infra.data_folder import free_port
from infra.embedded import EmbeddedPostgres
from services.operating.demo import sample_lines
from services.operating.up import Hourbook, Part, running
from services.projections.catalogue import PROJECTIONS
from services.projections.following.shares import MEMBER, SHARES
from tests.end_to_end.questions import caught_up, client_of, unhurried
from tests.end_to_end.test_sample import post

LOGS = 4
LINES = 160
WORK = LOGS * len(PROJECTIONS)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def hourbook(data: Path) -> Iterator[Hourbook]:
    """In the sandbox, with two worker processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_LOGS", str(LOGS))
        with running(data, free_port(), sandbox=True) as started:
            first = started.parts[0]
            second = Part("worker-2", ["projections", "--only", "worker"], first.environment, first.folder)
            second.start()
            started.parts.append(second)
            yield started
            second.stop()


@pytest.fixture(scope="module")
def client(hourbook: Hourbook) -> Iterator[httpx.Client]:
    with client_of(hourbook.url) as connected:
        yield connected


@pytest.fixture(scope="module")
def positions(hourbook: Hourbook) -> dict[str, int]:
    """Plays the beginning of the sample, and kills a worker process on the way; the last position of each account."""
    _await_shares(hourbook, [WORK // 2, WORK // 2])
    found: dict[str, int] = {}
    with unhurried(hourbook) as player:
        for number, line in enumerate(islice(sample_lines(), LINES)):
            player.put("/v1/test-clock", json={"now": line["at"]}).raise_for_status()
            answer = post(player, line)
            if answer.status_code == 201:
                found[line["account_id"]] = answer.json()["position"]
            if number == LINES // 2:
                worker = next(part for part in hourbook.parts if part.name == "worker")
                processes.kill(processes.family(worker.process.pid))
                worker.process.wait()
    _await_shares(hourbook, [WORK])
    return found


def _await_shares(hourbook: Hourbook, sizes: list[int]) -> None:
    """Wait until the worker processes have shares of these sizes."""
    (database,) = (server for server in hourbook.servers if isinstance(server, EmbeddedPostgres))
    for _ in processes.until(time.monotonic() + 120):
        if asyncio.run(_shares(database.url)) == sizes:
            return
    raise AssertionError(f"the work was not shared out as {sizes}")


SHARED_OUT = """
    SELECT count(*)::integer AS works FROM pg_locks JOIN pg_database AS d ON d.oid = database
    WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objid <> $2::bigint::oid
        AND datname = current_database()
    GROUP BY pid
"""


async def _shares(database_url: str) -> list[int]:
    """On how much each worker process works."""
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(SHARED_OUT, SHARES, MEMBER)
    await connection.close()
    return sorted(row["works"] for row in rows)


def read(client: httpx.Client, path: str, minimum: int = 0, **parameters: Any) -> httpx.Response:
    return caught_up(client, path, minimum, **parameters)


def test_accounts_are_in_all_logs_and_each_answers_of_its_own(client: httpx.Client, positions: dict[str, int]):
    assert {log_of(account_id, LOGS) for account_id in positions} == set(range(LOGS))
    for account_id, position in positions.items():
        answer = read(client, f"/v1/accounts/{account_id}/balance", position)
        head = int(read(client, "/v1/log", log=log_of(account_id, LOGS), limit=1).headers["Hourbook-Position"])
        assert position <= int(answer.headers["Hourbook-Position"]) == answer.json()["position"] <= head


def test_a_balance_as_known_at_a_position_of_its_log_is_the_replayed_one(
    client: httpx.Client, positions: dict[str, int]
):
    for account_id, position in positions.items():
        for known_at in (position, position // 2):
            both = [
                read(client, f"/v1/accounts/{account_id}/{route}", position, known_at=known_at)
                for route in ("balance", "replay")
            ]
            balance, replayed = (answer.json() for answer in both)
            assert {**balance, "position": 0} == {**replayed, "position": 0}


def test_a_list_waits_for_every_log_to_its_end(client: httpx.Client, positions: dict[str, int]):
    answer = read(client, "/v1/accounts", max(positions.values()), limit=100)
    assert {account["account_id"] for account in answer.json()["accounts"]} == set(positions)
    assert int(answer.headers["Hourbook-Position"]) == max(_heads(client))
    beyond = read(client, "/v1/accounts", 10**9)
    assert beyond.headers["Hourbook-Position"] == answer.headers["Hourbook-Position"]


def test_every_projection_tells_its_place_in_each_log(client: httpx.Client, positions: dict[str, int]):
    assert positions
    places = read(client, "/v1/projections", max(_heads(client))).json()
    assert [place["name"] for place in places] == [projection.name for projection in PROJECTIONS]
    for place in places:
        going = {"halted": None, "halted_accounts": 0}
        expected = [{"log": log, "position": head, **going} for log, head in enumerate(_heads(client))]
        assert place["logs"] == expected


def _heads(client: httpx.Client) -> list[int]:
    return [int(read(client, "/v1/log", log=log, limit=1).headers["Hourbook-Position"]) for log in range(LOGS)]


def test_a_key_is_known_to_its_account_alone(client: httpx.Client, positions: dict[str, int]):
    line = next(sample_lines())
    again = post(client, line)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    for account_id in positions:
        if account_id != line["account_id"]:
            refused = post(client, line | {"account_id": account_id})
            assert (refused.status_code, refused.json()["type"]) == (409, "urn:hourbook:problem:account-already-open")


def test_an_export_has_every_log_and_says_which(client: httpx.Client, hourbook: Hourbook, tmp_path: Path):
    file = tmp_path / "log.ndjson"
    program("export", "--url", hourbook.url, "--output", str(file))
    lines = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    places = [(log, position) for log, head in enumerate(_heads(client)) for position in range(1, head + 1)]
    assert [(line.pop("log"), line["position"]) for line in lines] == places
    program("export", "--url", hourbook.url, "--output", str(file), "--log", "2")
    assert file.read_bytes() == read(client, "/v1/log", log=2).content
    refused = program("export", "--url", hourbook.url, "--output", str(file), "--after", "1", check=False)
    assert (refused.returncode, "--log" in refused.stderr) == (1, True)


def test_a_projection_is_rebuilt_from_all_logs(hourbook: Hourbook, client: httpx.Client, positions: dict[str, int]):
    environment = hourbook.parts[0].environment
    said = program("rebuild", "balances", "--url", hourbook.url, environment=environment)
    assert said.stdout.split("position ")[1].strip() == ", ".join(map(str, _heads(client)))
    account_id, position = next(iter(positions.items()))
    assert read(client, f"/v1/accounts/{account_id}/balance", position).json()["position"] >= position


def test_every_log_is_audited(hourbook: Hourbook, client: httpx.Client, data: Path):
    said = program("audit", "verify", "--data", str(data), environment=hourbook.parts[0].environment, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    for log, head in enumerate(_heads(client)):
        first, again = f"log {log}: {head} events gone over, nothing is wrong", f"nothing is wrong; good up to {head}\n"
        assert first in said.stdout or again in said.stdout  # the running auditor may have been there before


def test_another_number_of_logs_is_refused_with_a_sentence(hourbook: Hourbook, tmp_path: Path):
    database, nats = (server.url for server in hourbook.servers)
    owners = {"DATABASE_URL": database, "NATS_URL": nats}
    environment = hourbook.parts[0].environment | owners | {"HOURBOOK_LOGS": "3"}
    line = ("up", "--no-embedded", "--data", str(tmp_path), "--port", str(free_port()))
    refused = program(*line, environment=environment, check=False)
    assert refused.returncode == 78
    assert f"set HOURBOOK_LOGS={LOGS}" in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr


def program(
    *arguments: str, environment: dict[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "services", *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=check, timeout=200, env=environment)
