"""A customer finds out why a task cost what it cost, with the keyboard alone; the days of the curve move."""

import re

from playwright.async_api import Browser, Page

from contracts.access import Role
from tests.end_to_end.guarded_service import OWN, Holder
from tests.pages.browser import Manner, look
from tests.pages.conftest import Counter
from tests.projections.questions import caught_up

CUSTOMER = Holder(Role.CUSTOMER, True)
TABS_MAX = 80


async def go_by_keyboard(page: Page, text: str) -> None:
    """Move to a link or button with this text, and use it."""
    for _ in range(TABS_MAX):
        await page.keyboard.press("Tab")
        if (await page.evaluate("document.activeElement.innerText") or "").strip() == text:
            async with page.expect_navigation():
                await page.keyboard.press("Enter")
            return
    raise AssertionError(f"no {text!r} within {TABS_MAX} tabs on {page.url}: {await page.inner_text('body')}")


async def test_a_customer_finds_out_why_a_task_cost_what_it_cost(counter: Counter, browser: Browser):
    async with look(browser, Manner(lang="en"), counter.url) as looking:
        page = looking.page
        await page.goto("/customers")
        await page.locator("input:focus").wait_for()
        await page.keyboard.type(counter.guarded.keys[CUSTOMER])
        async with page.expect_navigation(url="**/customers"):
            await page.keyboard.press("Enter")
        await go_by_keyboard(page, "own customer")
        assert "Balance" in await page.inner_text("main")
        await go_by_keyboard(page, "own title")
        said = await page.inner_text("main")
        for reason in ("own-task-3", "coefficient", "15.00\N{NO-BREAK SPACE}h", "Owed", "own person"):
            assert reason in said, reason
        assert not looking.complaints


async def test_a_day_moves_the_curve_with_script_and_without(counter: Counter, browser: Browser):
    session = counter.sessions[CUSTOMER]
    for script in (True, False):
        async with look(browser, Manner(script=script, lang="en"), counter.url, session) as looking:
            page = looking.page
            await page.goto(f"/customers/{OWN}")
            now = await page.inner_text(".figure-line strong")
            await page.fill("#as_of", "2026-03-02")
            if script:
                await page.locator(".figure-line strong", has_text=re.compile(r"20\.00")).wait_for()
                await page.wait_for_url(re.compile("as_of=2026-03-02"))
            else:
                async with page.expect_navigation():
                    await page.get_by_role("button", name="Show").click()
            assert await page.inner_text(".figure-line strong") == "20.00\N{NO-BREAK SPACE}h" != now
            assert not looking.complaints


async def test_who_the_customer_is_stands_by_the_day_from_which_on_it_is_so(counter: Counter, browser: Browser):
    change = {"effective_on": "2026-05-01", "contract_number": "8/26", "customer_requisites": {"inn": "7707083893"}}
    async with counter.guarded.client(counter.guarded.owner) as client:
        answer = await client.put(f"/v1/accounts/{OWN}/customer", json=change, headers={"Idempotency-Key": "by-day"})
        answer.raise_for_status()
        (await caught_up(client, "/v1/projections", answer.json()["position"])).raise_for_status()
    async with look(browser, Manner(lang="en", width=360), counter.url, counter.sessions[CUSTOMER]) as looking:
        await looking.page.goto(f"/customers/{OWN}")
        since, _, at_first = (await looking.page.inner_text("#requisites")).partition("Since the account was opened")
        assert ("8/26" in since, "7707083893" in since, "own-7/26" in since) == (True, True, False), since
        assert ("8/26" in at_first, "7707083893" in at_first, "own-7/26" in at_first) == (False, False, True), at_first
        assert not await looking.findings()


async def test_a_name_that_does_not_break_hides_nothing_beside_it(counter: Counter, browser: Browser):
    """On a phone it is cut into lines, so that what is said of the customer begins on the screen."""
    at = "2026-06-10T12:00:00Z"
    task = {"title": "t", "category": "regular", "worked_minutes": 60, "closed_at": at, "confirmed_at": at}
    name = "Верхневолжскэлектропромстройсервисмонтаж"
    async with counter.guarded.client(counter.guarded.owner) as client:
        opened = {
            "account_id": "unbroken",
            "customer_name": name,
            "contract_number": "1",
            "contract_date": "2026-01-01",
        }
        key = {"Idempotency-Key": "unbroken"}
        (await client.post("/v1/accounts", json=opened, headers=key)).raise_for_status()
        closed = await client.post(
            "/v1/accounts/unbroken/tasks/T-1/close", json=task, headers={"Idempotency-Key": "T-1"}
        )
        (await caught_up(client, "/v1/projections", closed.json()["position"])).raise_for_status()
    async with look(browser, Manner(width=360), counter.url, counter.owner) as looking:
        await looking.page.goto("/")
        beside = looking.page.locator("tr", has_text=name).locator("td").first
        box = await beside.bounding_box()
        assert box
        assert box["x"] < 260
