"""An application asked without a socket: a streamed answer is no more than a piece ahead of who reads it."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from services.process.in_process import STREAMED, InProcess

PIECES = 1000


class Maker:
    """Makes a long answer, and counts what it has made."""

    def __init__(self) -> None:
        self.made = 0
        self.ended = asyncio.Event()

    async def long(self, _: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            for _ in range(PIECES):
                self.made += 1
                await send({"type": "http.response.body", "body": b"x" * 1024, "more_body": True})
            await send({"type": "http.response.body"})
        finally:
            self.ended.set()

    @staticmethod
    async def broken() -> AsyncIterator[bytes]:
        yield b"begun"
        raise RuntimeError("the disk is full")

    def client(self) -> httpx.AsyncClient:
        async def fails(_: Request) -> Response:
            raise RuntimeError("nothing begins")

        async def breaks(_: Request) -> Response:
            return StreamingResponse(self.broken())

        app = Starlette(routes=[Route("/fails", fails), Route("/broken", breaks), Mount("/long", self.long)])
        return httpx.AsyncClient(transport=InProcess(app, ("127.0.0.1", 1)), base_url="http://localhost")


async def begun(client: httpx.AsyncClient, path: str) -> httpx.Response:
    return await client.send(client.build_request("GET", path, extensions=STREAMED), stream=True)


async def test_an_answer_is_made_as_it_is_read():
    maker = Maker()
    async with maker.client() as client:
        answer = await begun(client, "/long/")
        ahead = []
        async for piece in answer.aiter_raw():
            ahead.append(maker.made * 1024 - answer.num_bytes_downloaded)
            assert len(piece) == 1024
        assert len(ahead) == PIECES
        assert max(ahead) <= 3 * 1024
        await answer.aclose()


async def test_who_stops_reading_ends_the_making():
    maker = Maker()
    async with maker.client() as client:
        answer = await begun(client, "/long/")
        assert await anext(answer.aiter_raw())
        await answer.aclose()
        await asyncio.wait_for(maker.ended.wait(), 60)
    assert maker.made < PIECES


async def test_what_breaks_off_does_not_pass_for_whole():
    async with Maker().client() as client:
        with pytest.raises(RuntimeError, match="the disk is full"):
            await (await begun(client, "/broken")).aread()
        with pytest.raises(RuntimeError, match="nothing begins"):
            await (await begun(client, "/fails")).aread()


async def test_a_refusal_and_an_answer_that_is_not_streamed_are_read_whole():
    async with Maker().client() as client:
        assert ((await begun(client, "/none")).status_code, (await client.get("/long/")).content) == (
            404,
            b"x" * 1024 * PIECES,
        )
        assert (await client.get("/fails")).status_code == 500
