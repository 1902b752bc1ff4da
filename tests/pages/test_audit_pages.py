"""The auditor's pages: every event in words once, filters that hide nothing, balances that are those of the replay."""

import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from contracts.quantities import SELLER_ZONE, decimal_hours
from services.documents.formats import Formats
from services.pages.showing import Showing
from tests.end_to_end.guarded_service import Holder
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, shown

AUDITOR = Holder("auditor", scoped=False)
ACCOUNT = "c7-00"
NEXT = re.compile(r'<p class="pages"><a href="([^"]+)"')
POSITION = re.compile(r'<tr><td class="number">(?:<a [^>]+>)?(\d+)(?:</a>)?</td>')
BALANCE = re.compile(r'<td class="number(?: below)?">([^<]+)</td></tr>')


async def pages(played: Counter, address: str) -> AsyncIterator[str]:
    """The page, and those to which it leads on, in English."""
    async with browser_client(played.url) as client:
        path, question = address.split("?") if "?" in address else (address, "")
        while True:
            answer = await shown(client, f"{path}?{question}", f"{played.sessions[AUDITOR]}; lang=en")
            assert answer.status_code == 200, answer.text
            yield answer.text
            more = NEXT.search(answer.text)
            if not more:
                return
            question = unescape(more[1]).removeprefix("?")


async def positions(played: Counter, address: str) -> list[int]:
    """Those of all rows."""
    return [int(found) async for page in pages(played, address) for found in POSITION.findall(events_in(page))]


def events_in(page: str) -> str:
    """The table of events, without that of what is signed."""
    return page.partition('id="events"')[2]


async def log_of(played: Counter) -> list[dict[str, object]]:
    """Every event as the route tells it."""
    async with played.guarded.client(played.guarded.owner) as client:
        return [orjson.loads(line) for line in (await client.get("/v1/log")).content.splitlines()]


async def test_the_log_is_told_whole_each_event_once(played: Counter):
    assert await positions(played, "/audit") == [line["position"] for line in await log_of(played)]


async def test_every_event_and_every_fact_about_access_has_words(played: Counter):
    log = [page async for page in pages(played, "/audit")]
    access = [page async for page in pages(played, "/audit/access")]
    assert [page for page in log + access if "does not read" in page] == []
    assert any("A key was made: roles" in page for page in access)


@pytest.mark.parametrize("kind", ["PackageRefunded", "TaskCorrected", "MonthClosed"])
async def test_a_type_is_found_wherever_it_stands(played: Counter, kind: str):
    expected = [line["position"] for line in await log_of(played) if line["type"] == kind]
    assert expected
    assert await positions(played, f"/audit?type={kind}") == expected


async def test_a_day_and_an_account_are_found(played: Counter):
    events = await log_of(played)
    own = [line for line in events if line["account_id"] == ACCOUNT]
    day = day_of(own[-1])
    assert await positions(played, f"/audit?account={ACCOUNT}") == [line["position"] for line in own]
    assert await positions(played, "/audit?on=2001-01-01") == []
    own_of_the_day = [line["position"] for line in own if day_of(line) == day]
    assert await positions(played, f"/audit?account={ACCOUNT}&on={day}") == own_of_the_day


def day_of(line: dict[str, Any]) -> date:
    """On which day it was recorded, where the seller is."""
    return datetime.fromisoformat(line["recorded_at"]).astimezone(SELLER_ZONE).date()


@pytest.mark.parametrize("question", ["", "&as_of=2025-12-31", "&as_of=2025-12-31&known_at=900"])
async def test_each_step_shows_the_balance_of_the_replay(played: Counter, question: str):
    address = f"/audit/replay?account={ACCOUNT}{question}"
    found = [
        pair
        async for page in pages(played, address)
        for pair in zip(POSITION.findall(page), BALANCE.findall(page), strict=True)
    ]
    assert len(found) > 20
    async with played.guarded.client(played.guarded.owner) as client:
        for position, balance in found[:: len(found) // 6]:
            assert balance == await replayed(client, position, question), position


async def replayed(client: httpx.AsyncClient, position: str, question: str) -> str:
    """The balance by what was known at a position, as hours are written."""
    asked = {"known_at": position} | ({"as_of": "2025-12-31T23:59:59.999999+03:00"} if question else {})
    view = (await client.get(f"/v1/accounts/{ACCOUNT}/replay", params=asked)).json()
    return Formats("en").hours(decimal_hours(view["balance_minutes"]))


async def test_an_address_that_names_nothing_is_no_failure(played: Counter):
    async with browser_client(played.url) as client:
        for address, status in (
            ("/audit?account=nobody", 404),
            ("/audit?log=7", 404),
            ("/audit?account=%22%3E&type=x&on=x&after=-1&log=x", 200),
            ("/audit/replay", 303),
            (f"/audit/replay?account={ACCOUNT}&known_at=yesterday", 422),
            ("/audit/access?after=999999999999", 200),
        ):
            answer = await shown(client, address, played.sessions[AUDITOR])
            assert answer.status_code == status, (address, answer.text)


@pytest.mark.parametrize(("is_sound", "said"), [(False, "not the one that was signed"), (True, "does not agree")])
async def test_what_the_audit_found_stands_above_the_log(played: Counter, is_sound: bool, said: str):
    full_at = datetime(2026, 3, 10, tzinfo=UTC) if is_sound else None
    fault = "event 7 does not have the hash <it> was appended with"
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    try:
        await connection.execute(
            "INSERT INTO ledger.verification (log_id, size, faults, log_is_sound, full_at) VALUES (0, 6, $1, $2, $3)",
            [fault],
            is_sound,
            full_at,
        )
        async with browser_client(played.url) as client:
            page = await shown(client, "/audit", f"{played.sessions[AUDITOR]}; lang=en")
        above = page.text.partition('id="events"')[0]
        said_of_all = f"everything from the beginning: {Showing('en').moment(full_at)}" if full_at else "not everything"
        assert said_of_all in above, above
        assert (fault.replace("<", "&lt;").replace(">", "&gt;") in above, said in above) == (True, True), above
    finally:
        await connection.execute("DELETE FROM ledger.verification WHERE log_id = 0")
        await connection.close()
