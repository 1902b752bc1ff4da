"""Every page as every role sees it, with and without script, in both languages, narrow and wide."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from io import BytesIO
from itertools import product
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from playwright.async_api import Browser

from contracts.access import Role
from tests.end_to_end.guarded_service import CLOSED_MONTH, FOREIGN, MARK, OWN, UNKNOWN, Holder
from tests.pages.browser import Manner, Tabs
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, shown
from tests.pages.walk import ARCHIVE, FILES, FOREIGN_ADDRESSES, STOPS, File, Stop, forgotten

MANNERS = [
    Manner(script=True, lang="ru", width=360, dark=False),
    Manner(script=True, lang="en", width=1280, dark=True),
    Manner(script=False, lang="ru", width=1280, dark=True),
    Manner(script=True, lang="ru", width=1280, dark=False),
    Manner(script=True, lang="en", width=360, dark=True),
    Manner(script=False, lang="en", width=360, dark=False),
]
"""Every two of script, language, width and darkness stand together in some of them."""

SCRIPTED = [manner for manner in MANNERS if manner.script]
SCRIPTLESS = [manner for manner in MANNERS if not manner.script]

FIRST_VIEW_BYTES_MAX = 100_000

EVERY_MANNER = [Manner(*each) for each in product((True, False), ("ru", "en"), (360, 1280), (False, True))]


@pytest.fixture(scope="module")
async def tabs(played: Counter, browser: Browser) -> AsyncIterator[Tabs]:
    """Those of one browser, for all pages."""
    async with AsyncExitStack() as kept:
        yield Tabs(browser, played.url, kept)


def visits(played: Counter, stop: Stop) -> Iterator[tuple[Holder, Manner, bool]]:
    """Who looks at a page, how, and whether axe does too: one who may, with axe; at every third without script too.

    Who and how differ from page to page. In a campaign each who may looks in every manner, and axe with each.

    HOURBOOK_PAGES_CAMPAIGN names the role that looks, or is `all`.
    """
    holders = [holder for holder in played.sessions if stop.is_for(holder)]
    if role := os.environ.get("HOURBOOK_PAGES_CAMPAIGN"):
        yield from product([each for each in holders if role in {"all", each.role}], EVERY_MANNER, [True])
        return
    place = STOPS.index(stop)
    yield holders[place % len(holders)], SCRIPTED[place % len(SCRIPTED)], True
    if place % 3 == 0:
        yield holders[(place + 1) % len(holders)], SCRIPTLESS[place // 3 % len(SCRIPTLESS)], False


def test_the_walk_passes_no_page_by():
    assert not forgotten()


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.address)
async def test_nothing_is_wrong_with_the_page(played: Counter, tabs: Tabs, stop: Stop):
    looked = 0
    for holder, manner, with_axe in visits(played, stop):
        looking = await tabs.look(manner, played.sessions[holder])
        answer = await looking.page.goto(stop.address)
        assert answer, (holder, manner)
        assert answer.status == 200, (holder, manner, await looking.page.inner_text("body"))
        assert not await looking.findings(with_axe=with_axe), (holder, manner)
        assert not holder.scoped or MARK not in await looking.page.content(), holder
        assert await looking.page.get_attribute("html", "lang") == manner.lang
        assert 0 < await looking.bytes_loaded() <= FIRST_VIEW_BYTES_MAX, (holder, manner)
        looked += 1
    assert looked or os.environ.get("HOURBOOK_PAGES_CAMPAIGN")


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.address)
async def test_who_lacks_the_right_is_told_which(played: Counter, stop: Stop):
    """Everybody who lacks it, and of those who may see the page everybody with a list of accounts."""
    async with browser_client(played.url) as client:
        for holder, session in played.sessions.items():
            if stop.is_for(holder) and not holder.scoped:
                continue
            answer = await shown(client, stop.address, session)
            assert answer.status_code == (200 if stop.is_for(holder) else 403), (holder, answer.text)
            assert MARK not in answer.text or not holder.scoped, holder


@pytest.mark.parametrize("address", FOREIGN_ADDRESSES)
async def test_another_customers_page_is_what_an_unknown_one_is(played: Counter, address: str):
    scoped = [session for holder, session in played.sessions.items() if holder.scoped]
    async with browser_client(played.url) as client:
        for session in scoped:
            foreign, unknown = [
                (await shown(client, address.format(foreign=account), session)) for account in (FOREIGN, UNKNOWN)
            ]
            assert foreign.status_code == unknown.status_code
            assert foreign.status_code in {403, 404}


@pytest.mark.parametrize("file", FILES.values(), ids=lambda file: file.address)
async def test_a_file_is_for_the_same_people(played: Counter, file: File):
    """Another customer's is what an unknown one's is; to a script nothing is an answer too (204)."""
    async with browser_client(played.url) as client:
        for holder, session in played.sessions.items():
            answer = await shown(client, file.address, session)
            allowed = Stop("", file.address, file.needs, lists=file.lists).is_for(holder)
            assert answer.status_code == (200 if allowed else 403), holder
            assert answer.headers["content-type"].startswith(file.media_type if allowed else "text/html")
        scoped = [session for holder, session in played.sessions.items() if holder.scoped and OWN in file.address]
        for session in scoped:
            foreign, unknown = [
                await shown(client, file.address.replace(OWN, account), session) for account in (FOREIGN, UNKNOWN)
            ]
            assert foreign.status_code == unknown.status_code
            assert foreign.status_code in {204, 403, 404}


async def test_all_documents_of_a_month_are_those_of_the_scope(played: Counter):
    async with browser_client(played.url) as client:
        for holder, session in played.sessions.items():
            answer = await shown(client, ARCHIVE.address, session)
            assert answer.status_code == (200 if ARCHIVE.is_for(holder) else 403), holder
            if answer.status_code == 200:
                names = ZipFile(BytesIO(answer.content)).namelist()
                assert f"{OWN}/MonthlyReport-{OWN}-{CLOSED_MONTH}.pdf" in names
                assert any(name.startswith(f"{FOREIGN}/") for name in names) == (not holder.scoped)


@pytest.mark.parametrize("address", ["/documents/2026-13.zip", f"/customers/{OWN}/documents/upd/2026-03.pdf"])
async def test_a_file_that_is_none_is_nothing(played: Counter, address: str):
    async with browser_client(played.url) as client:
        assert (await shown(client, address, played.owner)).status_code == 404


async def test_the_workbook_has_the_customers_that_are_shown(played: Counter):
    async with browser_client(played.url) as client:
        for holder, names in ((Holder(Role.CUSTOMER, True), {"own customer"}), (Holder(Role.READER, False), None)):
            answer = await shown(client, "/customers.xlsx?sort=customer_name", played.sessions[holder])
            sheet = load_workbook(BytesIO(answer.content)).active
            assert sheet
            found = {row[0] for row in sheet.iter_rows(min_row=2, values_only=True)}
            assert found == names if names else len(found) > 5
