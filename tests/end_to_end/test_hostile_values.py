"""Every parameter of every route, as the OpenAPI document has it, with hostile values: a problem, never a failure.

The long form, each parameter with each value, is in `make campaign`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes

import httpx
import pytest

from contracts.problem_types import CATALOGUE
from services.projections import read_models
from tests.end_to_end.joined import joined_service
from tests.ledger.commands import NOW, closing_body

HOSTILE = {
    "nothing": b"",
    "a space": b" ",
    "NUL": b"\0",
    "a line break": b"a\r\nb",
    "no UTF-8": b"\xff\xfe",
    "a lone surrogate": b"\xed\xa0\x80",
    "2^31": b"2147483648",
    "2^63-1": b"9223372036854775807",
    "2^63": b"9223372036854775808",
    "2^64": b"18446744073709551616",
    "many digits": b"9" * 5000,
    "a negative number": b"-1",
    "a fraction": b"1.5",
    "an exponent": b"1e400",
    "not a number": b"NaN",
    "digits of another script": "١٢٣".encode(),
    "a list": b"[1,2]",
    "an object": b'{"a":1}',
    "a long text": b"x" * 10_000,
    "the year 0": b"0000-01-01T00:00:00Z",
    "the year 9999": b"9999-12-31T23:59:59.999999999+23:59",
    "a naive instant": b"2026-03-01T00:00:00",
    "SQL": b"' OR 1=1 --",
}
CURSORS = {
    "cursors of other shapes": b"W10",  # []
    "a cursor of huge numbers": b"WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsMWU0MDAsMV0",
    "a cursor past bigint": b"WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsOTIyMzM3MjAzNjg1NDc3NTgwOCwxXQ",
    "a cursor past integer": b"WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsMSwyMTQ3NDgzNjQ4XQ",
    "a cursor with NUL": b"WzEsIlx1MDAwMCJd",
    "a cursor of an alert past integer": b"WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsImEiLCJkZWJ0IiwyMTQ3NDgzNjQ4XQ",
}
PARTS = 5
"""So many tests share the parameters."""
SHARE = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "campaign" else 3
"""What is read alike on many routes is given all values on one of them, and one of so many on each other."""

SOUND = {
    "account_id": b"acc", "task_id": b"T-1", "package_id": b"P-1", "month": b"2026-01", "file": b"2026-01",
    "slug": b"not-found", "path": b"0/000", "version": b"1", "reason": b"x", "idempotency_key": b"k",
    "position": b"1", "size": b"1", "from": b"1", "to": b"1", "Idempotency-Key": b"k",
}  # fmt: skip
WAITS = {"Hourbook-Min-Position": "projection-behind"}
"""A position that may yet come is waited for, and then it is a 503 that says so."""


class Parameter(NamedTuple):
    """One parameter of one route."""

    method: str
    path: str
    name: str
    place: str
    others: tuple[tuple[str, str], ...]


def parameters(document: dict[str, Any]) -> Iterator[Parameter]:
    """Each of them, with the names and places of the others that the route requires."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            given = [
                (each["name"], each["in"], each.get("required", False)) for each in operation.get("parameters", [])
            ]
            for name, place, _ in given:
                others = tuple((other, at) for other, at, required in given if required and other != name)
                yield Parameter(method, path, name, place, others)


