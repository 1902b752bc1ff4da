"""Invoices over HTTP: issued once, numbered without gaps, never changed, and paid by what the ledger records."""

import asyncio
from typing import Any

import httpx
import pytest

from contracts.problems import Problem
from tests.billing.counterparty import BOUGHT_AT, in_state, invoiced, opened, owing, post

pytestmark = pytest.mark.timeout(240)


def slug(answer: httpx.Response) -> str:
    return Problem.model_validate_json(answer.content).slug


async def test_an_invoice_for_a_package_says_plan_price_and_tax_and_records_nothing(client: httpx.AsyncClient):
    account_id = await opened(client, "7736207543")
    invoice = await invoiced(client, account_id, package={"package_id": "spring", "plan": "hours-20"}, valid_days=10)
    assert invoice["total_kopecks"] == 6_380_000
    assert invoice["vat"] == {"mode": "20", "amount_kopecks": 1_063_333}
    assert invoice["lines"][0] | {"title": None} == {
        "task_id": None, "title": None, "minutes": 1200, "hours": "20.00", "hour_price_kopecks": 319_000,
        "amount_kopecks": 6_380_000,
    }  # fmt: skip
    assert invoice["customer"]["inn"] == "7736207543"
    assert invoice["seller_bank"]["bic"] == "044525225"
    assert [step["state"] for step in invoice["history"]] == ["issued"]
    assert (await client.get(f"/v1/accounts/{account_id}/packages")).json()["packages"] == []


async def test_the_price_that_was_agreed_is_the_price(client: httpx.AsyncClient):
    agreed = {"minutes": 601, "price_kopecks": 100_001, "ends_on": "2030-01-31", "reason": "скидка"}
    invoice = await invoiced(client, await opened(client), package={"plan": "hours-20", "agreed": agreed})
    assert (invoice["total_kopecks"], invoice["lines"][0]["minutes"]) == (100_001, 601)
    assert invoice["lines"][0]["hour_price_kopecks"] is None


async def test_an_invoice_is_paid_once_its_package_is_bought_by_whomever(client: httpx.AsyncClient):
    account_id = await opened(client)
    invoice, other = await invoiced(client, account_id), await invoiced(client, account_id)
    bought = {"package_id": invoice["package"]["package_id"], "plan": "hours-20", "purchased_at": BOUGHT_AT}
    event = (await post(client, f"/v1/accounts/{account_id}/packages", bought)).raise_for_status().json()["events"][0]
    paid = await in_state(client, invoice, "paid")
    assert paid["history"][-1]["event_id"] == event["event_id"]
    assert (await client.get(f"/v1/accounts/{account_id}/invoices/{other['number']}")).json()["state"] == "issued"
    for path in ("withdrawal", "payment"):
        refused = await post(
            client, f"/v1/accounts/{account_id}/invoices/{invoice['number']}/{path}", {"reason": "зря"}
        )
        assert (refused.status_code, slug(refused)) == (409, "invoice-not-open")


async def test_of_invoices_for_one_package_those_that_were_withdrawn_are_not_paid(client: httpx.AsyncClient):
    account_id = await opened(client)
    package = {"package_id": "spring", "plan": "hours-20"}
    withdrawn, stands = [await invoiced(client, account_id, package=package) for _ in range(2)]
    path = f"/v1/accounts/{account_id}/invoices/{withdrawn['number']}"
    (await post(client, f"{path}/withdrawal", {"reason": "ошибка"})).raise_for_status()
    bought = {**package, "purchased_at": BOUGHT_AT}
    (await post(client, f"/v1/accounts/{account_id}/packages", bought)).raise_for_status()
    await in_state(client, stands, "paid")
    assert (await client.get(path)).json()["state"] == "withdrawn"


async def test_a_withdrawn_invoice_is_paid_all_the_same_where_its_package_is_bought(client: httpx.AsyncClient):
    account_id = await opened(client)
    invoice = await invoiced(client, account_id)
    path = f"/v1/accounts/{account_id}/invoices/{invoice['number']}"
    (await post(client, f"{path}/withdrawal", {"reason": "ошибка"})).raise_for_status()
    bought = {"package_id": invoice["package"]["package_id"], "plan": "hours-20", "purchased_at": BOUGHT_AT}
    (await post(client, f"/v1/accounts/{account_id}/packages", bought)).raise_for_status()
    paid = await in_state(client, invoice, "paid")
    assert {step["state"] for step in paid["history"]} == {"issued", "withdrawn", "paid"}


async def test_a_debt_is_invoiced_task_by_task_and_paid_by_a_payment_that_names_the_number(client: httpx.AsyncClient):
    account_id = await opened(client)
    await owing(client, account_id, 90)
    await owing(client, account_id, 30)
    invoice = await invoiced(client, account_id, debt={})
    assert [(line["minutes"], line["title"]) for line in invoice["lines"]] == [
        (90, "Печать счетов"),
        (30, "Печать счетов"),
    ]
    assert (invoice["debt_minutes"], invoice["total_kopecks"]) == (120, 638_000)
    number = invoice["number"]
    for minutes, reference in ((60, f"счёт {number}, часть"), (60, f"счёт {number}1")):
        body = {"minutes": minutes, "paid_at": BOUGHT_AT, "payment_reference": reference}
        (await post(client, f"/v1/accounts/{account_id}/debt-payments", body)).raise_for_status()
    await owing(client, account_id, 120)
    whole = {"minutes": 120, "paid_at": BOUGHT_AT, "payment_reference": f"п/п 5, счёт № {number} от 28.11.2026"}
    answer = (await post(client, f"/v1/accounts/{account_id}/debt-payments", whole)).raise_for_status().json()
    paid = await in_state(client, invoice, "paid")
    assert paid["history"][-1]["event_id"] == answer["events"][0]["event_id"]


