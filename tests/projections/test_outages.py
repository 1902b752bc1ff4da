"""PostgreSQL or NATS goes away and comes back: queries say so, and everything goes on without a restart."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from contracts.placement import log_of
from infra.embedded import EmbeddedNats, EmbeddedPostgres
from services.projections.settings import Settings
from tests.ledger.lossy_link import LossyLink
from tests.projections.following.log_server import LOGS, serving, stream
from tests.projections.questions import caught_up, client_of, until, until_ready
from tests.projections.vocabulary import Log, closed, opened, purchased


@pytest.fixture
async def postgres(server_folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    """One that may be killed."""
    server = await asyncio.to_thread(EmbeddedPostgres(server_folder / "postgres").start)
    yield server
    await asyncio.to_thread(server.stop)


@pytest.fixture
async def nats(server_folder: Path) -> AsyncIterator[EmbeddedNats]:
    """One that may be killed."""
    server = await asyncio.to_thread(EmbeddedNats(server_folder / "nats").start)
    yield server
    await asyncio.to_thread(server.stop)


async def test_postgresql_and_nats_may_go_and_come_back(log: Log, postgres: EmbeddedPostgres, nats: EmbeddedNats):
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2126-06-02"))
    async with serving(log) as server, stream(nats.url, str(log_of("romashka", LOGS))) as jetstream:
        await jetstream.publish(*log.lines)
        settings = Settings(database_url=postgres.url, nats_url=nats.url, ledger_url=server.url)
        async with client_of(settings) as client:
            assert await balance(client, log) == 1200

            await asyncio.to_thread(postgres.kill)
            await until(lambda: unavailable(client))
            assert (await client.get("/health/ready")).status_code == 503
            log.record("romashka", closed("T-1", on="2026-03-05", draws={"spring": 100}))
            await asyncio.to_thread(postgres.start)
            await until_ready(client)
            assert await balance(client, log) == 1100

            await asyncio.to_thread(nats.kill)
            log.record("romashka", closed("T-2", on="2026-03-05", draws={"spring": 100}))
            assert await balance(client, log) == 1000
            await asyncio.to_thread(nats.start)


async def balance(client: httpx.AsyncClient, log: Log) -> int:
    answer = await caught_up(client, "/v1/accounts/romashka/balance", log.position)
    return answer.raise_for_status().json()["balance_minutes"]


async def unavailable(client: httpx.AsyncClient) -> bool:
    answer = await client.get("/v1/accounts/romashka/balance")
    if answer.status_code == 200:
        return False
    assert answer.status_code == 503
    assert answer.json()["type"].endswith(":projections-unavailable")
    return bool(answer.headers["Retry-After"])


async def test_the_service_starts_though_postgresql_is_away(
    log: Log, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.projections.running.MIGRATION_SECONDS_MAX", 0.1)
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2126-06-02"))
    await asyncio.to_thread(postgres.kill)
    async with serving(log) as server:
        settings = Settings(database_url=postgres.url, nats_url=None, ledger_url=server.url)
        async with client_of(settings) as client:
            assert await unavailable(client)
            await asyncio.to_thread(postgres.start)
            await until_ready(client)
            assert await balance(client, log) == 1200


async def test_queries_and_projections_go_on_within_ten_seconds_after_a_server_fell_silent(
    log: Log, postgres: EmbeddedPostgres
):
    """No reset, no answer, as when a machine fails: every connection is dead, and new ones work."""
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2126-06-02"))
    async with LossyLink.to(postgres.url) as link, serving(log) as server:
        settings = Settings(database_url=link.url, nats_url=None, ledger_url=server.url)
        async with client_of(settings) as client:
            await until_ready(client)
            await asyncio.gather(*(balance(client, log) for _ in range(10)))
            link.swallowing = True
            async with asyncio.timeout(10):
                await until(lambda: unavailable(client))
            link.swallowing = False
            log.record("romashka", closed("T-1", on="2026-03-05", draws={"spring": 100}))
            async with asyncio.timeout(10):
                while (await client.get("/v1/accounts/romashka/balance")).json().get("balance_minutes") != 1100:
                    await asyncio.sleep(0.05)
