"""What servers elsewhere may be asked, and where: real servers on loopback, hostile names and redirects."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from services.process.outside import NotAsked, is_public, outside_client
from services.process.serving import listening
from services.process.tls import trusted_at
from tests.end_to_end.certificates import certificate
from tests.ledger.serving import serving

NAME = "outside.example"
SERVICES = Path(__file__).parents[2] / "services"
CLIENT = re.compile(r"httpx\.(?:Async)?Client\((?!\s*(?:\*\*(?:self\.)?_?asking\b|transport=httpx\.ASGITransport\())")
"""A client that is made otherwise than for a Hourbook's own address, or for the application of its own process."""


class Server:
    """A server on loopback, and the names by which it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.redirects_to = ""
        self.url = ""

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 0

    def application(self) -> FastAPI:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST"])
        async def answer(path: str, request: Request) -> Response:
            self.asked.append(request.headers["host"])
            if path.isdecimal():
                return Response(status_code=int(path), headers={"Location": self.redirects_to})
            return Response("asked")

        return app


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    async with serving(made.application) as made.url:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with outside_client() as opened:
        yield opened


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Every name has these addresses, others each time that it is asked for; returns the names that were."""
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in answers[len(asked) - 1]
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "0.0.0.0", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fc00::1", "fd12:3456::1", "fe80::1", "ff02::1", "2001:db8::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:a00:1::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_whole_internet_are_known(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_others_are_asked(address: str):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[fd00::1]", "[::ffff:10.0.0.1]", "0.0.0.0"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_private_address_is_not_asked(client: httpx.AsyncClient, scheme: str, host: str):
    with pytest.raises(NotAsked):
        await client.post(f"{scheme}://{host}/hook")


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f000001", socket.gethostname(), "[::ffff:127.0.0.1]"])
async def test_no_other_name_of_this_machine_is_asked(client: httpx.AsyncClient, server: Server, host: str):
    with pytest.raises((NotAsked, httpx.ConnectError)):
        await client.get(f"https://{host}:{server.port}/")
    assert not server.asked


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
async def test_a_name_that_is_turned_to_a_private_address_is_not_asked(
    client: httpx.AsyncClient, server: Server, monkeypatch: pytest.MonkeyPatch, address: str
):
    resolve(monkeypatch, [address])
    with pytest.raises(NotAsked, match="HOURBOOK_PRIVATE_HOSTS"):
        await client.get(f"https://{NAME}:{server.port}/")
    assert not server.asked


async def test_over_http_this_machine_alone_is_asked(client: httpx.AsyncClient, server: Server):
    for host in ("127.0.0.1", "localhost"):
        assert (await client.get(f"http://{host}:{server.port}/")).text == "asked"
    with pytest.raises(NotAsked, match="over https alone"):
        await client.get("http://1.1.1.1/")


async def test_localhost_that_is_turned_away_from_this_machine_is_not_asked(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    resolve(monkeypatch, ["10.0.0.1"])
    with pytest.raises(NotAsked):
        await client.get("http://localhost/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(client: httpx.AsyncClient, server: Server, status: int):
    other = Server()
    async with serving(other.application) as other.url:
        for target in (f"{other.url}/", f"{server.url}/", "http://169.254.169.254/"):
            server.redirects_to = target
            answer = await client.post(f"{server.url}/{status}", content=b"secret")
            assert answer.status_code == status
    assert not other.asked
    assert len(server.asked) == 3


@asynccontextmanager
async def serving_https(server: Server, folder: Path) -> AsyncIterator[Path]:
    """The same over HTTPS, with a certificate of localhost; yields the file with it."""
    shown, key = certificate(folder)
    taken = listening(0)
    config = uvicorn.Config(server.application(), log_level="error", ssl_certfile=shown, ssl_keyfile=key)
    running_server = uvicorn.Server(config)
    running = asyncio.create_task(running_server.serve([taken]))
    try:
        while not running_server.started:
            await asyncio.sleep(0.005)
        server.url = f"https://localhost:{taken.getsockname()[1]}"
        yield shown
    finally:
        running_server.should_exit = True
        await running


async def test_a_name_is_resolved_once_and_its_certificate_has_to_be_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A name that is at another address by the time of the connection leads nowhere: it is not asked for again."""
    server = Server()
    async with serving_https(server, tmp_path / "tls") as shown:
        monkeypatch.setenv("HOURBOOK_CA_FILE", str(shown))
        monkeypatch.setenv("HOURBOOK_PRIVATE_HOSTS", f"elsewhere, {NAME}")
        asked = resolve(monkeypatch, ["127.0.0.1"], ["127.0.0.1"])
        async with outside_client() as client:
            assert (await client.get(server.url)).text == "asked"
            assert asked == ["localhost"]
            assert server.asked == [f"localhost:{server.port}"]
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                await client.get(f"https://{NAME}:{server.port}/")
            assert asked == ["localhost", NAME]


def test_nothing_else_of_the_program_asks_servers_elsewhere():
    made = {file.name for file in SERVICES.rglob("*.py") if CLIENT.search(file.read_text(encoding="utf-8"))}
    assert made == {"outside.py", "api.py"}  # api.py: of the pages, which are handed how the API is reached


async def test_where_one_address_does_not_answer_the_next_is_asked(
    client: httpx.AsyncClient, server: Server, monkeypatch: pytest.MonkeyPatch
):
    resolve(monkeypatch, ["::1", "10.0.0.1", "127.0.0.1"])
    assert (await client.post(f"http://localhost:{server.port}/", content=b"whole")).text == "asked"


def test_a_client_that_speaks_plain_http_reads_no_authorities():
    """It takes 20 ms and a megabyte, and whoever watches asks every two seconds."""
    context = trusted_at("http://127.0.0.1:8000")
    assert context is trusted_at("http://ledger.internal:8001")
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert not context.get_ca_certs()
