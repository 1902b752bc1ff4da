"""Invoices by the page: what one would say is shown first, it is issued once, and withdrawn with a reason."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from tests.billing.conftest import SELLER
from tests.billing.counterparty import invoiced, opened, owing, post
from tests.pages.browser import Manner, look
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, form_token

KEY = re.compile(r'name="key" value="([^"]+)"')


@pytest.fixture(scope="module")
def seller_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seller whose bank is known."""
    file = tmp_path_factory.mktemp("seller") / "seller.toml"
    file.write_text(SELLER, encoding="utf-8")
    return file


@pytest.fixture(scope="module", autouse=True)
def known_seller(seller_file: Path) -> Any:
    """Before the service starts, for it reads the file then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_SELLER_FILE", str(seller_file))
        yield


@pytest.fixture
async def desk(counter: Counter) -> AsyncIterator[httpx.AsyncClient]:
    """The owner's browser."""
    async with browser_client(counter.url) as client:
        client.headers["Cookie"] = counter.owner
        yield client


@pytest.fixture
async def api(counter: Counter) -> AsyncIterator[httpx.AsyncClient]:
    """The owner's programs."""
    async with counter.guarded.client(counter.guarded.owner) as client:
        yield client


async def listed(api: httpx.AsyncClient, account_id: str) -> list[dict[str, Any]]:
    return (await api.get(f"/v1/accounts/{account_id}/invoices")).json()["invoices"]


async def tried(desk: httpx.AsyncClient, address: str, **fields: str) -> tuple[httpx.Response, dict[str, str]]:
    """The page that says what would be issued, and what its form sends."""
    page = await desk.get(address)
    key = KEY.search(page.text)
    assert key, page.text
    data = {"form_token": form_token(page.text), "key": key[1], **fields}
    return await desk.post(address, data=data | {"step": "try"}), data | {"step": "issue"}


async def test_a_form_that_is_sent_twice_issues_one_invoice(api: httpx.AsyncClient, desk: httpx.AsyncClient):
    account_id = await opened(api, "7736207543")
    fields = {"package.plan": "hours-20", "package.carry_over": "true", "valid_days": "10"}
    said, form = await tried(desk, f"/customers/{account_id}/invoices/package", **fields)
    assert said.status_code == 200, said.text
    assert await listed(api, account_id) == []
    twice = [await desk.post(f"/customers/{account_id}/invoices/package", data=form) for _ in "12"]
    assert [(each.status_code, each.headers["location"]) for each in twice] == [
        (303, f"/customers/{account_id}/invoices")
    ] * 2
    (invoice,) = await listed(api, account_id)
    assert invoice["package"]["carry_over"]
    for address in (f"/customers/{account_id}", f"/customers/{account_id}/invoices"):
        page = (await desk.get(address)).text
        assert f"/customers/{account_id}/documents/invoices/{invoice['number']}.pdf" in page
        assert invoice["package"]["package_id"] in page
    file = await desk.get(f"/customers/{account_id}/documents/invoices/{invoice['number']}.pdf")
    assert (file.status_code, file.content[:5]) == (200, b"%PDF-")


async def test_a_debt_is_invoiced_whole_and_what_exceeds_it_is_refused(api: httpx.AsyncClient, desk: httpx.AsyncClient):
    account_id = await opened(api, "7736207543")
    await owing(api, account_id, 90)
    address = f"/customers/{account_id}/invoices/debt"
    refused, _ = await tried(desk, address, **{"debt.minutes": "91"})
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True), refused.text
    misfit, _ = await tried(desk, address, valid_days="-1")
    assert (misfit.status_code, "Укажите целое число дней." in misfit.text) == (422, True), misfit.text
    said, form = await tried(desk, address)
    assert "Долг 1,50" in said.text
    await desk.post(address, data=form)
    assert [each["debt_minutes"] for each in await listed(api, account_id)] == [90]


async def test_an_invoice_is_withdrawn_with_a_reason_and_twice_is_once(api: httpx.AsyncClient, desk: httpx.AsyncClient):
    account_id = await opened(api, "7736207543")
    number = (await invoiced(api, account_id))["number"]
    address = f"/customers/{account_id}/invoices"
    form = {"form_token": form_token((await desk.get(address)).text), "number": number}
    refused = await desk.post(address, data=form | {"reason": " "})
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True), refused.text
    twice = [await desk.post(address, data=form | {"reason": "не тот <b>пакет</b>"}) for _ in "12"]
    assert [each.status_code for each in twice] == [303, 303]
    (invoice,) = await listed(api, account_id)
    assert [step["state"] for step in invoice["history"]] == ["issued", "withdrawn"]
    page = (await desk.get(address)).text
    assert "не тот &lt;b&gt;пакет&lt;/b&gt;" in page
    assert f'value="{number}"' not in page


async def test_a_paid_invoice_is_not_withdrawn(api: httpx.AsyncClient, desk: httpx.AsyncClient):
    account_id = await opened(api, "7736207543")
    number = (await invoiced(api, account_id))["number"]
    address = f"/customers/{account_id}/invoices"
    form = {"form_token": form_token((await desk.get(address)).text), "number": number, "reason": "поздно"}
    paid = await post(api, f"/v1/accounts/{account_id}/invoices/{number}/payment", {"reason": "наличными"})
    paid.raise_for_status()
    refused = await desk.post(address, data=form)
    assert (refused.status_code, "уже оплачен или отозван" in refused.text) == (409, True), refused.text


async def test_nothing_is_wrong_with_the_pages_of_an_invoice(
    counter: Counter, api: httpx.AsyncClient, browser: Browser
):
    account_id = await opened(api, "7736207543")
    await invoiced(api, account_id)
    for manner in (Manner(lang="ru", width=360), Manner(lang="en", dark=True)):
        async with look(browser, manner, counter.url, counter.owner) as looking:
            for address in (f"/customers/{account_id}", f"/customers/{account_id}/invoices"):
                await looking.page.goto(address)
                assert not await looking.findings(), (manner, address)
            await looking.page.goto(f"/customers/{account_id}/invoices/package")
            await looking.page.fill("[name='package.package_id']", "very-long-name-of-a-package-" + "0" * 36)
            async with looking.page.expect_navigation():
                await looking.page.click("button[name=step]")
            assert "very-long-name" in await looking.page.inner_text("main h2")
            assert not await looking.findings(), manner
