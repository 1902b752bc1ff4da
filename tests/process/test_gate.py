"""What is looked at before any route, the same on all: names, origins, media types, parameters; and failures."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from contracts.problem_types import CATALOGUE
from services.process.application import furnish
from services.process.health import health_routes
from tests.ledger.serving import serving


class Body(BaseModel):
    """What the route reads."""

    text: str


async def parts(_: Any) -> dict[str, list[str]]:
    """Everything is ready."""
    return {"commands": [], "queries": []}


def create_app() -> FastAPI:
    """A service with a route of each kind; `written` has what was let through."""
    app = FastAPI()
    app.state.written = []

    @app.get("/things")
    async def things(limit: int = 1, tag: str | None = None) -> int:
        return limit

    @app.post("/things")
    async def write(body: Body) -> None:
        app.state.written.append(body.text)

    @app.delete("/things")
    async def remove() -> None:
        app.state.written.append("removed")

    @app.post("/lines")
    async def lines() -> None:
        app.state.written.append("lines")

    @app.get("/failing")
    async def failing() -> None:
        raise ZeroDivisionError("the secret of the house")

    @app.get("/broken")
    async def broken() -> StreamingResponse:
        async def begun() -> AsyncIterator[bytes]:
            yield b"begun"
            raise ZeroDivisionError("the secret of the house")

        return StreamingResponse(begun())

    app.router.routes.extend(health_routes(parts))
    furnish(app, streaming={"/lines": frozenset({b"application/x-ndjson"})})
    return app


@pytest.fixture(scope="module")
def served() -> FastAPI:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_ALLOWED_HOSTS", "hourbook.example, Friend.example")
        return create_app()


@pytest.fixture
def app(served: FastAPI) -> FastAPI:
    """The service, to which nothing has been written yet."""
    served.state.written.clear()
    return served


@pytest.fixture(scope="module")
async def client(served: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(lambda: served) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as opened:
        yield opened


def slug(answer: httpx.Response) -> str:
    """Of a problem that is whole."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert isinstance(problem["fields"], list)
    name = problem["type"].rpartition(":")[2]
    assert (answer.status_code, problem["title"]) == (CATALOGUE[name].status, CATALOGUE[name].title)
    return name


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "127.8.8.8", "[::1]:8000", "hourbook.example", "friend.example:443"],
)
async def test_a_name_of_this_service_is_answered(client: httpx.AsyncClient, host: str):
    assert (await client.get("/things", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "203.0.113.7", "", "[", "::1", "a b", ":80"],
)
@pytest.mark.parametrize("path", ["/things", "/problems", "/openapi.json", "/nowhere"])
async def test_a_name_of_somebody_elses_is_not(client: httpx.AsyncClient, host: str, path: str):
    answer = await client.get(path, headers={"Host": host})
    assert slug(answer) == "unknown-host"
    assert not [name for name in answer.headers if name.startswith("access-control")]


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost@evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("request_", ["POST /things", "DELETE /things", "POST /lines", "POST /nowhere"])
async def test_a_page_of_another_site_writes_nothing(
    client: httpx.AsyncClient, app: FastAPI, headers: dict[str, str], request_: str
):
    method, path = request_.split()
    answer = await client.request(method, path, headers={"Host": "localhost:8000", **headers})
    assert slug(answer) == "foreign-origin"
    assert app.state.written == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://friend.example", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
    ids=str,
)
async def test_a_page_of_this_site_or_of_an_allowed_one_and_a_program_do_write(
    client: httpx.AsyncClient, app: FastAPI, headers: dict[str, str]
):
    answer = await client.post("/things", json={"text": "x"}, headers={"Host": "localhost:8000", **headers})
    assert (answer.status_code, app.state.written) == (200, ["x"])


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        *(
            ("/things", kind)
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; a=b", "", "x")
        ),
        *(("/lines", kind) for kind in ("text/plain", "application/xml", "application/json")),
    ],
)
async def test_a_body_of_another_media_type_is_refused(
    client: httpx.AsyncClient, app: FastAPI, path: str, media_type: str
):
    answer = await client.post(path, content=b'{"text": "x"}', headers={"Content-Type": media_type})
    assert slug(answer) == "unsupported-media-type"
    assert "application/" in answer.json()["detail"]
    assert app.state.written == []


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8", "application/hal+json"])
async def test_json_is_read_however_it_is_written(client: httpx.AsyncClient, media_type: str):
    answer = await client.post("/things", content=b'{"text": "x"}', headers={"Content-Type": media_type})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "request_",
    [
        "GET /things?limt=1",
        "POST /things?reason=x",
        "DELETE /things?reason=",
        "POST /lines?a",
        "GET /health/ready?parts=commands",
        "GET /metrics?x=1",
        "GET /docs?x",
        "GET /?x=1",
        "GET /asyncapi.json?x=1",
        "GET /openapi.json?x=1",
    ],
)
async def test_a_parameter_that_the_route_does_not_know_is_refused(
    client: httpx.AsyncClient, app: FastAPI, request_: str
):
    method, path = request_.split()
    answer = await client.request(method, path)
    assert slug(answer) == "invalid-request"
    assert answer.json()["fields"][0]["field"] in path
    assert app.state.written == []


async def test_a_parameter_given_twice_is_refused(client: httpx.AsyncClient):
    answer = await client.get("/things?limit=1&limit=2")
    assert (slug(answer), answer.json()["fields"][0]["field"]) == ("invalid-request", "limit")


async def test_parts_of_health_are_asked_for_one_by_one(client: httpx.AsyncClient):
    assert (await client.get("/health/ready?part=commands&part=queries")).status_code == 200


async def test_every_method_of_an_address_is_named(client: httpx.AsyncClient):
    answer = await client.put("/things")
    assert (slug(answer), answer.headers["Allow"]) == ("method-not-allowed", "DELETE, GET, POST")


async def test_a_failure_is_a_problem_that_says_nothing_of_its_insides(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
):
    answer = await client.get("/failing")
    assert slug(answer) == "internal-error"
    assert "secret" not in answer.text
    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert answer.json()["instance"] in record.getMessage()
    assert record.exc_info


async def test_an_answer_that_fails_once_it_has_begun_is_cut_off_and_never_ended(client: httpx.AsyncClient):
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/broken")


async def test_there_is_a_page_to_read_about_every_problem(client: httpx.AsyncClient):
    pages: list[dict[str, Any]] = (await client.get("/problems")).json()
    assert {page["type"].rpartition(":")[2] for page in pages} == CATALOGUE.keys()
    for page in pages:
        found = await client.get(f"/problems/{page['type'].rpartition(':')[2]}")
        assert found.json() == page
    assert slug(await client.get("/problems/none")) == "not-found"
