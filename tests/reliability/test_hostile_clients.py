"""The crowd of `make campaign-hostile`, smaller: everybody else is answered, and what everybody holds is bounded."""

import asyncio
from pathlib import Path

import asyncpg
import httpx
import pytest

from services.ledger.event_store.store import READERS_MAX
from services.projections.running import QUERY_CONNECTIONS
from tests.end_to_end.joined import joined_service
from tests.reliability.hostile_clients import ANSWER_SECONDS_MAX, balance, close, crowd, prepare

OTHER_CONNECTIONS = 20
"""Of writers, of the worker and its effects, of the expiry, and of this test."""


async def test_commands_and_queries_are_answered_beside_a_crowd(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOURBOOK_LOGS", "1")  # all follow the same
    async with (
        joined_service(database_url, tmp_path / "key.pem") as url,
        httpx.AsyncClient(base_url=url, timeout=ANSWER_SECONDS_MAX, trust_env=False) as client,
    ):
        await prepare(client)
        async with crowd(url, streams=20, followers=60, silent=10) as there:
            for number in range(20):
                last = await close(client, f"beside-{number}")
                await balance(client)
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                while any(b'"position":%d,' % last not in each.end for each in there.followers):
                    await asyncio.sleep(0.01)
                while any(b"alert." not in each.end for each in there.streams):
                    await asyncio.sleep(0.01)
            assert there.lost == 0
            assert await connections(database_url) <= QUERY_CONNECTIONS + 2 * READERS_MAX + OTHER_CONNECTIONS


async def connections(database_url: str) -> int:
    """How many of PostgreSQL's connections are open to this database."""
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    finally:
        await connection.close()
