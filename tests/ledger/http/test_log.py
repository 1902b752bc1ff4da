"""The log as auditors and projections read it."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from contracts.envelope import RecordedEvent
from services.ledger.http.log_feed import PAGE_EVENTS
from services.process.leaf import Leaf
from tests.ledger.commands import NOW, closing_body
from tests.ledger.several_logs import LOGS, log_with


@pytest.fixture
async def account(client: httpx.AsyncClient) -> str:
    """An account with three closed tasks."""
    account_id = uuid4().hex
    opening = {
        "account_id": account_id,
        "customer_name": "ООО «Ока»",
        "contract_number": "7",
        "contract_date": "2026-01-01",
    }
    await send(client, "/v1/accounts", opening)
    for number in range(3):
        await send(client, f"/v1/accounts/{account_id}/tasks/T-{number}/close", closing_body())
    return account_id


async def send(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> int:
    """The position of what was recorded."""
    answer = await client.post(path, json=body, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.text
    return answer.json()["position"]


async def read(client: httpx.AsyncClient, path: str, **parameters: Any) -> list[RecordedEvent]:
    answer = await client.get(path, params=parameters)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [RecordedEvent.model_validate_json(line) for line in answer.content.splitlines()]


async def test_the_log_is_read_from_any_position_in_order(client: httpx.AsyncClient, account: str):
    log = log_with(account)
    everything = await read(client, "/v1/log", log=log)
    head = len(everything)
    assert [event.position for event in everything] == list(range(1, head + 1))
    assert await read(client, "/v1/log", log=log, after=head - 2) == everything[-2:]
    assert await read(client, "/v1/log", log=log, after=1, limit=2) == everything[1:3]
    assert await read(client, "/v1/log", log=log, after=head) == []
    assert {event.account_id for event in everything[-4:]} == {account}
    answer = await client.get("/v1/log", params={"log": log, "limit": 1})
    assert answer.headers["Hourbook-Position"] == str(head)
    assert answer.headers["Hourbook-Logs"] == str(LOGS)
    keys = await client.get("/v1/audit/keys")
    assert answer.headers["Hourbook-Ledger"] == keys.json()["ledger_id"]


def hash_of_line(log: int, line: bytes) -> str:
    """Worked out from what the line says, its data the bytes that stand there."""
    return Leaf.of_line(log, line).hash(orjson.loads(line)["position"]).hex()


async def test_the_logs_hashes_are_those_of_its_events(client: httpx.AsyncClient, account: str):
    log = log_with(account)
    lines = (await client.get("/v1/log", params={"log": log})).content.splitlines()
    hashes = [hash_of_line(log, line) for line in lines]
    answer = await client.get("/v1/log/hashes", params={"log": log})
    assert answer.json() == {"after": 0, "hashes": hashes}
    assert answer.headers["Hourbook-Ledger"]
    assert answer.headers["Hourbook-Position"] == str(len(lines))
    part = await client.get("/v1/log/hashes", params={"log": log, "after": 1, "limit": 2})
    assert part.json() == {"after": 1, "hashes": hashes[1:3]}
    rest = await client.get("/v1/log/hashes", params={"log": log, "after": 1, "limit": len(lines)})
    assert {answer.headers["Hourbook-Position"] for answer in (part, rest)} == {str(len(lines))}
    end = await client.get("/v1/log/hashes", params={"log": log, "after": len(lines)})
    assert end.json() == {"after": len(lines), "hashes": []}
    for misfit in ({"log": LOGS}, {"after": -1}, {"limit": 0}, {"upto": 3}):
        assert (await client.get("/v1/log/hashes", params=misfit)).status_code in (404, 422)


async def test_a_log_of_several_pages_is_read_whole(client: httpx.AsyncClient, account: str):
    lines = [
        {
            "command": "CloseTask",
            "account_id": account,
            "task_id": f"P-{n}",
            "idempotency_key": uuid4().hex,
            **closing_body(),
        }
        for n in range(PAGE_EVENTS + 1)
    ]
    for first in range(0, len(lines), 500):
        await client.post("/v1/commands", content=b"\n".join(map(orjson.dumps, lines[first : first + 500])))
    log = log_with(account)
    everything = await read(client, "/v1/log", log=log)
    assert [event.position for event in everything] == list(range(1, len(everything) + 1))
    assert len(everything) > PAGE_EVENTS
    assert len(await read(client, "/v1/log", log=log, limit=PAGE_EVENTS + 3)) == PAGE_EVENTS + 3
    assert len(await read(client, f"/v1/accounts/{account}/events")) == PAGE_EVENTS + 5


async def test_a_log_that_there_is_not(client: httpx.AsyncClient):
    answer = await client.get("/v1/log", params={"log": LOGS})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:hourbook:problem:not-found")


async def test_a_follower_gets_new_events_as_they_are_committed(client: httpx.AsyncClient, account: str):
    log = log_with(account)
    after = int((await client.get("/v1/log", params={"log": log, "limit": 1})).headers["Hourbook-Position"])
    asked = {"log": log, "after": after, "follow": True}
    async with asyncio.timeout(60), client.stream("GET", "/v1/log", params=asked) as answer:
        lines = answer.aiter_lines()
        for number in range(3):
            position = await send(client, f"/v1/accounts/{account}/tasks/F-{number}/close", closing_body())
            assert RecordedEvent.model_validate_json(await anext(lines)).position == position
        assert followers()
    async with asyncio.timeout(60):
        await asyncio.gather(*followers(), return_exceptions=True)
    assert not followers()


def followers() -> list[asyncio.Task[Any]]:
    """Tasks that serve a request which is not over; the next one finds them gone."""
    return [task for task in asyncio.all_tasks() if "RequestResponseCycle" in repr(task.get_coro())]


async def test_a_follower_with_a_limit_is_sent_home_after_so_many(client: httpx.AsyncClient, account: str):
    events = await read(client, "/v1/log", log=log_with(account), follow=True, limit=4)
    assert len(events) == 4


async def test_the_events_of_one_account(client: httpx.AsyncClient, account: str):
    events = await read(client, f"/v1/accounts/{account}/events")
    assert [event.version for event in events] == [1, 2, 3, 4]
    assert {event.account_id for event in events} == {account}


@pytest.mark.parametrize("route", ["events", "replay"])
async def test_an_account_that_nobody_opened(client: httpx.AsyncClient, route: str):
    answer = await client.get(f"/v1/accounts/nobody/{route}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:hourbook:problem:account-not-found")


async def test_a_balance_is_folded_from_the_events_alone(client: httpx.AsyncClient, account: str):
    now = (await client.get(f"/v1/accounts/{account}/replay")).json()
    assert (now["balance_minutes"], now["balance_hours"], now["known_at"]) == (-30, "-0.50", None)
    events = await read(client, f"/v1/accounts/{account}/events")
    earlier = (await client.get(f"/v1/accounts/{account}/replay", params={"known_at": events[2].position})).json()
    assert (earlier["balance_minutes"], earlier["position"]) == (-20, events[2].position)
    then = {"as_of": NOW.isoformat(), "known_at": events[1].recorded_at.isoformat()}
    assert (await client.get(f"/v1/accounts/{account}/replay", params=then)).json()["balance_minutes"] == -10


async def test_a_plus_sign_that_nobody_encoded_is_understood(client: httpx.AsyncClient, account: str):
    answer = await client.get(f"/v1/accounts/{account}/replay?as_of=2030-01-01T00:00:00+03:00")
    assert answer.json()["as_of"] == "2029-12-31T21:00:00Z"


async def test_the_terms_are_told_with_all_versions(client: httpx.AsyncClient):
    version = (await client.get("/v1/terms")).json()["versions"][0]
    assert version["plans"]["hours-20"]["price_kopecks"] == 6_380_000
    assert version["coefficients"]["urgent"] == "1.5"
