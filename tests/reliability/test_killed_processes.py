"""`kill -9` of any one process during a load loses nothing, doubles nothing, and heals by itself."""

import asyncio
import os
import signal
from collections.abc import Iterator

import httpx
import nats
import pytest

from contracts.placement import log_of
from infra.data_folder import free_port
from services.up import Hourbook, running
from tests.reliability.load import Load, caught_up, logs_without_gaps

TASKS = 400
STREAM = f"HOURBOOK-{log_of('acc-0', int(os.environ.get('HOURBOOK_LOGS', '1')))}"


@pytest.fixture
def hourbook(server_folder) -> Iterator[Hourbook]:
    with running(server_folder, free_port()) as started:
        yield started


@pytest.mark.parametrize("name", ["service", "relay", "expiry", "worker"])
async def test_a_process_of_hourbook_killed_during_a_load(hourbook: Hourbook, name: str):
    part = next(part for part in hourbook.parts if part.name == name)

    async def kill() -> None:
        assert part.process is not None
        os.kill(part.process.pid, signal.SIGKILL)
        await asyncio.to_thread(part.process.wait)
        hourbook.revive(print)

    await survive(hourbook, kill)


@pytest.mark.parametrize("title", ["PostgreSQL", "NATS"])
async def test_a_server_killed_during_a_load(hourbook: Hourbook, title: str):
    server = next(server for server in hourbook.servers if title.lower() in server.title.lower())

    async def kill() -> None:
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

    await survive(hourbook, kill)


async def survive(hourbook: Hourbook, kill) -> None:
    load = Load([hourbook.url], TASKS)
    await load.run(disturb=kill)
    await load.check(hourbook.url)


async def test_commands_go_on_without_nats_and_wait_for_postgresql(hourbook: Hourbook):
    load = Load([hourbook.url], 40)
    await load.run()
    postgres, nats = hourbook.servers
    await asyncio.to_thread(nats.kill)
    onward = Load([hourbook.url], 80)
    await onward.run()
    await onward.check(hourbook.url)

    await asyncio.to_thread(postgres.kill)
    async with httpx.AsyncClient(base_url=hourbook.url, timeout=10, trust_env=False) as client:
        key = {"Idempotency-Key": "s"}
        refused = await client.post("/v1/accounts/acc-0/suspension", json={"reason": "долг"}, headers=key)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        assert refused.json()["type"].endswith("ledger-unavailable")
        hourbook.revive(print)
        last = Load([hourbook.url], 120)
        await last.run()
        await last.check(hourbook.url)


async def test_a_deleted_stream_is_filled_again_and_projections_are_unharmed(hourbook: Hourbook):
    async def delete_stream() -> None:
        connection = await nats.connect(hourbook.servers[1].url)
        await connection.jetstream().delete_stream(STREAM)
        await connection.close()

    load = Load([hourbook.url], TASKS)
    await load.run(disturb=delete_stream)
    await load.check(hourbook.url)
    connection = await nats.connect(hourbook.servers[1].url)
    async with httpx.AsyncClient(base_url=hourbook.url, trust_env=False) as client, asyncio.timeout(30):
        logs = await logs_without_gaps(client)
        head = len(logs[log_of("acc-0", len(logs))])
        await caught_up(client, "/v1/accounts/acc-0/balance", head)
        while (await connection.jetstream().stream_info(STREAM)).state.last_seq != head:
            await asyncio.sleep(0.02)
        first = await connection.jetstream().get_msg(STREAM, seq=1)
        assert first.headers["Hourbook-Position"] == "1"
        assert first.headers["ce-type"] == "AccountOpened"
    await connection.close()
