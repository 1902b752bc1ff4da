"""A line for each request behind a closed door, and nothing in it that its caller wrote."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from contracts.access import KeyRequest, Role
from services.access.keys import Credential
from services.access.principals import LOCAL
from services.ledger.access.keys import Keys
from services.ledger.running import running_ledger
from services.ledger.settings import Settings
from tests.ledger.commands import closing_body
from tests.ledger.several_logs import log_with

FIELDS = {
    "time", "method", "route", "principal", "right", "account", "status", "milliseconds", "request_id",
}  # fmt: skip
MADE = Credential.make()
SECRET = str(MADE)
PERSON = "Иван Петров"
OPEN = {"account_id": "oka", "customer_name": PERSON, "contract_number": "7", "contract_date": "2026-01-01"}
SECONDS_MAX = 60


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "requests.log"


@pytest.fixture(scope="module")
def environment(file: Path) -> dict[str, str]:
    return {"HOURBOOK_ACCESS": "closed", "HOURBOOK_REQUEST_LOG_FILE": str(file)}


@pytest.fixture(scope="module")
async def keys(file_database_url: str) -> dict[str, str]:
    """The owner's, and one of a recorder."""
    async with running_ledger(Settings(database_url=file_database_url)) as ledger:
        making = Keys(ledger.access, LOCAL)
        roles = {"owner": frozenset(Role), "recorder": frozenset({Role.RECORDER})}
        return {
            name: (await making.make(KeyRequest(name=PERSON, roles=given))).credential for name, given in roles.items()
        }


@pytest.fixture
async def client(client: httpx.AsyncClient, keys: dict[str, str]) -> httpx.AsyncClient:
    """The service, once it knows the keys."""
    async with asyncio.timeout(SECONDS_MAX):
        while (await client.get("/v1/me", headers=bearer(keys["owner"]))).status_code != 200:
            await asyncio.sleep(0.02)
    return client


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


async def line_of(file: Path, request_id: str) -> dict[str, Any]:
    """The one line of that request, as soon as it is written."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            lines = map(orjson.loads, file.read_bytes().splitlines() if file.exists() else ())
            if found := [line for line in lines if line["request_id"] == request_id]:
                assert len(found) == 1
                return found[0]
            await asyncio.sleep(0.02)


async def test_a_line_says_who_asked_for_what_and_what_came_of_it(
    client: httpx.AsyncClient, keys: dict[str, str], file: Path
):
    headers = bearer(keys["owner"]) | {"Idempotency-Key": "opens"}
    opened = await client.post("/v1/accounts", json=OPEN, headers=headers | {"X-Request-Id": "opening"})
    assert opened.status_code == 201
    line = await line_of(file, "opening")
    assert line.keys() == FIELDS
    assert line["milliseconds"] > 0
    assert {**line, "time": 0, "milliseconds": 0} == {
        "time": 0, "method": "POST", "route": "/v1/accounts", "principal": principal(keys["owner"]), "right": "money",
        "account": "oka", "status": 201, "milliseconds": 0, "request_id": "opening",
    }  # fmt: skip


def principal(credential: str) -> str:
    return f"key-{credential.split('_')[1]}"


@pytest.mark.parametrize(
    ("request_", "as_", "expected"),
    [
        ("GET /v1/log", None, (401, None, "log", None)),
        ("GET /v1/log", "recorder", (403, "recorder", "log", None)),
        ("GET /v1/accounts/oka/events", "owner", (200, "owner", "log", "oka")),
        ("GET /v1/accounts/kama/events", "owner", (404, "owner", "log", "kama")),
        ("GET /v1/accounts/oka/events?x=1", "owner", (422, None, None, None)),
        ("GET /nowhere", "owner", (404, None, None, None)),
        ("PUT /v1/log", "owner", (405, None, None, None)),
        ("GET /health/live", None, (200, None, None, None)),
    ],
)
async def test_whatever_comes_of_a_request_it_has_a_line(
    client: httpx.AsyncClient,
    keys: dict[str, str],
    file: Path,
    request_: str,
    as_: str | None,
    expected: tuple[Any, ...],
):
    method, path = request_.split()
    answer = await client.request(method, path, headers=bearer(keys[as_]) if as_ else {})
    line = await line_of(file, answer.headers["X-Request-Id"])
    status, who, right, account = expected
    assert (line["status"], line["right"], line["account"]) == (status, right, account)
    assert line["principal"] == (principal(keys[who]) if who else None)


async def test_no_line_repeats_a_secret_or_the_name_of_a_person(
    client: httpx.AsyncClient, keys: dict[str, str], file: Path
):
    owner = bearer(keys["owner"])
    close = "/v1/accounts/oka/tasks/T-1/close"
    body = {**closing_body(), "confirmed_by": PERSON}
    asked = [
        ("GET", f"/v1/accounts/{SECRET}/events", owner, None),
        ("GET", f"/v1/accounts/{PERSON}/events", owner, None),
        ("POST", f"/v1/accounts/oka/tasks/{SECRET}/close", owner | {"Idempotency-Key": SECRET}, body),
        ("POST", close, owner | {"Idempotency-Key": PERSON.encode().hex()}, body),
        ("GET", f"/v1/log?{SECRET}={PERSON}", owner, None),
        ("GET", "/v1/me", bearer(SECRET), None),
        ("GET", f"/{SECRET}/{PERSON}", bearer(SECRET), None),
        ("GET", "/v1/me", owner | {"X-Request-Id": SECRET, "User-Agent": SECRET, "Cookie": SECRET}, None),
    ]
    for method, path, headers, sent in asked:
        answer = await client.request(method, path, headers=headers, json=sent)
        await line_of(file, answer.headers["X-Request-Id"])
    text = file.read_text(encoding="utf-8")
    for private in (SECRET, MADE.secret, PERSON, PERSON.encode("unicode_escape").decode(), *keys.values()):
        assert private not in text


async def test_a_request_of_many_commands_says_what_became_of_them(
    client: httpx.AsyncClient, keys: dict[str, str], file: Path
):
    close = {"command": "CloseTask", "task_id": "T-2", "account_id": "oka", "idempotency_key": "T-2", **closing_body()}
    purchase = {
        "command": "PurchasePackage", "account_id": "oka", "package_id": "p", "plan": "hours-20",
        "purchased_at": "2026-03-01T12:00:00Z", "idempotency_key": "buys",
    }  # fmt: skip
    content = b"\n".join(map(orjson.dumps, [close, close, purchase, {"command": PERSON}]))
    headers = bearer(keys["recorder"]) | {"Content-Type": "application/x-ndjson"}
    answer = await client.post("/v1/commands", content=content, headers=headers)
    line = await line_of(file, answer.headers["X-Request-Id"])
    assert (line["status"], line["principal"]) == (200, principal(keys["recorder"]))
    assert line["lines"] == {"accepted": 1, "replayed": 1, "not-allowed": 1, "invalid-request": 1}


async def test_a_stream_has_its_line_when_it_ends(client: httpx.AsyncClient, keys: dict[str, str], file: Path):
    headers = bearer(keys["owner"])
    async with client.stream(
        "GET", "/v1/log", params={"log": log_with("oka"), "follow": "true"}, headers=headers
    ) as answer:
        blocks = answer.aiter_bytes()
        await anext(blocks)
        request_id = answer.headers["X-Request-Id"]
        later = await client.get("/v1/me", headers=headers)
        await line_of(file, later.headers["X-Request-Id"])
        assert request_id not in file.read_text(encoding="utf-8")
    line = await line_of(file, request_id)
    assert (line["route"], line["status"]) == ("/v1/log", 200)
