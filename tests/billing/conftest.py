"""Hourbook with billing behind one real HTTP server, its seller complete, and everything that works by itself."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.billing.background import run_billing
from services.billing.settings import Settings
from services.process.stopping import end
from tests.end_to_end.joined import joined_service
from tests.published import require_declared

SELLER = """
[party]
name = "ООО «Синтез»"
inn = "7701234560"
kpp = "770101001"

[party.bank]
name = "ПАО Сбербанк"
bic = "044525225"
account = "40702810500000001234"
correspondent_account = "30101810400000000225"

[[vat]]
mode = "20"
"""


@pytest.fixture(scope="module")
async def joined_url(file_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where the joined service answers."""
    folder = tmp_path_factory.mktemp("billing")
    (folder / "seller.toml").write_text(SELLER, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_SELLER_FILE", str(folder / "seller.toml"))
        patch.setenv("HOURBOOK_LOGS", "1")
        async with joined_service(file_database_url, folder / "audit.pem") as url:
            working = asyncio.create_task(run_billing(Settings()))
            try:
                yield url
            finally:
                await end(working)


@pytest.fixture
async def client(joined_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Refuses answers that the document does not declare."""
    hooks = {"response": [require_declared]}
    async with httpx.AsyncClient(base_url=joined_url, trust_env=False, timeout=60, event_hooks=hooks) as opened:
        yield opened
