"""Hourbook on a coordinator and two workers of Citus: `make campaign-citus`.

A sample history is played there, every expectation of the independent model holds, and rebuilds change nothing. Each
question to the read models is answered as on one server that follows the same log, and so are dashboards. Then a
worker is killed under load: commands of logs on the living node are answered meanwhile; nothing acknowledged is lost,
doubled or changed, and a name that is erased is in no file of a table on any node. The read side stands on the nodes by
account, before rebuilds and after. Says how long a command takes there and on one server.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from unittest.mock import patch
from uuid import uuid4

import asyncpg
import httpx
import orjson
from rich.console import Console

from contracts.placement import log_of
from infra.data_folder import free_port
from infra.embedded import EmbeddedNats
from services.operating.demo import SAMPLE
from services.operating.up import Hourbook, running
from services.projections.catalogue import PROJECTIONS
from tests.conftest import reachable_folder
from tests.end_to_end import test_sample as sample
from tests.end_to_end.program import program
from tests.end_to_end.questions import client_of, unhurried
from tests.reliability.citus_nodes import (
    LOGS,
    OF_THE_COORDINATOR,
    Node,
    cluster,
    distribute,
    programs,
    read_side_elsewhere,
)
from tests.reliability.citus_reads import require_same_answers
from tests.reliability.load import CLOSED_AT, Load

NAME, OTHER_NAME = "Аристарх Незабудкин", "client@example.com"
TASKS = 200
DOWN_SECONDS = 8
ACCOUNTS_ASKED, MONTH_ASKED = 2, "2026-04"
COMMANDS_TIMED = 100


class Accounts:
    """An account in each log, whose tasks are closed one after another."""

    def __init__(self, client: httpx.AsyncClient, confirmed_by: str) -> None:
        self._client, self._confirmed_by = client, confirmed_by
        self.of_log: dict[int, str] = {}
        while len(self.of_log) < LOGS:
            account_id = uuid4().hex
            self.of_log.setdefault(log_of(account_id, LOGS), account_id)

    async def open(self) -> None:
        for account_id in self.of_log.values():
            body = {"account_id": account_id, "customer_name": "Ока", "contract_number": "7"}
            answer = await self._post("/v1/accounts", body | {"contract_date": "2026-01-01"})
            assert answer.status_code == 201, answer.text

    async def close(self, log_id: int) -> int:
        """The status that it is answered."""
        body = {
            "title": "Настройка", "category": "regular", "worked_minutes": 10,
            "closed_at": CLOSED_AT, "confirmed_at": CLOSED_AT, "confirmed_by": self._confirmed_by,
        }  # fmt: skip
        return (await self._post(f"/v1/accounts/{self.of_log[log_id]}/tasks/{uuid4().hex}/close", body)).status_code

    async def erase(self, log_id: int) -> httpx.Response:
        """The answer; asked again after 503, as of a node that broke since the connection to it was used."""
        path = f"/v1/accounts/{self.of_log[log_id]}/personal-data/erasures"
        async with asyncio.timeout(60):
            while (answer := await self._client.post(path, json={"reason": "отзыв согласия"})).status_code == 503:
                await asyncio.sleep(0.1)
        return answer

    async def _post(self, path: str, body: dict[str, object]) -> httpx.Response:
        return await self._client.post(path, json=body, headers={"Idempotency-Key": uuid4().hex})


def play_sample(hourbook: Hourbook, client: httpx.Client, console: Console) -> list[str]:
    """Its accounts; AssertionError where an answer is not as the independent model has it, also after each rebuild."""
    expected = orjson.loads((SAMPLE / "expected.json").read_bytes())
    with unhurried(hourbook) as player:
        assert list(sample.played(player, SAMPLE)) == []
    client.put("/v1/test-clock", json={"now": expected["end"]}).raise_for_status()
    for projection in (None, *PROJECTIONS):
        if projection:
            rebuilt = program("rebuild", projection.name, "--url", hourbook.url)
            assert rebuilt.returncode == 0, rebuilt
        sample.test_every_balance_at_every_instant_by_projection_and_by_replay(client, expected, "balance")
    sample.test_every_balance_at_every_instant_by_projection_and_by_replay(client, expected, "replay")
    sample.test_all_lots_and_holdings_at_the_end(client, expected, "balance")
    sample.test_all_lots_and_holdings_at_the_end(client, expected, "replay")
    sample.test_every_closing_in_every_months_report_and_balances_that_go_on(client, expected)
    sample.test_the_list_of_accounts_says_the_same(client, expected)
    sample.test_a_command_sent_again_answers_what_it_answered_before(client, SAMPLE)
    sample.test_the_audit_finds_nothing_wrong_with_all_balances_of_all_accounts(hourbook)
    console.print("a sample history is played without a difference, rebuilt, and audited in full")
    return list(expected["accounts"])


def require_no_alarm(hourbook: Hourbook) -> None:
    """AssertionError where the auditor that ran beside all of it has accused anybody."""
    said = (hourbook.parts[0].folder / "auditor.log").read_text(encoding="utf-8").splitlines()
    assert [line for line in said if "THE AUDIT OF LOG" in line] == []


async def a_command_takes(hourbook: Hourbook) -> float:
    """The median of the milliseconds in which closings are answered, one after another."""
    async with httpx.AsyncClient(base_url=hourbook.url, timeout=60, trust_env=False) as client:
        accounts, took = Accounts(client, OTHER_NAME), list[float]()
        await accounts.open()
        for number in range(COMMANDS_TIMED):
            began = time.perf_counter()
            assert await accounts.close(number % LOGS) == 201
            took.append(time.perf_counter() - began)
    return 1000 * median(took)


async def rotate_beside_an_append(hourbook: Hourbook, node: Node) -> None:
    """A key of seals waits for an append on another node that has looked at the keys; AssertionError if it does not."""
    connection = await asyncpg.connect(node.url)
    line = ("audit", "rotate-seal-key", "--data", hourbook.parts[0].folder.parent)
    try:
        append = connection.transaction()
        await append.start()
        await connection.fetchval("SELECT max(number) FROM ledger.seal_key")
        rotated = asyncio.create_task(asyncio.to_thread(program, *line))
        async with asyncio.timeout(60):
            while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE mode = $1", "AccessExclusiveLock"):
                assert not rotated.done()
                await asyncio.sleep(0.05)
        assert not rotated.done()
        await append.commit()
        assert (await rotated).returncode == 0, rotated.result().stderr
    finally:
        await connection.close()


async def rebuild_all(hourbook: Hourbook, nodes: dict[str, Node]) -> None:
    """AssertionError where a rebuild fails, or leaves a table of accounts on the coordinator."""
    assert await read_side_elsewhere(nodes) == OF_THE_COORDINATOR
    for projection in PROJECTIONS:
        rebuilt = await asyncio.to_thread(program, "rebuild", projection.name, "--url", hourbook.url)
        assert rebuilt.returncode == 0, rebuilt
    assert await read_side_elsewhere(nodes) == OF_THE_COORDINATOR


async def play(hourbook: Hourbook, nodes: dict[str, Node], console: Console) -> None:
    """AssertionError where something is not as it has to be."""
    load, began = Load([hourbook.url], TASKS), time.monotonic()
    await load.run()
    console.print(f"{TASKS / (time.monotonic() - began):.0f} closings a second by 8 clients")
    async with httpx.AsyncClient(base_url=hourbook.url, timeout=60, trust_env=False) as client:
        accounts = Accounts(client, NAME)
        await accounts.open()
        assert [await accounts.close(log_id) for log_id in range(LOGS)] == [201] * LOGS
        dies = asyncio.create_task(_dies_for_a_while(nodes["second"]))
        answered: list[int] = []
        while not dies.done():
            answered += [await accounts.close(log_id) for log_id in (0, 2)]
        await dies
        console.print(f"{answered.count(201)} of {len(answered)} commands of living logs answered meanwhile")
        assert set(answered) == {201}
        async with asyncio.timeout(60):
            while {await accounts.close(log_id) for log_id in range(LOGS)} != {201}:
                await asyncio.sleep(0.1)
        await rotate_beside_an_append(hourbook, nodes["first"])
        assert [await accounts.close(log_id) for log_id in range(LOGS)] == [201] * LOGS
        for log_id in range(LOGS):
            erased = await accounts.erase(log_id)
            assert erased.status_code == 200, erased.text
        await _ready(client)
    await rebuild_all(hourbook, nodes)
    await load.check(hourbook.url)
    audited = await asyncio.to_thread(program, "audit", "verify", "--full", "--data", hourbook.parts[0].folder.parent)
    assert audited.returncode == 0, audited.stdout + audited.stderr
    for node in nodes.values():
        await node.execute("CHECKPOINT")
        tables = node.folder.path / "data" / "base"
        assert not [file for file in tables.rglob("*") if file.is_file() and NAME.encode() in file.read_bytes()]
    console.print("nothing lost, doubled or diverged, and the erased name is on no node")


async def _ready(client: httpx.AsyncClient) -> None:
    """Return when nothing is wrong; the audit has looked then, or does so within a minute."""
    async with asyncio.timeout(150):
        while (health := await client.get("/health/details")).status_code != 200 or not await _audited(client):
            await asyncio.sleep(1)
    assert health.json()["faults"] == []


async def _audited(client: httpx.AsyncClient) -> bool:
    """Whether each log was verified up to some event, as the ledger's metrics say."""
    lines = (await client.get("/metrics")).text.splitlines()
    sizes = [float(line.split()[1]) for line in lines if line.startswith("hourbook_audit_verified_size{")]
    return len(sizes) > LOGS and all(sizes)


