"""Payments by the page: a statement goes in, what is proposed is recorded once, and what is in doubt is decided."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser

from tests.billing.conftest import SELLER
from tests.billing.counterparty import invoiced, opened
from tests.billing.statements import document, statement
from tests.billing.test_payments import naming
from tests.pages.browser import Manner, look
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, form_token, sent, shown


@pytest.fixture(scope="module")
def seller_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A seller whose bank is known."""
    file = tmp_path_factory.mktemp("seller") / "seller.toml"
    file.write_text(SELLER, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_SELLER_FILE", str(file))
        yield file


@pytest.fixture(scope="module")
def counter(seller_file: Path, counter: Counter) -> Counter:
    """The service, with that seller."""
    return counter


@pytest.fixture
async def at_the_page(counter: Counter) -> AsyncIterator[httpx.AsyncClient]:
    """The owner's browser."""
    async with browser_client(counter.url) as client:
        client.headers["Cookie"] = counter.owner
        yield client


async def read(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    token = form_token((await client.get("/payments")).text)
    fields = {"form_token": token, "deed": "read"}
    return await client.post("/payments", data=fields, files={"statement": ("kl_to_1c.txt", content)})


async def test_a_statement_is_read_and_what_it_pays_is_recorded_once(counter: Counter, at_the_page: httpx.AsyncClient):
    async with counter.guarded.client(counter.guarded.owner) as api:
        account_id = await opened(api, "7736207543")
        invoice = await invoiced(api, account_id)
        content = statement(
            document(Номер="1", **naming(invoice)),
            document(Номер="2", НазначениеПлатежа="<b>возврат</b>", ПлательщикИНН=""),
        )
        answer = await read(at_the_page, content)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/payments?read=2.2.2")
        assert (await read(at_the_page, content)).headers["Location"] == "/payments?read=2.2.0"
        assert "Платежи из банка: 2" in (await at_the_page.get("/")).text
        page = await at_the_page.get("/payments?read=2.2.2")
        for expected in (invoice["number"], "20,00", "&lt;b&gt;возврат", "Документов: 2"):
            assert expected in page.text.replace("\N{NO-BREAK SPACE}", " "), expected

        (paid,) = [
            each
            for each in (await api.get("/v1/payments", params={"state": "open"})).json()["payments"]
            if each["proposal"]
        ]
        fields = {"payment": str(paid["payment_id"]), "account": account_id, "invoice": invoice["number"]}
        recorded = await sent(at_the_page, page, "/payments", deed="accept", **fields)
        assert (recorded.status_code, recorded.headers["Location"]) == (303, "/payments")
        again = await sent(at_the_page, page, "/payments", deed="accept", **fields)
        assert (again.status_code, again.headers["Location"]) == (303, "/payments")
        other = await sent(at_the_page, page, "/payments", deed="accept", **fields | {"account": await opened(api)})
        assert other.status_code == 409
        assert "Этот платёж уже записан" in other.text
        events = (await api.get(f"/v1/accounts/{account_id}/events")).text
        assert events.count("PackagePurchased") == 1
        assert account_id in (await at_the_page.get("/payments")).text


async def test_what_is_in_doubt_is_bought_by_hand_or_set_aside(counter: Counter, at_the_page: httpx.AsyncClient):
    async with counter.guarded.client(counter.guarded.owner) as api:
        account_id = await opened(api)
        answer = await read(at_the_page, statement(document(Номер="3", Сумма="500.01"), document(Номер="4")))
        assert answer.status_code == 303
        two = (await api.get("/v1/payments", params={"state": "open", "limit": 2})).json()["payments"]
        last, first = (str(each["payment_id"]) for each in two)
        page = await at_the_page.get("/payments")
        wrong = await sent(at_the_page, page, "/payments", deed="accept", payment=first, account=account_id)
        assert wrong.status_code == 422
        fields = {"account": account_id, "plan": "hours-20", "amount": "50001", "reason": "скидка"}
        taken = await sent(at_the_page, page, "/payments", deed="accept", payment=first, **fields)
        assert taken.status_code == 303, taken.text
        for _ in "12":
            aside = await sent(at_the_page, page, "/payments", deed="aside", payment=last, reason="возврат")
            assert aside.status_code == 303, aside.text
        states = {each["payment_id"]: each["state"] for each in (await api.get("/v1/payments")).json()["payments"]}
        assert (states[int(first)], states[int(last)]) == ("recorded", "set_aside")


@pytest.mark.parametrize(
    "content", [b"", b"x" * (10 << 20), statement(document(Сумма="нет"))], ids=["empty", "long", "sum"]
)
async def test_a_file_that_does_not_fit_says_what_would(at_the_page: httpx.AsyncClient, content: bytes):
    answer = await read(at_the_page, content)
    assert answer.status_code in (413, 422)
    said = ("выгрузите выписку", "Сумма: укажите рубли")
    assert answer.status_code == 413 or any(each in answer.text for each in said), answer.text


@pytest.mark.parametrize("field", ["x", "1" * 30, "-1", ""])
async def test_no_form_makes_the_page_fail(at_the_page: httpx.AsyncClient, field: str):
    page = await at_the_page.get(f"/payments?read={field}.1.1")
    assert page.status_code == 200
    for deed in ("accept", "aside", "read", field):
        answer = await sent(
            at_the_page, page, "/payments", deed=deed, payment=field or "1", minutes=field, amount=field
        )
        assert answer.status_code in (404, 409, 422), answer.text


@pytest.mark.parametrize(
    "manner",
    [Manner(script=False, lang="ru", width=360, dark=False), Manner(script=True, lang="en", width=1280, dark=True)],
    ids=str,
)
async def test_nothing_is_wrong_with_a_full_page(
    counter: Counter, browser: Browser, at_the_page: httpx.AsyncClient, manner: Manner
):
    async with counter.guarded.client(counter.guarded.owner) as api:
        account_id = await opened(api, "7707083893")
        invoice = await invoiced(api, account_id)
        less = document(Номер=f"5{manner.width}", **naming(invoice, "7707083893", Сумма="1.00"))
        whole = document(Номер=f"6{manner.width}", **naming(invoice, "7707083893"))
        assert (await read(at_the_page, statement(less, whole | {"Плательщик1": "Ы" * 250}))).status_code == 303
    async with look(browser, manner, counter.url, counter.owner) as looking:
        answer = await looking.page.goto("/payments")
        assert answer
        assert answer.status == 200
        assert not await looking.findings()


async def test_who_may_not_record_money_sees_no_payments(counter: Counter):
    async with browser_client(counter.url) as client:
        for holder, session in counter.sessions.items():
            answer = await shown(client, "/payments", session)
            assert answer.status_code == (200 if holder.role == "finance" and not holder.scoped else 403), holder
