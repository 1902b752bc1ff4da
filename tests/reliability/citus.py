"""Hourbook on a coordinator and two workers of Citus, one of which is killed under load: `make campaign-citus`.

Commands of logs on the living node are answered meanwhile. Nothing acknowledged is lost, doubled or changed, and a
name that is erased is in no file of a table on any node.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import asyncpg
import httpx
from rich.console import Console

from contracts.placement import log_of
from infra import embedded_postgres
from infra.data_folder import free_port
from infra.embedded import EmbeddedNats, EmbeddedPostgres
from services.operating.up import Hourbook, running
from tests.reliability.load import CLOSED_AT, Load

LOGS = 4
NODES = ("coordinator", "first", "second")
SCRIPT = Path(__file__).parents[2] / "infra" / "postgres" / "citus.sql"
NAME = "Аристарх Незабудкин"
TASKS = 200
DOWN_SECONDS = 8
SETTINGS = {"shared_preload_libraries": "citus", "wal_level": "logical", "max_prepared_transactions": "400"}


class Node(EmbeddedPostgres):
    """A PostgreSQL that lets in whoever comes from this machine: the nodes work on one another as any role."""

    async def trust(self) -> None:
        rules = self.folder.path / "data" / "pg_hba.conf"
        await asyncio.to_thread(rules.write_text, "host all all 127.0.0.1/32 trust\n")
        await self.execute("SELECT pg_reload_conf()")

    async def execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


def programs(folder: Path) -> dict[str, str]:
    """PostgreSQL's programs, which find Citus; a sentence and the end where they are not at hand."""
    extension = subprocess.run([folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    if extension.returncode or not (Path(extension.stdout.strip()) / "extension" / "citus.control").exists():
        sys.exit(f"Citus is not at hand: {folder} has no PostgreSQL with it. Name the folder of one with CITUS=…")
    return {name: str(folder / name) for name in ("postgres", "initdb", "psql")}


@contextmanager
def cluster(folder: Path, found: dict[str, str]) -> Iterator[dict[str, Node]]:
    """Three servers that trust one another."""
    with (
        patch.object(embedded_postgres, "binary", found.__getitem__),
        patch.dict(embedded_postgres.POSTGRES_SETTINGS, SETTINGS),
        ExitStack() as stopping,
    ):
        nodes = {name: stopping.enter_context(Node(folder / name)) for name in NODES}
        for node in nodes.values():
            asyncio.run(node.trust())
        yield nodes


def distribute(nodes: dict[str, Node], psql: str) -> None:
    """As operators are told to."""
    coordinator = nodes["coordinator"]
    environment = os.environ | {"DATABASE_URL": coordinator.url, "HOURBOOK_LOGS": str(LOGS)}
    subprocess.run([sys.executable, "-m", "services", "migrate"], env=environment, check=True)
    for node in nodes.values():
        asyncio.run(node.execute("CREATE EXTENSION citus"))
    asyncio.run(
        coordinator.execute(
            f"SELECT citus_set_coordinator_host('127.0.0.1', {coordinator.port})",
            *(f"SELECT citus_add_node('127.0.0.1', {nodes[name].port})" for name in NODES[1:]),
        )
    )
    line = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(SCRIPT), coordinator.url]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)


class Accounts:
    """An account in each log, whose tasks are closed one after another."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
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
            "closed_at": CLOSED_AT, "confirmed_at": CLOSED_AT, "confirmed_by": NAME,
        }  # fmt: skip
        return (await self._post(f"/v1/accounts/{self.of_log[log_id]}/tasks/{uuid4().hex}/close", body)).status_code

    async def erase(self, log_id: int) -> httpx.Response:
        path = f"/v1/accounts/{self.of_log[log_id]}/personal-data/erasures"
        return await self._client.post(path, json={"reason": "отзыв согласия"})

    async def _post(self, path: str, body: dict[str, object]) -> httpx.Response:
        return await self._client.post(path, json=body, headers={"Idempotency-Key": uuid4().hex})


async def play(hourbook: Hourbook, nodes: dict[str, Node], console: Console) -> None:
    """AssertionError where something is not as it has to be."""
    load, began = Load([hourbook.url], TASKS), time.monotonic()
    await load.run()
    console.print(f"{TASKS / (time.monotonic() - began):.0f} closings a second by 8 clients")
    async with httpx.AsyncClient(base_url=hourbook.url, timeout=60, trust_env=False) as client:
        accounts = Accounts(client)
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
        for log_id in range(LOGS):
            erased = await accounts.erase(log_id)
            assert erased.status_code == 200, erased.text
        await _ready(client)
    await load.check(hourbook.url)
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


def campaign(folder: Path) -> None:
    """Everything in a folder of its own."""
    found = programs(folder)
    with tempfile.TemporaryDirectory(prefix="hourbook-citus-") as name:
        place = Path(name)
        place.chmod(0o711)
        with cluster(place, found) as nodes, EmbeddedNats(place / "nats") as nats:
            distribute(nodes, found["psql"])
            urls = {"DATABASE_URL": nodes["coordinator"].url, "NATS_URL": nats.url, "HOURBOOK_LOGS": str(LOGS)}
            with patch.dict(os.environ, urls), running(place / "data", free_port(), embedded=False) as hourbook:
                asyncio.run(play(hourbook, nodes, Console()))


if __name__ == "__main__":
    campaign(Path(sys.argv[1]))
