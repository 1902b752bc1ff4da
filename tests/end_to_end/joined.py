"""Commands, queries and a worker in the test's own process, behind one real HTTP server, as `up` serves them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from uvicorn.importer import import_from_string

from infra.data_folder import free_port
from services.ledger.running import run_expiry
from services.ledger.settings import Settings as LedgerSettings
from services.process.stopping import end
from services.projections.running import run_worker
from services.projections.settings import Settings
from tests.ledger.serving import serving

READY_SECONDS_MAX = 60


@asynccontextmanager
async def joined_service(database_url: str, audit_key_file: Path) -> AsyncIterator[str]:
    """Its address, once it is ready."""
    async with joined_application(database_url, audit_key_file) as url, at_work(url):
        yield url


@asynccontextmanager
async def joined_application(database_url: str, audit_key_file: Path) -> AsyncIterator[str]:
    """Its address; nothing expires or reaches a read model but while it is `at_work`."""
    port = free_port()
    environment = {
        "DATABASE_URL": database_url,
        "HOURBOOK_LEDGER_URL": f"http://127.0.0.1:{port}",
        "HOURBOOK_PROJECTIONS_URL": f"http://127.0.0.1:{port}",
        "HOURBOOK_URL": f"http://127.0.0.1:{port}",
        "HOURBOOK_AUDIT_KEY_FILE": str(audit_key_file),
        "HOURBOOK_SANDBOX": "1",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NATS_URL", raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        async with serving(import_from_string("services.app:create_app"), port) as url:
            yield url


@asynccontextmanager
async def at_work(url: str) -> AsyncIterator[None]:
    """Expiry and a worker beside the application, once it is ready."""
    work = [asyncio.create_task(run_expiry(LedgerSettings())), asyncio.create_task(run_worker(Settings()))]
    try:
        await _until_ready(url)
        yield
    finally:
        await end(*work)


async def _until_ready(url: str) -> None:
    async with (
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
        asyncio.timeout(READY_SECONDS_MAX),
    ):
        while (await client.get("/health/ready")).status_code != 200:
            await asyncio.sleep(0.01)