async def test_what_cannot_be_invoiced_names_the_field_and_uses_up_no_number(client: httpx.AsyncClient):
    account_id = await opened(client)
    first = await invoiced(client, account_id)
    path = f"/v1/accounts/{account_id}/invoices"
    refused: list[tuple[dict[str, Any], int, str]] = [
        ({}, 422, "invalid-request"),
        ({"package": {"plan": "hours-20"}, "debt": {}}, 422, "invalid-request"),
        ({"package": {"plan": "hours-20", "package_id": "compensation-x"}}, 422, "invalid-request"),
        ({"package": {"plan": "hours-20"}, "valid_days": -1}, 422, "invalid-request"),
        ({"package": {"plan": "hours-7"}}, 422, "unknown-plan"),
        ({"debt": {}}, 422, "invalid-request"),
        ({"debt": {"minutes": 60}}, 422, "payment-exceeds-debt"),
    ]
    for body, status, expected in refused:
        answer = await post(client, path, body)
        assert (answer.status_code, slug(answer)) == (status, expected), body
        assert answer.json()["fields"], body
    unknown = await post(client, "/v1/accounts/nobody/invoices", {"package": {"plan": "hours-20"}})
    assert slug(unknown) == "account-not-found"
    dry = await post(client, path, {"package": {"plan": "hours-20"}}, dry_run=True)
    assert (dry.status_code, dry.json()["number"]) == (200, None)
    following = await invoiced(client, account_id)
    assert int(following["number"].partition("-")[2]) == int(first["number"].partition("-")[2]) + 1


async def test_a_key_issues_one_invoice_however_often_and_at_once_it_is_sent(client: httpx.AsyncClient):
    account_id = await opened(client)
    path, body = f"/v1/accounts/{account_id}/invoices", {"package": {"plan": "hours-20"}}
    answers = await asyncio.gather(*(post(client, path, body, "once") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert len((await client.get(path)).json()["invoices"]) == 1
    other = await post(client, path, {"package": {"plan": "hours-30"}}, "once")
    assert slug(other) == "idempotency-key-reused"


async def test_lists_filter_by_state_customer_and_day_and_go_on_by_cursor(client: httpx.AsyncClient):
    account_id = await opened(client)
    made = [await invoiced(client, account_id) for _ in range(3)]
    late = await invoiced(client, account_id, package={"plan": "hours-20"}, valid_days=0)
    withdrawal = f"/v1/accounts/{account_id}/invoices/{made[1]['number']}/withdrawal"
    gone = (await post(client, withdrawal, {"reason": "ошибка"})).raise_for_status().json()
    assert gone["history"][-1]["reason"] == "ошибка"

    async def numbers(**asked: Any) -> list[str]:
        asked = {"account_id": account_id} | asked
        answer = (await client.get("/v1/invoices", params=asked)).raise_for_status()
        return [invoice["number"] for invoice in answer.json()["invoices"]]

    every = [invoice["number"] for invoice in (late, *reversed(made))]
    assert await numbers() == every
    assert await numbers(state="withdrawn") == [made[1]["number"]]
    assert await numbers(issued_from=made[0]["issued_on"], issued_through=made[0]["issued_on"]) == every
    assert await numbers(issued_from="2999-01-01") == []
    page = (await client.get(f"/v1/accounts/{account_id}/invoices", params={"limit": 3})).json()
    rest = await client.get(f"/v1/accounts/{account_id}/invoices", params={"cursor": page["next_cursor"]})
    assert [invoice["number"] for invoice in (*page["invoices"], *rest.json()["invoices"])] == every
    assert (await client.get("/v1/accounts/nobody/invoices")).status_code == 404
    now = (await client.get("/v1/test-clock")).json()["now"]
    tomorrow = f"{int(now[:4]) + 1}{now[4:]}"
    (await client.put("/v1/test-clock", json={"now": tomorrow})).raise_for_status()
    assert late["number"] in await numbers(state="overdue")


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
async def test_a_file_has_the_same_bytes_after_everything(client: httpx.AsyncClient, form: str):
    account_id = await opened(client)
    invoice = await invoiced(client, account_id)
    path = f"/v1/accounts/{account_id}/invoices/{invoice['number']}.{form}"
    first = (await client.get(path)).raise_for_status()
    await post(client, f"/v1/accounts/{account_id}/invoices/{invoice['number']}/withdrawal", {"reason": "ошибка"})
    assert (await client.get(path)).content == first.content
    assert (await client.get(path, params={"lang": "en"})).content != first.content
    assert invoice["number"] in first.headers["content-disposition"]
