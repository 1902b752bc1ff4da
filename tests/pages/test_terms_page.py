"""Price lists by the page: seen first, then published, and named where something does not fit."""

import re
from html import unescape

import httpx
from playwright.async_api import Browser

from tests.pages.browser import Manner, follow, look
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, sent

INPUT = re.compile(r'<input (?:type="hidden" )?name="(\w+)"[^>]*? value="([^"]*)"')
NEW = {
    "name": "2040-01",
    "in_force_from": "2040-01-01T00:00",
    "coefficient_urgent": "1,6",
    "plan_0_price_kopecks": "65 000,50",
}


def filled_in(page: httpx.Response) -> dict[str, str]:
    """What the page's form has in its fields."""
    fields = {name: unescape(value) for name, value in INPUT.findall(page.text.split('id="new"')[1])}
    return {name: value for name, value in fields.items() if name != "form_token"}


async def given(counter: Counter, deed: str, **changed: str) -> httpx.Response:
    async with browser_client(counter.url) as client:
        client.headers["Cookie"] = counter.owner
        page = await client.get("/terms")
        assert page.status_code == 200, page.text
        return await sent(client, page, "/terms", **(filled_in(page) | changed), deed=deed)


async def versions(counter: Counter) -> list[dict]:
    async with counter.guarded.client(counter.guarded.owner) as client:
        return (await client.get("/v1/terms")).json()["versions"]


async def test_a_price_list_shows_what_it_would_have_changed_and_is_published_as_it_was_seen(
    counter: Counter, browser: Browser
):
    tried = await given(counter, "try", **NEW)
    assert tried.status_code == 200, tried.text
    assert "Пока ничего не записано" in tried.text or "Ничего: ни одна" in tried.text
    (before,) = await versions(counter)
    for manner in (Manner(lang="en", width=360, dark=True), Manner()):
        async with look(browser, manner, counter.url, counter.owner) as looking:
            await looking.page.goto("/terms")
            await looking.page.fill("[name=name]", NEW["name"])
            await looking.page.fill("[name=in_force_from]", NEW["in_force_from"])
            await follow(looking.page, "[value=try]")
            assert await looking.page.is_visible("[value=publish]")
            assert not await looking.findings()
    for _ in "12":
        published = await given(counter, "publish", **NEW)
        assert (published.status_code, published.headers["Location"]) == (303, "/terms")
    first, new = await versions(counter)
    assert first == before
    plan = {**before["plans"]["hours-20"], "price_kopecks": 6_500_050}
    assert new == {
        **before,
        "name": "2040-01",
        "in_force_from": "2039-12-31T21:00:00Z",
        "coefficients": {**before["coefficients"], "urgent": "1.6"},
        "plans": {**before["plans"], "hours-20": plan},
    }


async def test_what_does_not_fit_is_named_and_the_form_stays_as_it_was_filled_in(counter: Counter):
    wrong = {**NEW, "name": "another", "plan_0_price_kopecks": "<many>"}
    answer = await given(counter, "try", **wrong)
    assert answer.status_code == 422
    assert "<li>Цена пакета, ₽: " in answer.text
    assert 'value="&lt;many&gt;"' in answer.text
    late = await given(counter, "publish", **NEW | {"name": "another", "in_force_from": "2020-01-01T00:00"})
    assert late.status_code == 422
    assert "не раньше чем через час" in late.text
    assert "another" not in {version["name"] for version in await versions(counter)}
