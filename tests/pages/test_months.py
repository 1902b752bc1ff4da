"""A month is closed as finance would: from the inbox to documents that are sent and signed, with the keyboard alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest
from playwright.async_api import Browser, Page, expect

from services.billing.sending.sender import run_sender
from services.billing.sending.settings import SendingSettings
from services.billing.settings import Settings
from services.process.settings import read
from services.process.stopping import end
from tests.billing.sending.mail_server import Mailboxes, mail_server
from tests.databases import Databases
from tests.end_to_end.guarded_service import CLOSED_MONTH, FOREIGN, OWN, Guarded, Holder, guarded_service
from tests.end_to_end.joined import at_work
from tests.pages.browser import Manner, look
from tests.pages.people import browser_client, logged_in, sent, shown
from tests.projections.questions import caught_up

TABS_MAX = 150
CALLED = """() => {
    const at = document.activeElement;
    if (!["A", "BUTTON", "INPUT", "SELECT"].includes(at.tagName)) return "";
    return at.getAttribute("aria-label") || (at.labels?.length ? at.labels[0].textContent : at.textContent);
}"""
"""What a person would call the element that has the focus."""
CUSTOMERS = {"birch-01": "ООО «Берёза»", "cedar-01": "ООО «Кедр»"}


class Desk(NamedTuple):
    """Hourbook with two customers whose March is open, a sender, and the mailboxes."""

    guarded: Guarded
    mailboxes: Mailboxes


@pytest.fixture(scope="module")
async def desk(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("months")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_PAGES_FOLDER", str(folder / "pages"))
        patch.setenv("HOURBOOK_MAIL_FROM", "Hourbook <office@seller.example>")
        mailboxes = Mailboxes(folder / "mail")
        async with (
            mail_server(mailboxes) as port,
            databases.empty() as database_url,
            guarded_service(database_url, folder) as guarded,
            at_work(guarded.url),
        ):
            patch.setenv("HOURBOOK_SMTP_URL", f"smtp://localhost:{port}")
            await _fill(guarded)
            async with _sender(guarded, folder):
                yield Desk(guarded, mailboxes)


@asynccontextmanager
async def _sender(guarded: Guarded, folder: Path) -> AsyncIterator[None]:
    key = folder / "owner.key"
    settings = read(Settings, hourbook_url=guarded.url, key_file=key)
    work = asyncio.create_task(run_sender(settings, read(SendingSettings)))
    try:
        yield
    finally:
        await end(work)


async def _fill(guarded: Guarded) -> None:
    at = f"{CLOSED_MONTH}-10T12:00:00+03:00"
    task = {"title": "Настройка", "category": "regular", "worked_minutes": 90, "closed_at": at, "confirmed_at": at}
    async with guarded.client(guarded.owner) as client:
        lines: list[dict[str, Any]] = []
        for account, name in CUSTOMERS.items():
            deeds = [
                {"command": "OpenAccount", "customer_name": name, "contract_number": f"{account}/26",
                 "contract_date": "2026-01-01"},
                {"command": "PurchasePackage", "package_id": "p", "plan": "hours-20",
                 "purchased_at": f"{CLOSED_MONTH}-01T12:00:00Z"},
                {"command": "CloseTask", "task_id": "T-1", "confirmed_by": "Анна", **task},
            ]  # fmt: skip
            lines += [each | {"account_id": account, "idempotency_key": str(n)} for n, each in enumerate(deeds)]
        content = b"\n".join(map(orjson.dumps, lines))
        answer = await client.post("/v1/commands", content=content, headers={"Content-Type": "application/x-ndjson"})
        answers = list(map(orjson.loads, answer.content.splitlines()))
        assert {each["status"] for each in answers} == {201}
        (await caught_up(client, "/v1/projections", answers[-1]["position"])).raise_for_status()
        for account in CUSTOMERS:
            body = {"effective_on": "2026-01-01", "recipients": [{"address": f"buh@{account}.example"}]}
            (await client.put(f"/v1/accounts/{account}/recipients", json=body)).raise_for_status()


async def press(page: Page, name: str) -> None:
    """Go by Tab to what is called so, press Enter, and wait for the page that comes of it."""
    await focus(page, name)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def focus(page: Page, name: str) -> None:
    """Go by Tab to the link, button or field that is called so."""
    for _ in range(TABS_MAX):
        await page.keyboard.press("Tab")
        if " ".join((await page.evaluate(CALLED)).split()).strip("←→ ") == name:
            return
    raise AssertionError(f"nothing called {name} is reached by Tab: {await page.inner_text('main')}")


@pytest.mark.parametrize("script", [True, False])
async def test_a_month_is_closed_and_sent_with_the_keyboard_alone(desk: Desk, browser: Browser, script: bool):
    """The second time, without script: after each month was reopened with a reason, for another act."""
    finance = desk.guarded.keys[Holder("finance", False)]
    async with look(browser, Manner(script=script), desk.guarded.url) as looking:
        page = looking.page
        await page.goto("/login")
        await page.locator("input:focus").wait_for()
        await page.keyboard.type(finance)
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile(r"/$"))
        await press(page, "Месяц")
        while not page.url.split("?")[0].endswith(CLOSED_MONTH):
            await press(page, "Предыдущий месяц")
        if not script:
            for name in CUSTOMERS.values():
                await press(page, name)
                await focus(page, "Причина")
                await page.keyboard.type("пропустили задачу")
                await press(page, "Открыть месяц заново")
                await press(page, "Вернуться к месяцу")

        await press(page, "Закрыть все открытые")
        for name in CUSTOMERS.values():
            await expect(page.get_by_role("listitem").filter(has_text=name)).to_contain_text("будет закрыт: 1,50")
        await press(page, "Записать: закрыть (2)")
        await expect(page.get_by_text("Закрыто: 2.")).to_be_visible()

        for name in CUSTOMERS.values():
            await focus(page, f"Выбрать {name}")
            await page.keyboard.press("Space")
        await press(page, "Отправить выбранные")
        await expect(page.get_by_text("buh@birch-01.example получит: отчёт, акт")).to_be_visible()
        await press(page, "Отправить (2)")
        async with asyncio.timeout(180):
            if script:
                await page.get_by_text("отправлено 2 из 4").wait_for(timeout=150_000)
            while not await page.get_by_text("отправлено 2 из 4").count():
                await page.reload()
        assert not await looking.findings()

        await press(page, CUSTOMERS["birch-01"])
        await focus(page, "День")
        await page.keyboard.type("10042026")
        await press(page, "Отметить")
        await expect(page.get_by_text("подписан", exact=True).first).to_be_visible()
        assert not await looking.findings()

    for account in CUSTOMERS:
        assert len(desk.mailboxes.messages(f"buh@{account}.example")) == (1 if script else 2)


async def test_what_was_sent_is_shown_to_who_may_see_it_alone(desk: Desk):
    (message,) = desk.mailboxes.messages("buh@birch-01.example")[:1]
    content = next(iter(message.iter_attachments())).get_content()
    address = f"/sent-documents/{sha256(content).hexdigest()}"
    async with browser_client(desk.guarded.url) as client:
        for role, status in (("finance", 200), ("reader", 200), ("recorder", 403), ("admin", 403)):
            answer = await shown(
                client, address, await logged_in(desk.guarded.url, desk.guarded.keys[Holder(role, False)])
            )
            assert answer.status_code == status, role
            assert (answer.content == content) == (status == 200)
        scoped = await logged_in(desk.guarded.url, desk.guarded.keys[Holder("finance", True)])
        assert (await shown(client, address, scoped)).status_code == 404


async def test_recipients_are_named_on_their_page_and_what_is_refused_stands_at_its_row(desk: Desk):
    account = next(iter(CUSTOMERS))
    path = f"/customers/{account}/recipients"
    empty = {"address.1": "", "kinds.1": "report", "lang.1": "ru"}
    row = {"kinds.2": ["report", "upd"], "lang.2": "en", "effective_on": "2026-05-01"}
    async with browser_client(desk.guarded.url) as client, desk.guarded.client(desk.guarded.owner) as owner:
        for role, status in (("finance", 200), ("reader", 403)):
            cookie = await logged_in(desk.guarded.url, desk.guarded.keys[Holder(role, False)])
            assert (await shown(client, path, cookie)).status_code == status, role
        client.headers["Cookie"] = await logged_in(desk.guarded.url, desk.guarded.keys[Holder("finance", False)])
        page = await shown(client, path)
        assert f'value="buh@{account}.example"' in page.text
        before = (await owner.get(f"/v1/accounts/{account}/recipients")).json()["lists"]

        refused = await sent(client, page, path, **empty, **row | {"address.2": "бухгалтерия"})
        assert refused.status_code == 422
        assert 'value="бухгалтерия"' in refused.text
        assert 'aria-describedby="wrong-0"' in refused.text
        no_day = await sent(client, page, path, **empty, **row | {"address.2": "b@c.example", "effective_on": ""})
        assert (no_day.status_code, "Действует с: " in no_day.text) == (422, True)
        assert (await owner.get(f"/v1/accounts/{account}/recipients")).json()["lists"] == before

        for _ in "12":
            saved = await sent(client, page, path, **empty, **row | {"address.2": "b@c.example"})
            assert (saved.status_code, saved.headers["Location"]) == (303, f"{path}?saved=1")
        lists = (await owner.get(f"/v1/accounts/{account}/recipients")).json()["lists"]
    assert lists[1:] == before
    assert (lists[0]["effective_on"], lists[0]["recipients"]) == (
        "2026-05-01", [{"address": "b@c.example", "kinds": ["report", "upd"], "lang": "en"}],
    )  # fmt: skip


async def test_a_form_that_is_sent_twice_closes_once_and_nothing_out_of_scope(desk: Desk):
    path = f"/months/{CLOSED_MONTH}"
    async with desk.guarded.client(desk.guarded.owner) as owner, browser_client(desk.guarded.url) as client:
        reopening = {"reason": "ошибка"}
        key = {"Idempotency-Key": "reopened-by-a-test"}
        (await owner.post(f"/v1/accounts/{OWN}{path}/reopen", json=reopening, headers=key)).raise_for_status()
        client.headers["Cookie"] = await logged_in(desk.guarded.url, desk.guarded.keys[Holder("finance", True)])
        page = await shown(client, f"{path}?position={await last_position(owner)}")
        assert "birch-01" not in page.text
        assert FOREIGN not in (await sent(client, page, path, deed="close", account=FOREIGN)).text
        asked = await sent(client, page, path, deed="close", account=OWN)
        for _ in range(2):
            answer = await sent(client, asked, path, deed="close", account=OWN, key=key_in(asked))
            assert answer.status_code == 303, answer.text
        events = await owner.get(f"/v1/accounts/{OWN}/events")
    types = [orjson.loads(line)["type"] for line in events.content.splitlines()]
    assert types[types.index("MonthReopened") :].count("MonthClosed") == 1


async def test_a_month_is_reopened_once_however_often_its_form_comes(desk: Desk):
    """Also after the month was closed again in between, as who goes back in the browser sends it."""
    path = f"/months/{CLOSED_MONTH}/{OWN}"
    async with desk.guarded.client(desk.guarded.owner) as owner, browser_client(desk.guarded.url) as client:
        client.headers["Cookie"] = await logged_in(desk.guarded.url, desk.guarded.keys[Holder("finance", False)])
        page = await shown(client, f"{path}?position={await last_position(owner)}")
        form = {"deed": "reopen", "reason": "пропустили задачу", "key": key_in(page)}
        closing = {"Idempotency-Key": "closed-by-a-test"}
        for _ in range(3):
            answer = await sent(client, page, path, **form)
            assert answer.status_code == 303, answer.text
            close = await owner.post(f"/v1/accounts/{OWN}/months/{CLOSED_MONTH}/close", json={}, headers=closing)
            close.raise_for_status()
        events = await owner.get(f"/v1/accounts/{OWN}/events")
    reasons = [orjson.loads(line)["data"].get("reason") for line in events.content.splitlines()]
    assert reasons.count("пропустили задачу") == 1


async def last_position(owner: httpx.AsyncClient) -> int:
    """How far the account's history goes: a page that names it in its address shows no less."""
    events = await owner.get(f"/v1/accounts/{OWN}/events")
    return int(orjson.loads(events.content.splitlines()[-1])["position"])


def key_in(page: httpx.Response) -> str:
    """The idempotency key of a page's form."""
    found = re.search(r'name="key" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]
