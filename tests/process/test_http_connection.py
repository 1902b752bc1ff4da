"""Heads without end, what is no HTTP, readers that do not read: each costs its sender a connection, and nobody else."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import orjson
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from contracts.problem_types import CATALOGUE
from services.process import http_connection
from services.process.application import furnish
from tests.ledger.serving import serving

BLOCK = b"x" * (64 << 10)
BLOCKS = 1000
GIVEN_UP_SECONDS_MAX = 60


def create_app() -> FastAPI:
    """A service with a long answer and a route that reads; `ended` is set when one is over, `blocks` counts parts."""
    app = FastAPI()
    app.state.begun, app.state.ended = asyncio.Event(), asyncio.Event()
    app.state.blocks = 0

    async def blocks() -> AsyncIterator[bytes]:
        try:
            for _ in range(BLOCKS):
                yield BLOCK
                await asyncio.sleep(0)
                app.state.blocks += 1
        finally:
            app.state.ended.set()

    @app.get("/long")
    async def long() -> StreamingResponse:
        return StreamingResponse(blocks())

    @app.post("/read")
    async def read(request: Request) -> None:
        app.state.begun.set()
        try:
            await request.body()
        finally:
            app.state.ended.set()

    @app.get("/short")
    async def short() -> str:
        return "x"

    furnish(app)
    return app


@pytest.fixture
async def app() -> FastAPI:
    return create_app()


@pytest.fixture
async def port(app: FastAPI) -> AsyncIterator[int]:
    async with serving(lambda: app) as url:
        yield httpx.URL(url).port or 0


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """To the service, for a client that decides itself when it reads."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def answered(port: int, *parts: bytes) -> tuple[int, dict[str, object]] | None:
    """The status and the problem that a request gets; nothing where it was cut off before it had been sent."""
    async with asyncio.timeout(GIVEN_UP_SECONDS_MAX), connection(port) as (reader, writer):
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        except ConnectionError:
            return None
    assert b"application/problem+json" in head, head
    return int(head.split(b" ", 2)[1]), orjson.loads(body)


HEAD = b"GET /short HTTP/1.1\r\nHost: localhost\r\n"
REFUSED = {
    "no HTTP": ("malformed-request", [b"hello\r\n\r\n"]),
    "TLS": ("malformed-request", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]),
    "a NUL in a header": ("malformed-request", [HEAD, b"A: \0\r\n\r\n"]),
    "a raw byte in the address": ("malformed-request", [b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n"]),
    "no address": ("malformed-request", [b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n"]),
    "a length that is no number": ("malformed-request", [HEAD, "Content-Length: ²\r\n\r\n".encode()]),
    "two lengths": ("malformed-request", [HEAD, b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"]),
    "an address of 20 kB": ("uri-too-long", [b"GET /", b"x" * 20_000, b" HTTP/1.1\r\nHost: localhost\r\n\r\n"]),
    "a thousand headers": ("headers-too-large", [HEAD, b"A: b\r\n" * 1000, b"\r\n"]),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_request_is_a_problem_and_closes_its_connection(port: int, name: str):
    slug, parts = REFUSED[name]
    found = await answered(port, b"".join(parts))
    assert found is not None
    status, problem = found
    assert (status, problem["type"]) == (CATALOGUE[slug].status, f"urn:hourbook:problem:{slug}")


BEGUN = [b"GET /", HEAD + b"A: ", HEAD, b"POST /short HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;"]


@pytest.mark.parametrize("begun", BEGUN)
@pytest.mark.parametrize("endless", [b"x" * 100_000, b"a:b\r\n" * 20_000], ids=["text", "headers"])
async def test_a_head_without_end_is_cut_off_long_before_it_is_kept(port: int, begun: bytes, endless: bytes):
    found = await answered(port, begun, *([endless] * 1000))
    assert found is None or 400 <= found[0] < 500


async def test_a_reader_that_does_not_read_is_left(app: FastAPI, port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_connection, "UNREAD_SECONDS_MAX", 0.2)
    async with asyncio.timeout(GIVEN_UP_SECONDS_MAX), connection(port) as (_, writer):
        writer.transport.pause_reading()
        writer.write(b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await app.state.ended.wait()
    assert app.state.blocks < BLOCKS


async def test_a_reader_that_reads_slowly_gets_everything(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_connection, "UNREAD_SECONDS_MAX", 0.2)
    read = 0
    async with asyncio.timeout(GIVEN_UP_SECONDS_MAX), connection(port) as (reader, writer):
        writer.write(b"GET /long HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while part := await reader.read(1 << 20):
            read += len(part)
    assert read > BLOCKS * len(BLOCK)


async def test_a_sender_that_goes_away_is_no_failure(app: FastAPI, port: int, caplog: pytest.LogCaptureFixture):
    async with asyncio.timeout(GIVEN_UP_SECONDS_MAX):
        async with connection(port) as (_, writer):
            writer.write(b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            await app.state.begun.wait()
        await app.state.ended.wait()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
