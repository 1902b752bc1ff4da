"""Terms over HTTP: listed, tried, published, refused; by whom, only where the right is there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from services.ledger.settings import terms
from tests.ledger.commands import closing_body

FIRST = terms().versions[0].model_dump(mode="json")
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {"HOURBOOK_SANDBOX": "1"}


@pytest.fixture(scope="module")
async def oka(client: httpx.AsyncClient) -> str:
    """An account that bought a package and closed a task, on 10 March 2026."""
    (await client.put("/v1/test-clock", json={"now": NOW.isoformat()})).raise_for_status()
    lines = [
        {"command": "OpenAccount", "customer_name": "Ока", "contract_number": "7", "contract_date": "2026-01-01"},
        {"command": "PurchasePackage", "package_id": "p", "plan": "hours-20", "purchased_at": NOW.isoformat()},
        {"command": "CloseTask", "task_id": "T-1", **closing_body(worked=60, at=NOW)},
    ]
    sent = [line | {"account_id": "oka", "idempotency_key": str(number)} for number, line in enumerate(lines)]
    answer = await client.post("/v1/commands", content=b"\n".join(map(orjson.dumps, sent)))
    assert {orjson.loads(line)["status"] for line in answer.content.splitlines()} == {201}
    return "oka"


def version(name: str, hours: float = 1, **changed: Any) -> dict[str, Any]:
    return FIRST | {"name": name, "in_force_from": (NOW + timedelta(hours=hours)).isoformat()} | changed


async def names(client: httpx.AsyncClient) -> list[str]:
    return [each["name"] for each in (await client.get("/v1/terms")).json()["versions"]]


async def test_a_dry_run_says_what_it_would_have_changed_by_account_and_publishes_nothing(
    client: httpx.AsyncClient, oka: str
):
    dearer = version("tried", coefficients=FIRST["coefficients"] | {"regular": "2"})
    answer = await client.post("/v1/terms", json=dearer, params={"dry_run": True})
    assert answer.status_code == 200
    (account,) = answer.json()["accounts"]
    assert (account["account_id"], account["charged_minutes"], account["purchased_kopecks"]) == (oka, 60, 0)
    assert "tried" not in await names(client)


async def test_a_version_is_published_listed_and_decided_by_in_its_time(client: httpx.AsyncClient, oka: str):
    published = await client.post("/v1/terms", json=version("new", hours=2, debt_hour_price_kopecks=400_000))
    assert (published.status_code, published.json()["published_by"]) == (201, "local")
    assert (await names(client))[-1] == "new"
    assert (await client.post("/v1/terms", json=published.json()["version"])).json() == published.json()

    (await client.put("/v1/test-clock", json={"now": (NOW + timedelta(hours=2)).isoformat()})).raise_for_status()
    close = {**closing_body(worked=6000, at=NOW), "started_at": (NOW + timedelta(hours=2)).isoformat()}
    close |= {"closed_at": close["started_at"], "confirmed_at": close["started_at"]}
    path = f"/v1/accounts/{oka}/tasks/T-2/close"
    recorded = await client.post(path, json=close, headers={"Idempotency-Key": "close"})
    assert recorded.json()["events"][0]["data"]["terms_version"] == "new"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"in_force_from": NOW.isoformat()}, "in_force_from"),
        ({"in_force_from": "2026-07-01T00:00:00"}, "in_force_from"),
        ({"in_force_from": "2026-07-01"}, "in_force_from"),
        ({"in_force_from": "2450-07-01T00:00:00Z"}, "in_force_from"),
        ({"name": FIRST["name"]}, "name"),
        ({"name": "so и так"}, "name"),
        ({"quantum_minutes": 0}, "quantum_minutes"),
        ({"quantum_minutes": "10"}, "quantum_minutes"),
        ({"debt_hour_price_kopecks": 3190.5}, "debt_hour_price_kopecks"),
        ({"coefficients": FIRST["coefficients"] | {"urgent": 1.5}}, "coefficients.urgent"),
        ({"coefficients": FIRST["coefficients"] | {"urgent": "NaN"}}, "coefficients.urgent"),
        ({"coefficients": FIRST["coefficients"] | {"urgent": "1e1"}}, "coefficients.urgent"),
        ({"plans": {"hours-20": FIRST["plans"]["hours-20"] | {"name": "hours-30"}}}, "body"),
        ({"discount": 1}, "discount"),
    ],
)
@pytest.mark.usefixtures("oka")
async def test_what_does_not_fit_is_refused_with_its_field(client: httpx.AsyncClient, changed: Any, field: str):
    before = await names(client)
    for dry_run in (True, False):
        answer = await client.post("/v1/terms", json=version("x", hours=9000) | changed, params={"dry_run": dry_run})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:hourbook:problem:invalid-request")
        assert field in [each["field"] for each in answer.json()["fields"]]
    assert await names(client) == before