async def _dies_for_a_while(node: Node) -> None:
    await asyncio.to_thread(node.kill)
    await asyncio.sleep(DOWN_SECONDS)
    await asyncio.to_thread(node.start)


@contextmanager
def on_citus(found: dict[str, str], *, sandbox: bool = False) -> Iterator[tuple[Hourbook, dict[str, Node]]]:
    """A Hourbook, ready, and the nodes that have its logs."""
    with reachable_folder() as place, cluster(place, found) as nodes, EmbeddedNats(place / "nats") as nats:
        distribute(nodes, found["psql"])
        urls = {"DATABASE_URL": nodes["coordinator"].url, "NATS_URL": nats.url, "HOURBOOK_LOGS": str(LOGS)}
        with (
            patch.dict(os.environ, urls),
            running(place / "data", free_port(), sandbox=sandbox, embedded=False) as hourbook,
        ):
            yield hourbook, nodes


def campaign(folder: Path) -> None:
    """Everything in folders of its own."""
    found, console = programs(folder), Console()
    with on_citus(found, sandbox=True) as (hourbook, nodes), client_of(hourbook.url) as client:
        accounts = play_sample(hourbook, client, console)
        alike = require_same_answers(hourbook, nodes, accounts[:ACCOUNTS_ASKED], MONTH_ASKED)
        console.print(f"{alike} questions are answered as on one server, and so are dashboards")
        require_no_alarm(hourbook)
    with on_citus(found) as (hourbook, nodes):
        there = asyncio.run(a_command_takes(hourbook))
        asyncio.run(play(hourbook, nodes, console))
        require_no_alarm(hourbook)
    with (
        reachable_folder() as place,
        patch.dict(os.environ, {"HOURBOOK_LOGS": str(LOGS)}),
        running(place / "data", free_port()) as hourbook,
    ):
        here = asyncio.run(a_command_takes(hourbook))
    console.print(f"a closing, one after another, takes {there:.1f} ms, and {here:.1f} ms on one server")


if __name__ == "__main__":
    campaign(Path(sys.argv[1]))
