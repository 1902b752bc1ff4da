"""Operations by the page: what works, how far everything has come, and why something does not go on."""

import os

import asyncpg
from playwright.async_api import Browser

from services.projections.catalogue import PROJECTIONS
from tests.pages.browser import Manner, look
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, shown

REASON = "event 7 at 12: it is about the account <oka>, which was never opened " + "x" * 200


async def test_who_operates_sees_that_everything_works_and_how_far_it_has_come(counter: Counter):
    async with browser_client(counter.url) as client:
        page = await shown(client, "/operations", counter.owner)
        async with counter.guarded.client(counter.guarded.owner) as asking:
            places = (await asking.get("/v1/projections")).json()
    assert "Всё работает." in page.text
    for projection in PROJECTIONS:
        assert f"hourbook rebuild {projection.name}</code>" in page.text
    for place in places:
        assert f'<td class="number">{place["position"]}</td><td class="number">0</td>' in page.text


async def test_what_does_not_work_is_said_with_its_reason(counter: Counter, browser: Browser):
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    try:
        await connection.execute("UPDATE projections.tracking SET halted = $1 WHERE projection = 'tasks'", REASON)
        for manner in (Manner(lang="en", width=360, dark=True), Manner()):
            async with look(browser, manner, counter.url, counter.owner) as looking:
                answer = await looking.page.goto("/operations")
                assert answer
                assert answer.status == 200
                assert not await looking.findings()
                said = await looking.page.inner_text("main")
                assert said.count(REASON) == 2, "in the part, and in the projection"
                assert {"en": "does not work", "ru": "не работает"}[manner.lang] in said
    finally:
        await connection.execute("UPDATE projections.tracking SET halted = NULL")
        await connection.close()
