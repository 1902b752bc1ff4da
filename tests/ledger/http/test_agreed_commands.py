"""Agreed purchases, specifications, plans and changes of the customer over HTTP: routes, dry runs, lines of NDJSON."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from contracts.envelope import Recorded
from contracts.quantities import SELLER_ZONE
from tests.ledger.commands import NOW, closing_body

PLAN = {"title": "Перенос портала", "category": "urgent", "estimated_minutes": 60}
PURCHASE = {"package_id": "p", "plan": "hours-20", "purchased_at": NOW.isoformat()}
TODAY = NOW.astimezone(SELLER_ZONE).date()


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


@pytest.fixture
async def account(client: httpx.AsyncClient) -> str:
    """The path to an account of the test's own."""
    body = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
    account_id = uuid4().hex
    answer = await client.post("/v1/accounts", json=body | {"account_id": account_id}, headers=key())
    assert answer.status_code == 201, answer.text
    return f"/v1/accounts/{account_id}"


async def send(client: httpx.AsyncClient, method: str, path: str, **sent: Any) -> httpx.Response:
    return await client.request(method, path, headers=key(), **sent)


async def done(client: httpx.AsyncClient, method: str, path: str, **sent: Any) -> Recorded:
    answer = await send(client, method, path, **sent)
    assert answer.status_code == 201, answer.text
    return Recorded.model_validate_json(answer.content)


async def slug(client: httpx.AsyncClient, method: str, path: str, **sent: Any) -> tuple[int, str, list[str]]:
    answer = await send(client, method, path, **sent)
    problem = answer.json()
    fields = [field["field"] for field in problem.get("fields", [])]
    return answer.status_code, problem["type"].rpartition(":")[2], fields


async def test_a_purchase_is_agreed(client: httpx.AsyncClient, account: str):
    agreed = {"minutes": 601, "price_kopecks": 0, "ends_on": str(TODAY), "reason": "подарок"}
    bought = await done(client, "POST", f"{account}/packages", json=PURCHASE | {"agreed": agreed})
    assert bought.events[0].schema_version == 3
    assert bought.events[0].data["agreed"] == agreed
    assert (bought.balance.held_minutes, bought.events[0].data["price_kopecks"]) == (601, 0)
    replayed = (await client.get(f"{account}/replay")).json()["lots"]
    assert [lot["agreed"] for lot in replayed] == [agreed]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"agreed": {"reason": "r"}}, "agreed"),
        ({"agreed": {"minutes": 0, "reason": "r"}}, "agreed.minutes"),
        ({"agreed": {"price_kopecks": -1, "reason": "r"}}, "agreed.price_kopecks"),
        ({"agreed": {"ends_on": "soon", "reason": "r"}}, "agreed.ends_on"),
        ({"agreed": {"minutes": 1}}, "agreed.reason"),
        ({"agreed": {"ends_on": str(TODAY - timedelta(days=1)), "reason": "r"}}, "agreed.ends_on"),
        ({"package_id": "compensation-T-1-1"}, "package_id"),
    ],
)
async def test_what_cannot_be_agreed_is_refused_by_route_and_by_line_alike(
    client: httpx.AsyncClient, account: str, changed: dict[str, Any], field: str
):
    assert await slug(client, "POST", f"{account}/packages", json=PURCHASE | changed) == (
        422,
        "invalid-request",
        [field],
    )
    line = {"command": "PurchasePackage", "account_id": account.rpartition("/")[2], "idempotency_key": "line"}
    answer = (await client.post("/v1/commands", content=orjson.dumps(line | PURCHASE | changed))).json()
    assert (answer["status"], [each["field"] for each in answer["fields"]]) == (422, [field])


async def test_a_specification_needs_the_customers_agreement(client: httpx.AsyncClient, account: str):
    path, body = f"{account}/tasks/T-1/close", closing_body() | {"kind": "specification"}
    assert await slug(client, "POST", path, json=body) == (422, "specification-not-agreed", ["package_use_agreed_at"])
    closed = await done(client, "POST", path, json=body | {"package_use_agreed_at": body["closed_at"]})
    assert (closed.events[0].data["kind"], closed.events[0].schema_version) == ("specification", 3)


EVIDENCE = {"source": "bitrix24", "raw_seconds": 3541, "entries": 2, "entries_hash": "5f" * 32, "rounding": "task"}


async def test_the_evidence_of_a_closing_stands_in_its_event(client: httpx.AsyncClient, account: str):
    path, body = f"{account}/tasks/T-1/close", closing_body(worked=60) | {"evidence": EVIDENCE}
    assert (await send(client, "POST", path, json=body, params={"dry_run": True})).status_code == 200
    closed = await done(client, "POST", path, json=body)
    assert closed.events[0].data["evidence"] == EVIDENCE
    changed = {"worked_minutes": 70, "evidence": EVIDENCE | {"raw_seconds": 3601}, "reason": "r"}
    line = {"command": "CorrectTask", "account_id": account.rpartition("/")[2], "task_id": "T-1"}
    answer = await client.post("/v1/commands", content=orjson.dumps(body | line | changed | {"idempotency_key": "n"}))
    corrected = answer.json()["events"][0]
    assert (corrected["data"]["evidence"], corrected["schema_version"]) == (changed["evidence"], 2)
    without = closing_body(worked=60)
    closed = await done(client, "POST", f"{account}/tasks/T-2/close", json=without)
    assert "evidence" not in closed.events[0].data