@pytest.fixture(scope="module", autouse=True)
def impatience() -> Iterator[None]:
    """Nothing is recorded any more, so no position that has not come yet will."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_models, "LATE_SECONDS_MAX", 0.01)
        yield


@pytest.fixture(scope="module")
async def client(file_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    key_file: Path = tmp_path_factory.mktemp("audit") / "key.pem"
    async with (
        joined_service(file_database_url, key_file) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        opening = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
        await _record(client, "/v1/accounts", {"account_id": "acc", **opening})
        await _record(client, "/v1/accounts/acc/tasks/T-1/close", closing_body(at=NOW))
        yield client


async def _record(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    (await client.post(path, json=body, headers={"Idempotency-Key": path})).raise_for_status()


def request_of(asked: Parameter, value: bytes, times: int = 1) -> httpx.Request:
    """The request with that value, the other parameters sound; the path as bytes, for no client would send it."""
    given = {(name, place): SOUND.get(name, b"1") for name, place in asked.others}
    given[asked.name, asked.place] = value
    path, query = asked.path.encode(), []
    headers: list[tuple[bytes, bytes]] = []
    for (name, place), each in given.items():
        written = quote_from_bytes(each, safe="").encode()
        if place == "path":
            path = path.replace(b"{%b}" % name.encode(), written or b"%20")
        elif place == "query":
            query += [b"%b=%b" % (name.encode(), written)] * (times if name == asked.name else 1)
        else:
            headers += [(name.encode(), each.replace(b"\r\n", b" ").replace(b"\0", b"").strip())]
    target = path + (b"?" + b"&".join(query) if query else b"")
    body = b"{}" if asked.method in {"post", "put"} else None
    url = httpx.URL(scheme="http", host="127.0.0.1", port=1, raw_path=target)
    return httpx.Request(asked.method, url, headers=[(b"Content-Type", b"application/json"), *headers], content=body)


async def judged(client: httpx.AsyncClient, asked: Parameter, value: bytes, times: int = 1) -> str | None:
    """What is wrong with the answer."""
    request = request_of(asked, value, times)
    request.url = client.base_url.copy_with(raw_path=request.url.raw_path)
    request.headers["Host"] = request.url.netloc.decode()
    try:
        async with asyncio.timeout(60):
            answer = await client.send(request, stream=True)
            if answer.is_success:
                await (answer.aclose() if "stream" in asked.path or asked.name == "follow" else answer.aread())
                return None
            await answer.aread()
    except (httpx.HTTPError, TimeoutError) as failure:
        return f"{request.method} {request.url.raw_path!r} {value[:80]!r}: {failure!r}"
    told = f"{request.method} {request.url.raw_path[:200]!r} {value[:80]!r}: {answer.status_code} {answer.text[:200]}"
    if answer.headers.get("Content-Type") != "application/problem+json":
        return told
    slug = answer.json()["type"].rpartition(":")[2]
    expected = answer.status_code < 500 or WAITS.get(asked.name) == slug
    return None if expected and CATALOGUE[slug].status == answer.status_code else told


def values(asked: Parameter) -> list[bytes]:
    """What it can be given; those that know what a cursor is made of, where there is one."""
    return [*HOSTILE.values(), *(CURSORS.values() if asked.name == "cursor" else ())]


def given(document: dict[str, Any]) -> list[tuple[Parameter, list[bytes]]]:
    """Each parameter with its values: with all, the first of its name; with every third in turn, the others."""
    found: list[tuple[Parameter, list[bytes]]] = []
    known: set[tuple[str, str]] = set()
    for number, each in enumerate(parameters(document)):
        alike = each.name, each.place
        found.append((each, values(each)[number % SHARE :: SHARE] if alike in known else values(each)))
        known.add(alike)
    return found


@pytest.fixture(scope="module")
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    return (await client.get("/openapi.json")).json()


@pytest.mark.parametrize("part", range(PARTS))
async def test_no_value_of_any_parameter_is_a_failure(client: httpx.AsyncClient, document: dict[str, Any], part: int):
    turns = asyncio.Semaphore(16)

    async def in_turn(asked: Parameter, value: bytes, times: int = 1) -> str | None:
        async with turns:
            return await judged(client, asked, value, times)

    every = given(document)[part::PARTS]
    assert len(every) > 10
    asked = [in_turn(each, value) for each, those in every for value in those]
    asked += [in_turn(each, b"1", 2) for each, _ in every if each.place == "query"]
    wrong = [failure for failure in await asyncio.gather(*asked) if failure]
    assert not wrong, "\n".join(wrong[:40])


async def test_every_route_refuses_a_parameter_that_it_does_not_know(
    client: httpx.AsyncClient, document: dict[str, Any]
):
    routes = {(method, path) for path, operations in document["paths"].items() for method in operations}
    for method, path in sorted(routes):
        address = path
        for name, value in SOUND.items():
            address = address.replace(f"{{{name}}}", value.decode())
        answer = await client.request(method, f"{address}?reasn=x")
        assert (answer.status_code, method, path) == (422, method, path)
        assert [wrong["field"] for wrong in answer.json()["fields"]] == ["reasn"]
