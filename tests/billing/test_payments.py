"""Payments over HTTP: read once, matched with invoices, recorded once, whatever is sent twice or killed in between."""

import asyncio
from itertools import count
from typing import Any

import httpx
import pytest

from services.billing.database import pool
from services.billing.payments import records
from services.billing.payments.intents import key_of
from tests.billing.counterparty import in_state, invoiced, opened, owing, post
from tests.billing.statements import document, statement, text
from tests.billing.test_invoices import slug

pytestmark = pytest.mark.timeout(240)
_NUMBERS = count(1000)


async def sent(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await client.post("/v1/payments/statement", content=content, headers={"Content-Type": "text/plain"})


async def paid_in(client: httpx.AsyncClient, **given: Any) -> dict[str, Any]:
    """A payment that nobody else has made, as it stands once its statement is read."""
    number = str(next(_NUMBERS))
    answer = (await sent(client, statement(document(**{"Номер": number} | given)))).raise_for_status().json()
    assert answer == {"documents": 1, "incoming": 1, "new": 1}
    newest = (await client.get("/v1/payments", params={"limit": 1})).raise_for_status().json()["payments"][0]
    assert newest["document_number"] == number
    return newest


async def accepted(client: httpx.AsyncClient, payment: dict[str, Any], **body: Any) -> httpx.Response:
    return await client.post(f"/v1/payments/{payment['payment_id']}/acceptance", json=body)


async def packages(client: httpx.AsyncClient, account_id: str) -> list[str]:
    """What the log itself says was bought."""
    lines = (await client.get(f"/v1/accounts/{account_id}/events")).raise_for_status().text.splitlines()
    return [line for line in lines if '"PackagePurchased"' in line]


def naming(invoice: dict[str, Any], inn: str = "7736207543", **given: str) -> dict[str, str]:
    """What a payer writes who pays that invoice."""
    rubles, kopecks = divmod(invoice["total_kopecks"], 100)
    purpose = f"Оплата по счёту № {invoice['number']} от 28.11.2026"
    return {"Сумма": f"{rubles}.{kopecks:02}", "НазначениеПлатежа": purpose, "ПлательщикИНН": inn} | given


async def test_a_payment_that_names_an_invoice_is_proposed_with_a_dry_run_and_recorded_when_accepted(
    client: httpx.AsyncClient,
):
    account_id = await opened(client, "7736207543")
    invoice = await invoiced(client, account_id)
    payment = await paid_in(client, **naming(invoice))
    assert set(payment["candidates"][0]["alike"]) == {"number", "amount", "inn"}
    proposal = payment["proposal"]
    assert (proposal["invoice_number"], proposal["command"]) == (invoice["number"], "PurchasePackage")
    assert proposal["body"]["purchased_at"].startswith("2026-11-02T21:00")
    assert proposal["dry_run"]["balance"]["balance_minutes"] == 1200
    assert await packages(client, account_id) == []

    answer = await accepted(client, payment, account_id=account_id, invoice=invoice["number"])
    assert answer.status_code == 200, answer.text
    recorded = answer.json()
    assert recorded["state"] == "recorded"
    paid = await in_state(client, invoice, "paid")
    assert paid["history"][-1]["event_id"] == recorded["end"]["event_id"]
    again = await accepted(client, payment, account_id=account_id, invoice=invoice["number"])
    assert (again.status_code, slug(again)) == (409, "payment-not-open")
    assert len(await packages(client, account_id)) == 1


async def test_a_debt_is_proposed_and_paid(client: httpx.AsyncClient):
    account_id = await opened(client)
    await owing(client, account_id, 90)
    invoice = await invoiced(client, account_id, debt={})
    payment = await paid_in(client, **naming(invoice, inn=""))
    assert payment["proposal"]["command"] == "PayDebt"
    (await accepted(client, payment, account_id=account_id, invoice=invoice["number"])).raise_for_status()
    await in_state(client, invoice, "paid")


async def test_the_same_statement_and_an_overlapping_one_bring_only_what_is_new(client: httpx.AsyncClient):
    days = [document(Номер=str(next(_NUMBERS))) for _ in range(4)]
    news = [
        (await sent(client, statement(*part))).raise_for_status().json()["new"]
        for part in (days[:3], days[:3], days[1:], [days[0] | {"НазначениеПлатежа": "короче", "Плательщик1": "Ока"}])
    ]
    assert news == [3, 0, 1, 0]
    twice = document(Номер=str(next(_NUMBERS)))
    at_once = await asyncio.gather(*(sent(client, statement(twice, twice)) for _ in range(6)))
    assert sum(answer.raise_for_status().json()["new"] for answer in at_once) == 2


async def test_a_payment_is_recorded_once_however_many_accept_it_for_whatever(client: httpx.AsyncClient):
    accounts = [await opened(client) for _ in range(3)]
    payment = await paid_in(client)
    answers = await asyncio.gather(
        *(
            accepted(client, payment, account_id=account_id, package={"plan": "hours-20"})
            for account_id in accounts
            for _ in range(3)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 8
    assert sum([len(await packages(client, account_id)) for account_id in accounts]) == 1


@pytest.mark.parametrize("was_recorded", [False, True], ids=["before", "after"])
async def test_who_goes_on_after_a_process_was_killed_records_what_was_accepted_once(
    client: httpx.AsyncClient, file_database_url: str, *, was_recorded: bool
):
    """It had said what the payment is for, and was killed before or after the ledger had recorded it."""
    account_id, other = await opened(client), await opened(client)
    payment = await paid_in(client)
    body = {"package_id": f"p-{payment['payment_id']}", "plan": "hours-20", "purchased_at": "2026-11-03T00:00:00+03:00"}
    intent = records.Intent(account_id, None, "PurchasePackage", body)
    async with pool(file_database_url) as connections, connections.acquire() as connection:
        kept = await records.one(connection, payment["payment_id"])
        assert kept
        await records.claim(connection, kept.id, intent, (await connection.fetchval("SELECT now()")), "local")
    if was_recorded:
        (await post(client, f"/v1/accounts/{account_id}/packages", body, key_of(kept))).raise_for_status()
    assert (await client.get(f"/v1/payments/{kept.id}")).json()["state"] == "recording"
    aside = await client.post(f"/v1/payments/{kept.id}/set-aside", json={"reason": "зря"})
    assert slug(aside) == "payment-not-open"
    answer = await accepted(client, payment, account_id=other, package={"plan": "hours-20"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["end"]["account_id"] == account_id
    assert len(await packages(client, account_id)) == 1
    assert await packages(client, other) == []


async def test_what_the_ledger_refuses_is_open_still_and_can_be_accepted_otherwise(
    client: httpx.AsyncClient, file_database_url: str
):
    account_id = await opened(client)
    payment = await paid_in(client)
    intent = records.Intent(account_id, None, "PurchasePackage", {"package_id": "x", "plan": "hours-7"})
    async with pool(file_database_url) as connections, connections.acquire() as connection:
        now = await connection.fetchval("SELECT now()")
        await records.claim(connection, payment["payment_id"], intent, now, "local")
    refused = await accepted(client, payment, account_id=account_id, package={"plan": "hours-20"})
    assert refused.status_code == 422
    (await accepted(client, payment, account_id=account_id, package={"plan": "hours-20"})).raise_for_status()
    assert len(await packages(client, account_id)) == 1


async def test_what_does_not_match_is_for_somebody_to_decide(client: httpx.AsyncClient):
    account_id = await opened(client, "7707083893")
    invoice = await invoiced(client, account_id)
    less = await paid_in(client, **naming(invoice, "7707083893", Сумма="100.00"))
    other = await paid_in(client, **naming(invoice, "7736207543"))
    unnamed = await paid_in(client, **naming(invoice, "7707083893", НазначениеПлатежа="за услуги"))
    nothing = await paid_in(client, НазначениеПлатежа="возврат", ПлательщикИНН="500100732259")
    assert (less["proposal"], set(less["candidates"][0]["alike"])) == (None, {"number", "inn"})
    assert (other["proposal"], set(other["candidates"][0]["alike"])) == (None, {"number", "amount"})
    assert unnamed["proposal"]["invoice_number"] == invoice["number"]
    assert (nothing["proposal"], nothing["candidates"]) == (None, [])
    refused = await accepted(client, less, account_id=account_id, invoice=invoice["number"])
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "invoice")
    second = await invoiced(client, account_id)
    in_doubt = (await client.get(f"/v1/payments/{unnamed['payment_id']}")).json()
    assert in_doubt["proposal"] is None
    assert {each["number"] for each in in_doubt["candidates"]} == {invoice["number"], second["number"]}
    aside = await client.post(f"/v1/payments/{nothing['payment_id']}/set-aside", json={"reason": "не нам"})
    assert (aside.json()["state"], aside.json()["end"]["reason"]) == ("set_aside", "не нам")
    listed = (await client.get("/v1/payments", params={"state": "set_aside"})).json()["payments"]
    assert nothing["payment_id"] in {each["payment_id"] for each in listed}


async def test_by_hand_a_package_costs_what_was_paid(client: httpx.AsyncClient):
    account_id = await opened(client)
    payment = await paid_in(client, Сумма="50000.00")
    for body in ({"package": {"plan": "hours-20"}}, {"debt": {"minutes": 60}}, {}, {"invoice": "2026-99999"}):
        refused = await accepted(client, payment, account_id=account_id, **body)
        assert refused.status_code in (404, 422), refused.text
    agreed = {"price_kopecks": 5_000_000, "reason": "скидка"}
    taken = await accepted(client, payment, account_id=account_id, package={"plan": "hours-20", "agreed": agreed})
    assert taken.status_code == 200, taken.text


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (text(document(Сумма="нет")).encode("cp1251"), 422),
        (text(document(ПолучательСчет="1"), head={}).encode(), 422),
        (b"x" * (9 << 20), 413),
    ],
    ids=["empty", "sum", "head", "too long"],
)
async def test_a_statement_that_does_not_fit_is_refused_as_a_whole(
    client: httpx.AsyncClient, content: bytes, status: int
):
    before = (await client.get("/v1/payments", params={"limit": 1})).json()
    answer = await sent(client, content)
    assert answer.status_code == status, answer.text
    assert answer.json()["fields"][0]["remedy"]
    assert (await client.get("/v1/payments", params={"limit": 1})).json() == before


async def test_pages_go_on_by_cursor(client: httpx.AsyncClient):
    made = [(await paid_in(client))["payment_id"] for _ in range(3)]
    page = (await client.get("/v1/payments", params={"limit": 2})).json()
    rest = (await client.get("/v1/payments", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    ids = [each["payment_id"] for each in (*page["payments"], *rest["payments"])]
    assert ids == list(reversed(made))
    assert (await client.get("/v1/payments/99999999")).status_code == 404