@pytest.mark.parametrize(
    ("changed", "slug_and_field"),
    [
        ({"raw_seconds": 3601}, ("evidence-does-not-add-up", "evidence")),
        ({"raw_seconds": "3541"}, ("invalid-request", "evidence.raw_seconds")),
        ({"raw_seconds": -1}, ("invalid-request", "evidence.raw_seconds")),
        ({"entries": 0}, ("invalid-request", "evidence.entries")),
        ({"entries_hash": "5F" * 32}, ("invalid-request", "evidence.entries_hash")),
        ({"rounding": "down"}, ("invalid-request", "evidence.rounding")),
        ({"source": "Bitrix 24"}, ("invalid-request", "evidence.source")),
        ({"more": 1}, ("invalid-request", "evidence.more")),
    ],
)
async def test_an_evidence_that_does_not_fit_is_refused(
    client: httpx.AsyncClient, account: str, changed: dict, slug_and_field: tuple[str, str]
):
    body = closing_body(worked=60) | {"evidence": EVIDENCE | changed}
    name, field = slug_and_field
    assert await slug(client, "POST", f"{account}/tasks/T-1/close", json=body) == (422, name, [field])


async def test_a_task_is_planned_and_the_plan_dropped(client: httpx.AsyncClient, account: str):
    path = f"{account}/tasks/T-1/plan"
    assert (await send(client, "PUT", path, json=PLAN, params={"dry_run": True})).status_code == 200
    assert await slug(client, "DELETE", path, params={"reason": "r"}) == (409, "task-not-planned", ["task_id"])
    planned = await done(client, "PUT", path, json=PLAN)
    assert (planned.balance.planned_minutes, planned.balance.available_minutes) == (90, -90)
    assert (await client.get(f"{account}/replay")).json()["planned_minutes"] == 90
    assert await slug(client, "PUT", path, json=PLAN | {"estimated_minutes": 61}) == (
        422,
        "worked-time-not-in-quantum",
        ["estimated_minutes"],
    )
    dropped = await done(client, "DELETE", path, params={"reason": "отложено"})
    assert (dropped.events[0].type, dropped.balance.planned_minutes) == ("PlanDropped", 0)
    await done(client, "POST", f"{account}/tasks/T-1/close", json=closing_body())
    assert await slug(client, "PUT", path, json=PLAN) == (409, "task-already-closed", ["task_id"])


async def test_the_customer_changes(client: httpx.AsyncClient, account: str):
    new = {"effective_on": str(TODAY), "customer_name": "АО «Ока»", "customer_requisites": {"address": "Москва"}}
    changed = await done(client, "PUT", f"{account}/customer", json=new)
    assert (changed.events[0].type, changed.events[0].data["contract_number"]) == ("CustomerChanged", None)
    tomorrow = {"effective_on": str(TODAY + timedelta(days=2)), "contract_number": "8"}
    assert (await slug(client, "PUT", f"{account}/customer", json=tomorrow))[:2] == (422, "effective-in-future")
    assert (await slug(client, "PUT", f"{account}/customer", json={"effective_on": str(TODAY)}))[:2] == (
        422,
        "invalid-request",
    )
    last_month = f"{TODAY.replace(day=1) - timedelta(days=1):%Y-%m}"
    await done(client, "POST", f"{account}/months/{last_month}/close")
    closed = {"effective_on": f"{last_month}-01", "contract_number": "8"}
    assert await slug(client, "PUT", f"{account}/customer", json=closed) == (
        409,
        "month-already-closed",
        ["effective_on"],
    )


async def test_every_new_command_is_a_line_too(client: httpx.AsyncClient, account: str):
    of = {"account_id": account.rpartition("/")[2]}
    lines = [
        {"command": "PurchasePackage", **PURCHASE, "agreed": {"minutes": 7, "reason": "остаток"}},
        {"command": "PlanTask", "task_id": "T-1", **PLAN},
        {"command": "DropPlan", "task_id": "T-1", "reason": "отложено"},
        {"command": "ChangeCustomer", "effective_on": str(TODAY), "contract_number": "8"},
    ]
    body = b"\n".join(orjson.dumps(line | of | {"idempotency_key": f"{n}"}) for n, line in enumerate(lines))
    answers = [orjson.loads(line) for line in (await client.post("/v1/commands", content=body)).content.splitlines()]
    types = [answer["events"][0]["type"] for answer in answers]
    assert types == ["PackagePurchased", "TaskPlanned", "PlanDropped", "CustomerChanged"]
    assert [answer["balance"]["planned_minutes"] for answer in answers] == [0, 90, 0, 0]
