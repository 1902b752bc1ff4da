"""The ledger service over HTTP, one for the tests of a file."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI

from services.ledger.app import create_api
from tests.ledger.serving import serving
from tests.published import require_declared


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """What the operator sets beside the database."""
    return {}


@pytest.fixture(scope="module")
def application() -> Callable[[], FastAPI]:
    """Which part of the service answers: the API alone, unless a file says otherwise."""
    return create_api


@pytest.fixture(scope="module")
async def url(
    file_database_url: str, environment: dict[str, str], application: Callable[[], FastAPI]
) -> AsyncIterator[str]:
    """Where the service answers."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NATS_URL", "HOURBOOK_SANDBOX", "HOURBOOK_PROJECTIONS_URL"):
            patch.delenv(name, raising=False)
        for name, value in {"DATABASE_URL": file_database_url, **environment}.items():
            patch.setenv(name, value)
        async with serving(application) as address:
            yield address


@pytest.fixture(scope="module")
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service, which answers nothing that its document does not declare."""
    hooks = {"response": [require_declared]}
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, event_hooks=hooks) as opened:
        yield opened
