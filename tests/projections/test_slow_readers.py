"""Callers that ask for much and read nothing keep nobody else from an answer: no connection waits for them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from uvicorn.importer import import_from_string

from services.process.problem_responses import ProblemError
from services.projections import read_models, running
from services.projections.read_models import SOON
from services.projections.settings import Settings
from tests.ledger.serving import serving
from tests.projections.questions import caught_up, until_ready
from tests.projections.vocabulary import Log, closed, opened

READERS = running.QUERY_CONNECTIONS + 5
REQUESTS = 60
LINES = 400
PATIENCE_SECONDS_MAX = 60


@pytest.fixture
async def service(settings: Settings, log: Log, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """The service behind a real server, with a long statement."""
    log.record("oka", opened(), *(closed(f"T-{n}", on="2026-03-05", owed=10) for n in range(LINES)))
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HOURBOOK_LEDGER_URL", settings.ledger_url)
    monkeypatch.setenv("HOURBOOK_SANDBOX", "1")
    monkeypatch.delenv("NATS_URL", raising=False)
    async with (
        serving(import_from_string("services.projections.app:create_app")) as url,
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS_MAX, trust_env=False) as client,
    ):
        await until_ready(client)
        yield client


@contextmanager
def reader_that_does_not_read(url: httpx.URL, path: str) -> Iterator[socket.socket]:
    """A client that has sent all its requests."""
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect((url.host, url.port))
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * REQUESTS)
        yield reader


async def answered(reader: socket.socket) -> None:
    """Return once the first answer has begun, so that its reader keeps the service waiting."""
    reader.setblocking(False)
    async with asyncio.timeout(PATIENCE_SECONDS_MAX):
        assert await asyncio.get_running_loop().sock_recv(reader, 1) == b"H"


async def test_a_query_is_answered_beside_readers_that_do_not_read(service: httpx.AsyncClient, log: Log):
    address = f"/v1/accounts/oka/statement?limit={LINES}"
    (await caught_up(service, address, log.position)).raise_for_status()
    with ExitStack() as reading:
        readers = [reading.enter_context(reader_that_does_not_read(service.base_url, address)) for _ in range(READERS)]
        await asyncio.gather(*map(answered, readers))
        for _ in range(READERS):
            assert (await service.get("/v1/accounts/oka/balance")).status_code == 200


async def test_waiting_for_a_connection_has_an_end(
    service: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    async with running.running_projections(settings, worker=False) as projections:
        async with asyncio.timeout(PATIENCE_SECONDS_MAX):
            held = [await projections.connection() for _ in range(running.QUERY_CONNECTIONS)]
            monkeypatch.setattr(read_models, "CONNECTION_SECONDS_MAX", 0.05)
            with pytest.raises(ProblemError) as refused:
                async with projections.snapshot():
                    pass
        for connection in held:
            await projections.pool.release(connection)
    assert refused.value.problem.type.endswith(":projections-unavailable")
    assert refused.value.headers == SOON
