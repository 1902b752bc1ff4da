"""`kill -9` of any one process during a load loses nothing, doubles nothing, and heals by itself.

All of it happens to one Hourbook, one after another.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import nats
import pytest
from nats.js.errors import NotFoundError

from contracts.placement import log_of
from infra.data_folder import free_port
from services.operating.up import Hourbook, another_service, running
from services.process.logins import nats_file
from tests.conftest import reachable_folder
from tests.reliability.load import Load, caught_up, logs_without_gaps

TASKS = 48


@pytest.fixture(scope="module")
def hourbook() -> Iterator[Hourbook]:
    with reachable_folder() as folder, running(folder, free_port()) as started:
        yield started


@pytest.mark.parametrize("name", ["service", "relay", "expiry", "worker"])
async def test_a_process_of_hourbook_killed_during_a_load(hourbook: Hourbook, name: str):
    part = next(part for part in hourbook.parts if part.name == name)

    async def kill() -> None:
        assert part.process is not None
        os.kill(part.process.pid, signal.SIGKILL)
        await asyncio.to_thread(part.process.wait)
        while part.process.poll() is not None:  # one that dies again and again rests a while
            hourbook.revive(print)
            await asyncio.sleep(0.01)

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


async def test_two_services_share_accounts_without_losing_doubling_or_deadlocking(hourbook: Hourbook):
    with another_service(hourbook, free_port()) as other:
        load = Load([hourbook.url, other], TASKS)
        await load.run()
        await load.check(hourbook.url)
    assert load.turned_away == 0


async def test_commands_go_on_without_nats_and_wait_for_postgresql(hourbook: Hourbook):
    load = Load([hourbook.url], 24)
    await load.run()
    postgres, nats = hourbook.servers
    await asyncio.to_thread(nats.kill)
    onward = Load([hourbook.url], 24)
    await onward.run()
    await onward.check(hourbook.url)

    await asyncio.to_thread(postgres.kill)
    async with httpx.AsyncClient(base_url=hourbook.url, timeout=60, trust_env=False) as client:
        key = {"Idempotency-Key": "s"}
        path = f"/v1/accounts/{load.accounts[0]}/suspension"
        refused = await client.post(path, json={"reason": "долг"}, headers=key)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        assert refused.json()["type"].endswith("ledger-unavailable")
        hourbook.revive(print)
        last = Load([hourbook.url], 24)
        await last.run()
        await last.check(hourbook.url)


async def last_message(connection: nats.NATS, stream: str) -> int | None:
    """The number of a stream's last message; None while there is no stream."""
    try:
        return (await connection.jetstream().stream_info(stream)).state.last_seq
    except NotFoundError:
        return None


async def connected(hourbook: Hourbook, part: str) -> nats.NATS:
    """NATS as a part enters it."""
    logins = Path(hourbook.parts[0].environment["HOURBOOK_LOGINS"])
    return await nats.connect(nats_file(logins, part).read_text().strip(), inbox_prefix=f"_INBOX.{part}")


async def test_a_deleted_stream_is_filled_again_and_projections_are_unharmed(hourbook: Hourbook):
    load = Load([hourbook.url], TASKS)
    account_id = load.accounts[0]
    stream = f"HOURBOOK-{log_of(account_id, int(os.environ.get('HOURBOOK_LOGS', '1')))}"

    async def delete_stream() -> None:
        connection = await connected(hourbook, "keeper")
        await connection.jetstream().delete_stream(stream)
        await connection.close()

    await load.run(disturb=delete_stream)
    await load.check(hourbook.url)
    connection = await connected(hourbook, "relay")
    async with httpx.AsyncClient(base_url=hourbook.url, timeout=60, trust_env=False) as client, asyncio.timeout(60):
        logs = await logs_without_gaps(client)
        head = len(logs[log_of(account_id, len(logs))])
        await caught_up(client, f"/v1/accounts/{account_id}/balance", head)
        while await last_message(connection, stream) != head:
            await asyncio.sleep(0.02)
        first = await connection.jetstream().get_msg(stream, seq=1)
        assert first.headers["Hourbook-Position"] == "1"
        assert first.headers["ce-type"] == "AccountOpened"
    await connection.close()
