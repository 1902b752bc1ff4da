"""Each command by its own route."""

from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from contracts.envelope import Recorded
from tests.ledger.commands import A_YEAR_AGO, NOW, closing_body
from tests.ledger.several_logs import events_in_all


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


@pytest.fixture
async def account(client: httpx.AsyncClient) -> str:
    """A customer with an account of the test's own; the path to it."""
    account_id = uuid4().hex
    body = {
        "account_id": account_id,
        "customer_name": "ООО «Ока»",
        "contract_number": "7",
        "contract_date": "2026-01-01",
    }
    answer = await client.post("/v1/accounts", json=body, headers=key())
    assert answer.status_code == 201, answer.text
    return f"/v1/accounts/{account_id}"


async def post(client: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None) -> Recorded:
    answer = await client.post(path, json=body, headers=key())
    assert answer.status_code == 201, answer.text
    recorded = Recorded.model_validate_json(answer.content)
    assert answer.headers["Hourbook-Position"] == str(recorded.position)
    return recorded


async def test_every_command_has_a_route(client: httpx.AsyncClient, account: str):
    """One story in which all of them are accepted."""
    month = f"{A_YEAR_AGO:%Y-%m}"
    reason = {"reason": "договорились"}
    payment = {"minutes": 100, "paid_at": NOW.isoformat(), "payment_reference": "п/п 1"}
    purchase = {"package_id": "spring", "plan": "hours-20", "purchased_at": NOW.isoformat()}
    story = [
        (f"{account}/tasks/T-1/close", closing_body(worked=600), ["TaskClosed"], -600),
        (f"{account}/suspension", reason, ["WorkSuspended"], -600),
        (f"{account}/debt-payments", payment, ["DebtPaid"], -500),
        (f"{account}/packages", purchase, ["PackagePurchased", "DebtSettled", "WorkResumed"], 700),
        (f"{account}/tasks/T-1/reopen", reason, ["TaskReopened"], 1300),
        (f"{account}/tasks/T-1/close", closing_body(worked=20), ["TaskClosed"], 1280),
        (f"{account}/tasks/T-1/warranty", reason, ["WarrantyMarked"], 1300),
        (f"{account}/months/{month}/close", None, ["MonthClosed"], 1300),
        (f"{account}/months/{month}/reopen", reason, ["MonthReopened"], 1300),
    ]  # fmt: skip
    for path, body, types, balance in story:
        recorded = await post(client, path, body)
        assert [event.type for event in recorded.events] == types, path
        assert recorded.balance.balance_minutes == balance, path


async def test_work_is_resumed_with_the_reason_in_the_query(client: httpx.AsyncClient, account: str):
    await post(client, f"{account}/tasks/T-1/close", closing_body())
    await post(client, f"{account}/suspension", {"reason": "задолженность"})
    answer = await client.delete(f"{account}/suspension", params={"reason": "договорились"}, headers=key())
    assert answer.status_code == 201, answer.text
    assert answer.json()["events"][0]["data"]["reason"] == "договорились"


