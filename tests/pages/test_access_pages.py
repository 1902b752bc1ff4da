"""Keys by the page: made, rotated and revoked, each shown once, and never with more than its maker."""

import re
from html import unescape

import httpx
import pytest
from playwright.async_api import Browser

from contracts.access import KEY_PREFIX
from services.access.keys import Credential
from tests.end_to_end.guarded_service import OWN, Holder
from tests.pages.browser import Manner, look
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, sent, shown


async def given(counter: Counter, session: str, **fields: str) -> httpx.Response:
    """The form of the page, filled in and sent."""
    async with browser_client(counter.url) as client:
        client.headers["Cookie"] = session
        return await sent(client, await client.get("/access"), "/access", **fields)


def credential_in(answer: httpx.Response) -> Credential:
    """The key that an answer shows."""
    assert answer.status_code == 200, answer.text
    found = Credential.parse(unescape(answer.text).split("<code>")[1].split("</code>")[0])
    assert found
    return found


async def status_of(counter: Counter, credential: Credential, path: str = "/v1/me") -> int:
    async with counter.guarded.client(str(credential)) as client:
        return (await client.get(path)).status_code


async def test_a_key_is_made_shown_once_rotated_and_revoked(counter: Counter):
    made = credential_in(
        await given(counter, counter.owner, name="портал <Оки>", role_customer="1", accounts=OWN, ends_on="2040-01-31")
    )
    assert await status_of(counter, made, f"/v1/accounts/{OWN}/balance") == 200
    address = f"/access?key={made.key_id}"
    async with browser_client(counter.url) as client:
        page = await shown(client, address, counter.owner)
        listed = await shown(client, "/access", counter.owner)
    assert "портал &lt;Оки&gt;" in page.text
    assert "01.02.2040" in page.text
    assert address in listed.text
    assert KEY_PREFIX + made.key_id not in page.text + listed.text

    fields = {"key": made.key_id, "deed": "rotate", "overlap": "60"}
    rotated = credential_in(await given(counter, counter.owner, **fields))
    assert rotated.key_id == made.key_id
    assert [await status_of(counter, each) for each in (made, rotated)] == [200, 200]

    revoked = await given(counter, counter.owner, key=made.key_id, deed="revoke", reason="lost")
    assert (revoked.status_code, revoked.headers["Location"]) == (303, address)
    assert [await status_of(counter, each) for each in (made, rotated)] == [401, 401]
    async with browser_client(counter.url) as client:
        assert '<form class="sheet"' not in (await shown(client, address, counter.owner)).text


async def test_a_form_that_is_sent_twice_makes_one_key_and_rotates_it_once(counter: Counter):
    """Both times the key is shown: whoever clicks twice sees the second answer alone."""
    async with browser_client(counter.url) as client, counter.guarded.client(counter.guarded.owner) as owner:
        client.headers["Cookie"] = counter.owner
        page = await client.get("/access")
        asked = {"name": "дважды", "role_reader": "1", "once": of_form(page)}
        made = [credential_in(await sent(client, page, "/access", **asked)) for _ in "12"]
        page = await client.get(f"/access?key={made[0].key_id}")
        asked = {"key": made[0].key_id, "deed": "rotate", "overlap": "60", "once": of_form(page)}
        rotated = [credential_in(await sent(client, page, "/access", **asked)) for _ in "12"]
        keys = (await owner.get("/v1/access/keys")).json()["keys"]
    assert (made[0], rotated[0]) == (made[1], rotated[1])
    assert made[0] != rotated[0]
    assert [await status_of(counter, each) for each in (made[0], rotated[0])] == [200, 200]
    assert [key["name"] for key in keys].count("дважды") == 1


def of_form(page: httpx.Response) -> str:
    """What tells a form from every other."""
    found = re.search(r'name="once" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "x"}, "Роли"),
        ({"name": "x", "role_customer": "1"}, "Заказчики"),
        ({"name": "x", "role_reader": "1", "accounts": "no/account"}, "Заказчики"),
        ({"name": "x", "role_reader": "1", "ends_on": "yesterday"}, "Последний день"),
    ],
)
async def test_what_does_not_fit_is_named_above_the_form_as_it_was_filled_in(
    counter: Counter, fields: dict[str, str], wrong: str
):
    answer = await given(counter, counter.owner, **fields)
    assert answer.status_code == 422
    assert f"<li>{wrong}" in answer.text
    assert 'value="x"' in answer.text


async def test_an_administrator_gives_no_more_than_its_own_rights(counter: Counter):
    answer = await given(counter, counter.sessions[Holder("admin", False)], name="x", role_finance="1")
    assert answer.status_code == 422
    assert "эти роли дают права, которых нет у вас: " in answer.text


async def test_a_decision_is_explained(counter: Counter):
    async with browser_client(counter.url) as client:
        asked = {"principal": "system-relay", "right": "money"}
        answer = await client.get("/access", params=asked, headers={"Cookie": counter.owner})
        refused = await client.get("/access", params={"principal": "no id!"}, headers={"Cookie": counter.owner})
    assert "The right money is missing" in answer.text
    assert (refused.status_code, "<li>Кто: " in refused.text) == (422, True)


@pytest.mark.parametrize("key", ["aaaaaaaaaaaaaaaa", "../..", "%2e"])
async def test_a_key_that_is_none_is_nothing(counter: Counter, key: str):
    async with browser_client(counter.url) as client:
        answer = await client.get("/access", params={"key": key}, headers={"Cookie": counter.owner})
    assert answer.status_code == 404
    sent_to = await given(counter, counter.owner, key=key, deed="revoke", reason="x")
    assert sent_to.status_code == 404


@pytest.mark.parametrize("manner", [Manner(width=360, dark=True), Manner(lang="en")], ids=["narrow", "wide"])
async def test_nothing_is_wrong_with_the_page_of_a_key(counter: Counter, browser: Browser, manner: Manner):
    made = credential_in(
        await given(counter, counter.owner, name="a name " * 14, role_reader="1", accounts=" ".join("abcdefghij"))
    )
    async with look(browser, manner, counter.url, counter.owner) as looking:
        await looking.page.goto(f"/access?key={made.key_id}")
        assert not await looking.findings()
