"""The test clock: forward only, and answered when everything due by then has been recorded."""

from typing import Any

import httpx
import pytest

from contracts.quantities import parse_instant
from services.ledger.domain.local_time import years_with_transfers


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {"HOURBOOK_SANDBOX": "1"}


async def set_clock(client: httpx.AsyncClient, now: str) -> httpx.Response:
    return await client.put("/v1/test-clock", json={"now": now})


async def send(client: httpx.AsyncClient, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_time_stands_still_between_its_moves_and_what_is_due_is_recorded(client: httpx.AsyncClient):
    assert parse_instant((await client.get("/v1/test-clock")).json()["now"]).year > 2025

    moved = await set_clock(client, "2026-01-10T10:00:00+03:00")
    assert (moved.status_code, moved.json()) == (200, {"now": "2026-01-10T07:00:00Z"})
    opening = {"account_id": "a", "customer_name": "x", "contract_number": "7", "contract_date": "2026-01-01"}
    opened = await send(client, "/v1/accounts", "k1", opening)
    assert opened["events"][0]["recorded_at"] == "2026-01-10T07:00:00Z"
    purchase = {"package_id": "winter", "plan": "hours-20", "purchased_at": "2026-01-10T10:00:00+03:00"}
    assert (await send(client, "/v1/accounts/a/packages", "k2", purchase))["balance"]["balance_minutes"] == 1200

    for late in ("2026-01-10T06:59:59Z", "2020-01-01T00:00:00Z"):
        refused = await set_clock(client, late)
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:hourbook:problem:clock-moves-forward-only")
        assert refused.json()["fields"][0]["field"] == "now"
    assert (await set_clock(client, "2026-01-10T07:00:00Z")).status_code == 200

    await set_clock(client, "2026-04-11T00:00:00+03:00")
    events = (await client.get("/v1/accounts/a/events")).text
    assert events.count('"type":"PackageExpired"') == 1
    assert (await client.get("/v1/test-clock")).json() == {"now": "2026-04-10T21:00:00Z"}
    assert (await client.get("/v1/accounts/a/replay")).json()["balance_minutes"] == 0


async def test_an_instant_that_is_none(client: httpx.AsyncClient):
    for body in ({"now": "soon"}, {"now": "2026-05-01T00:00:00"}, {}, {"now": "2026-05-01T00:00:00Z", "then": 1}):
        answer = await client.put("/v1/test-clock", json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:hourbook:problem:invalid-request")


async def test_a_time_beyond_what_can_be_recorded_is_refused(client: httpx.AsyncClient):
    for now in ("2199-01-01T00:00:00Z", "2000-12-31T23:59:59Z"):
        refused = await set_clock(client, now)
        assert refused.status_code == 422
        assert refused.json()["fields"][0]["field"] == "now"


async def test_health_says_when_the_transfers_of_the_coming_year_are_unknown_and_is_ready(client: httpx.AsyncClient):
    last = max(years_with_transfers())
    await set_clock(client, f"{last - 1}-12-31T00:00:00Z")
    assert (await client.get("/health/ready")).json()["notices"] == []
    await set_clock(client, f"{last}-01-10T00:00:00Z")
    answer = await client.get("/health/details")
    assert answer.status_code == 200
    (notice,) = answer.json()["notices"]
    assert f"no transfers of days off for {last + 1}:" in notice
