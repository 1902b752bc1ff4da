"""Whatever a caller sends: a 4xx problem that names field and remedy, nothing recorded, never a 500."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from tests.ledger.commands import NOW, closing_body
from tests.ledger.several_logs import events_in_all

CLOSE = "/v1/accounts/acc/tasks/T-1/close"
PURCHASE = {"package_id": "p", "plan": "hours-20", "purchased_at": NOW.isoformat()}
OPENING = {"account_id": "acc", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
JSON = {"Content-Type": "application/json", "Idempotency-Key": "k"}


@pytest.fixture(scope="module", autouse=True)
async def account(client: httpx.AsyncClient) -> None:
    """One event is in the log, and stays the only one."""
    answer = await client.post("/v1/accounts", json=OPENING, headers={"Idempotency-Key": "opening"})
    assert answer.status_code == 201, answer.text


async def expect(client: httpx.AsyncClient, answer: httpx.Response, slug: str, field: str) -> None:
    """The problem names the field, and the log is as it was."""
    assert answer.headers.get("content-type") == "application/problem+json", answer.text
    problem = answer.json()
    assert 400 <= answer.status_code == problem["status"] < 500
    assert problem["type"] == f"urn:hourbook:problem:{slug}", problem
    assert field in [wrong["field"] for wrong in problem["fields"]], problem
    assert all(wrong["remedy"] for wrong in problem["fields"])
    assert await events_in_all(client) == 1


def closed(**changed: Any) -> bytes:
    return orjson.dumps(closing_body() | changed)


BODIES: dict[str, tuple[bytes, str]] = {
    "malformed JSON": (b'{"title": ', "body"),
    "nothing": (b"", "body"),
    "not an object": (b"[1, 2]", "body"),
    "a number": (b"7", "body"),
    "UTF-16": (orjson.dumps({"title": "x"}).decode().encode("utf-16"), "body"),
    "invalid UTF-8": (b'{"title": "\xff\xfe"}', "body"),
    "deep nesting": (b"[" * 200_000, "body"),
    "a missing field": (orjson.dumps({"title": "x"}), "worked_minutes"),
    "an unknown field": (closed(worked_hours=1), "worked_hours"),
    "an unknown field with a lone surrogate": (b'{"\\ud800": 1}', "body"),
    "an unknown field with a line break": (b'{"a\\nb": 1}', "a\\nb"),
    "an unknown field of great length": (orjson.dumps({"x" * 10_000: 1}), "x" * 300 + "…"),
    "many unknown fields": (orjson.dumps({f"x{n}": n for n in range(20_000)}), "title"),
    "a text for a number": (closed(worked_minutes="10"), "worked_minutes"),
    "a float": (closed(worked_minutes=10.0), "worked_minutes"),
    "a boolean for a number": (closed(worked_minutes=True), "worked_minutes"),
    "an absurd number": (closed(worked_minutes=10**15), "worked_minutes"),
    "a number of many digits": (b'{"worked_minutes": ' + b"9" * 5000 + b"}", "body"),
    "infinity": (b'{"worked_minutes": Infinity}', "worked_minutes"),
    "null": (closed(title=None), "title"),
    "an unknown category": (closed(category="leisure"), "category"),
    "a naive timestamp": (closed(closed_at="2026-03-01T10:00:00"), "closed_at"),
    "a date for a timestamp": (closed(closed_at="2026-03-01"), "closed_at"),
    "a number for a timestamp": (closed(closed_at=1_772_000_000), "closed_at"),
    "a day that is none": (closed(closed_at="2026-02-30T10:00:00Z"), "closed_at"),
    "the year 1": (closed(closed_at="0001-01-01T00:00:00Z"), "closed_at"),
    "the year 9999": (closed(closed_at="9999-12-31T23:59:59Z"), "closed_at"),
    "an absurd offset": (closed(closed_at="2026-03-01T10:00:00+99:99"), "closed_at"),
    "control characters": (closed(title="a\u0000b"), "title"),
    "a line break": (closed(title="a\nb"), "title"),
    "spaces only": (closed(title="   "), "title"),
    "a lone surrogate": (b'{"title": "\\udc00"}', "title"),
    "a text of great length": (closed(title="x" * 2000), "title"),
    "a text for a list": (closed(time_entries="x"), "time_entries"),
    "a bad entry of a list": (closed(time_entries=[{"start": "x"}]), "time_entries.0.start"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_does_not_fit(client: httpx.AsyncClient, name: str):
    body, field = BODIES[name]
    await expect(client, await client.post(CLOSE, content=body, headers=JSON), "invalid-request", field)


async def test_a_body_that_is_not_said_to_be_json(client: httpx.AsyncClient):
    answer = await client.post(CLOSE, content=closed(), headers={"Idempotency-Key": "k"})
    await expect(client, answer, "invalid-request", "body")
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("misfit", "field"),
    [
        ({"inn": "7707083894"}, "customer_requisites.inn"),
        ({"kpp": "1"}, "customer_requisites.kpp"),
        ({"phone": "1"}, "customer_requisites.phone"),
        ("7707083893", "customer_requisites"),
    ],
)
async def test_requisites(client: httpx.AsyncClient, misfit: Any, field: str):
    opening = OPENING | {"account_id": "other", "customer_requisites": misfit}
    answer = await client.post("/v1/accounts", json=opening, headers=JSON)
    await expect(client, answer, "invalid-request", field)


@pytest.mark.parametrize("changed", [{"contract_date": "2026-13-01"}, {"contract_date": 20260101}])
async def test_a_date_that_is_none(client: httpx.AsyncClient, changed: dict[str, Any]):
    answer = await client.post("/v1/accounts", json=OPENING | changed, headers=JSON)
    await expect(client, answer, "invalid-request", "contract_date")


async def test_a_package_id_of_the_ledgers_own(client: httpx.AsyncClient):
    body = PURCHASE | {"package_id": "compensation-T-1-1"}
    answer = await client.post("/v1/accounts/acc/packages", json=body, headers=JSON)
    await expect(client, answer, "invalid-request", "package_id")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/accounts/with space/suspension", "account_id"),
        ("/v1/accounts/счёт/suspension", "account_id"),
        (f"/v1/accounts/{'x' * 65}/suspension", "account_id"),
        ("/v1/accounts/a%00b/suspension", "account_id"),
        ("/v1/accounts/a%0A/suspension", "account_id"),
        ("/v1/accounts/acc/tasks/T.1/reopen", "task_id"),
        ("/v1/accounts/acc/months/2026-13/reopen", "month"),
        ("/v1/accounts/acc/months/march/reopen", "month"),
    ],
)
async def test_an_id_in_the_path_that_is_none(client: httpx.AsyncClient, path: str, field: str):
    await expect(client, await client.post(path, json={"reason": "x"}, headers=JSON), "invalid-request", field)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Idempotency-Key", "")],
        [("Idempotency-Key", "with space")],
        [("Idempotency-Key", "x" * 129)],
        [("Idempotency-Key", "ключ".encode())],
        [("Idempotency-Key", "one"), ("Idempotency-Key", "two")],
    ],
    ids=["absent", "empty", "with a space", "too long", "not ASCII", "twice"],
)
async def test_a_key_that_is_none(client: httpx.AsyncClient, headers: list[tuple[str, Any]]):
    given = [("Content-Type", "application/json"), *headers]
    await expect(
        client, await client.post(CLOSE, content=closed(), headers=given), "invalid-request", "Idempotency-Key"
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [("dryrun=true", "dryrun"), ("dry_run=perhaps", "dry_run"), ("%00=1", "\\x00"), ("%ff=1", "�")],
)
async def test_a_parameter_that_is_unknown_or_does_not_fit(client: httpx.AsyncClient, query: str, field: str):
    answer = await client.post(f"{CLOSE}?{query}", content=closed(), headers=JSON)
    await expect(client, answer, "invalid-request", field)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/log?after=-1", "after"),
        ("/v1/log?after=99999999999999999999999", "after"),
        ("/v1/log?limit=0", "limit"),
        ("/v1/log?limit=many", "limit"),
        ("/v1/log?from=1", "from"),
        ("/v1/accounts/acc/replay?as_of=2026-03-01T00:00:00", "as_of"),
        ("/v1/accounts/acc/replay?known_at=yesterday", "known_at"),
        ("/v1/accounts/acc/replay?known_at=99999999999999999999", "known_at"),
        ("/v1/accounts/acc/replay?at=2026-03-01T00:00:00Z", "at"),
    ],
)
async def test_a_question_that_does_not_fit(client: httpx.AsyncClient, path: str, field: str):
    await expect(client, await client.get(path), "invalid-request", field)


async def test_a_command_without_a_body_refuses_one(client: httpx.AsyncClient):
    path = "/v1/accounts/acc/months/2026-01/close"
    for body, field in ((b'{"a":1}', "a"), (b"{", "body"), (b"[]", "body"), (b"\xff", "body")):
        await expect(client, await client.post(path, content=body, headers=JSON), "invalid-request", field)


@pytest.mark.parametrize(
    "address", ["POST /v1/commands?dryrun=true", "GET /v1/accounts/acc/events?limit=1", "GET /v1/terms?x=1"]
)
async def test_a_parameter_where_there_are_none(client: httpx.AsyncClient, address: str):
    method, _, path = address.partition(" ")
    line = orjson.dumps({**OPENING, "account_id": "other", "command": "OpenAccount", "idempotency_key": "other"})
    answer = await client.request(method, path, content=line)
    await expect(client, answer, "invalid-request", path.partition("?")[2].partition("=")[0])


async def test_a_parameter_given_twice(client: httpx.AsyncClient):
    answer = await client.post(f"{CLOSE}?dry_run=true&dry_run=false", content=closed(), headers=JSON)
    await expect(client, answer, "invalid-request", "dry_run")


async def test_a_body_over_a_mebibyte(client: httpx.AsyncClient):
    answer = await client.post(CLOSE, content=b" " * (1 << 20) + closed(), headers=JSON)
    await expect(client, answer, "body-too-large", "body")
    assert answer.status_code == 413


async def test_a_body_over_a_mebibyte_that_does_not_say_its_length(client: httpx.AsyncClient):
    async def blocks():
        for _ in range(20):
            yield b" " * (1 << 16)

    answer = await client.post(CLOSE, content=blocks(), headers=JSON)
    await expect(client, answer, "body-too-large", "body")
    assert answer.status_code == 413


async def test_a_body_of_a_mebibyte_is_read(client: httpx.AsyncClient):
    body = b" " * ((1 << 20) - 2) + b"{}"
    await expect(client, await client.post(CLOSE, content=body, headers=JSON), "invalid-request", "title")


async def test_an_address_or_method_that_there_is_not(client: httpx.AsyncClient):
    unknown = await client.get("/v1/nowhere")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:hourbook:problem:not-found")
    wrong = await client.get(CLOSE)
    assert (wrong.status_code, wrong.json()["type"]) == (405, "urn:hourbook:problem:method-not-allowed")
    assert wrong.headers["Allow"] == "POST"


async def test_a_length_that_is_no_number(url: str):
    """The HTTP server itself refuses this; it must not bring anything down."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"POST {CLOSE} HTTP/1.1\r\nHost: x\r\nContent-Length: ²\r\n\r\n".encode())
    assert b" 400 " in await reader.readline()
    writer.close()