async def test_a_replayed_key_answers_the_same_bytes_and_says_so(client: httpx.AsyncClient, account: str):
    headers = key()
    first = await client.post(f"{account}/tasks/T-1/close", json=closing_body(), headers=headers)
    again = await client.post(f"{account}/tasks/T-1/close", json=closing_body(), headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Hourbook-Position"] == first.headers["Hourbook-Position"]


async def test_the_single_route_and_the_batch_make_the_same_command(client: httpx.AsyncClient, account: str):
    """A body that was not validated a second time has the same fingerprint as a whole line that was."""
    headers = key()
    body = closing_body() | {"time_entries": [{"start": NOW.isoformat(), "minutes": 10, "performer": "Иванова"}]}
    single = await client.post(f"{account}/tasks/T-1/close", json=body, headers=headers)
    line = {
        "command": "CloseTask", "account_id": account.rpartition("/")[2], "task_id": "T-1", **body,
        "idempotency_key": headers["Idempotency-Key"],
    }  # fmt: skip
    batch = (await client.post("/v1/commands", content=orjson.dumps(line))).json()
    assert (batch.pop("line"), batch.pop("status"), batch.pop("replayed")) == (1, 201, True)
    assert batch == single.json()


async def test_a_dry_run_is_answered_200_and_records_nothing(client: httpx.AsyncClient, account: str):
    headers = key()
    path = f"{account}/tasks/T-1/close"
    dry = await client.post(path, params={"dry_run": True}, json=closing_body(), headers=headers)
    assert dry.status_code == 200
    assert dry.json()["balance"]["owed_minutes"] == 10
    assert dry.json()["position"] is None
    assert "Hourbook-Position" not in dry.headers
    wet = await client.post(path, json=closing_body(), headers=headers)
    assert (wet.status_code, "Idempotency-Replayed" in wet.headers) == (201, False)
    refused = await client.post(path, params={"dry_run": True}, json=closing_body(), headers=key())
    assert refused.json()["type"].endswith("task-already-closed")


async def test_refusals_are_problems_with_the_status_of_their_slug(client: httpx.AsyncClient, account: str):
    reason = {"reason": "x"}
    future = {"package_id": "p", "plan": "hours-20", "purchased_at": "2190-01-01T00:00:00Z"}
    for path, body, status, slug, field in (
        ("/v1/accounts/nobody/suspension", reason, 404, "account-not-found", "account_id"),
        (f"{account}/suspension", reason, 409, "balance-not-negative", "account_id"),
        (f"{account}/packages", future, 422, "effective-in-future", "purchased_at"),
        (f"{account}/tasks/T-1/close", closing_body(worked=7), 422, "worked-time-not-in-quantum", "worked_minutes"),
    ):
        answer = await client.post(path, json=body, headers=key())
        problem = answer.json()
        assert (answer.status_code, problem["status"]) == (status, status), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["type"] == f"urn:hourbook:problem:{slug}"
        assert problem["fields"][0]["field"] == field
        assert problem["fields"][0]["remedy"] in problem["detail"]


async def test_a_key_used_with_another_command_is_refused(client: httpx.AsyncClient, account: str):
    headers = key()
    await client.post(f"{account}/tasks/T-1/close", json=closing_body(), headers=headers)
    answer = await client.post(f"{account}/tasks/T-2/close", json=closing_body(), headers=headers)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("idempotency-key-reused")


async def test_outside_the_sandbox_there_is_no_test_clock(client: httpx.AsyncClient):
    for answer in (
        await client.get("/v1/test-clock"),
        await client.put("/v1/test-clock", json={"now": NOW.isoformat()}),
    ):
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("not-found")


async def test_health_says_live_and_ready(client: httpx.AsyncClient):
    assert (await client.get("/health/live")).json() == {"status": "live"}
    ready = (await client.get("/health/ready")).json()
    assert (ready["status"], ready["faults"]) == ("ready", [])


async def test_metrics_tell_how_much_was_recorded(client: httpx.AsyncClient, account: str):
    lines = (await client.get("/metrics")).text.splitlines()
    recorded = [float(line.split()[1]) for line in lines if line.startswith("hourbook_ledger_events_total")]
    assert sum(recorded) >= await events_in_all(client) > 0


async def test_the_document_of_the_routes_can_be_made(client: httpx.AsyncClient):
    paths = (await client.get("/openapi.json")).json()["paths"]
    closing = paths["/v1/accounts/{account_id}/tasks/{task_id}/close"]["post"]
    assert {parameter["name"] for parameter in closing["parameters"]} == {
        "account_id", "task_id", "Idempotency-Key", "dry_run",
    }  # fmt: skip
    assert "application/problem+json" in closing["responses"]["422"]["content"]
