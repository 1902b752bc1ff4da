"""A kept connection answers as a client of httpx does, also when the server closes it or is gone for a while."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.process.kept_connection import KeptConnection

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Server:
    """Answers each question on a connection with the next of its answers; remembers who asked what."""

    def __init__(self, answers: Callable[[int], bytes]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked.append(head.decode())
                answer = self.answers(len(self.asked))
                writer.write(answer)
                if not answer or b"close" in answer:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


class Key(httpx.Auth):
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = "Bearer hk_1"
        yield request


@asynccontextmanager
async def kept(server: Server, seconds_max: float = 30) -> AsyncIterator[KeptConnection]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    connection = KeptConnection(f"http://127.0.0.1:{port}/hourbook", Key(), False, seconds_max)
    try:
        yield connection
    finally:
        connection.close()
        listening.close()
        await listening.wait_closed()


async def test_one_connection_serves_all_questions():
    server = Server(lambda _: OK)
    async with kept(server) as connection:
        for after in (1, 2):
            answer = await connection.get("/v1/log", {"after": after})
            assert answer.raise_for_status().json() == {}
    assert server.connections == 1
    assert [asked.splitlines()[0] for asked in server.asked] == [
        "GET /hourbook/v1/log?after=1 HTTP/1.1",
        "GET /hourbook/v1/log?after=2 HTTP/1.1",
    ]
    assert "authorization: bearer hk_1" in server.asked[0].lower()


@pytest.mark.parametrize(
    "first",
    [
        OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
    ],
)
async def test_every_form_of_an_answer_is_read(first: bytes):
    server = Server(lambda number: first if number == 1 else OK)
    async with kept(server) as connection:
        assert [(await connection.get("/", {})).json() for _ in range(2)] == [{}, {}]


async def test_a_connection_that_the_server_has_closed_is_opened_anew():
    server = Server(lambda number: b"" if number == 2 else OK)
    async with kept(server) as connection:
        assert [(await connection.get("/", {})).json() for _ in range(2)] == [{}, {}]
    assert server.connections == 2


async def test_a_problem_is_an_answer():
    said = json.dumps({"detail": "no"}).encode()
    refused = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: %d\r\n\r\n%s" % (len(said), said)
    async with kept(Server(lambda _: refused)) as connection:
        answer = await connection.get("/", {})
        assert answer.json() == {"detail": "no"}
        with pytest.raises(httpx.HTTPStatusError):
            answer.raise_for_status()


@pytest.mark.parametrize("answer", [b"", b"no HTTP\r\n\r\n"])
async def test_what_is_no_answer_is_an_error_of_the_transport(answer: bytes):
    async with kept(Server(lambda _: answer)) as connection:
        with pytest.raises(httpx.TransportError):
            await connection.get("/", {})


async def test_where_nobody_answers_is_an_error_of_the_transport():
    async with kept(Server(lambda _: OK)) as connection:
        pass
    with pytest.raises(httpx.TransportError):
        await connection.get("/", {})


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one():
    late = asyncio.Event()

    class Slow(Server):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not self.connections:
                self.connections = 1
                await late.wait()
                writer.close()
            else:
                await super().serve(reader, writer)

    server = Slow(lambda _: OK)
    async with kept(server, seconds_max=0.05) as connection:
        with pytest.raises(httpx.ReadTimeout):
            await connection.get("/", {})
        connection._seconds_max = 30
        assert (await connection.get("/", {})).json() == {}
        late.set()
