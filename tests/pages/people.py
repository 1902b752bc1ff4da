"""People at the pages: each logs in with a key, as the form does."""

import re
from typing import NamedTuple

import httpx

from services.pages.session import COOKIE

FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


class Person(NamedTuple):
    """Somebody who has logged in, and how the browser shows it."""

    client: httpx.AsyncClient
    cookie: str


def form_token(html: str) -> str:
    """What the forms of a page carry."""
    found = FORM_TOKEN.search(html)
    assert found, html
    return found[1]


def browser_client(url: str) -> httpx.AsyncClient:
    """A client that keeps cookies, as a browser does on its own machine."""
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, headers={"Accept": "text/html"})


async def sent(client: httpx.AsyncClient, page: httpx.Response, path: str, **fields: str | list[str]) -> httpx.Response:
    """A form of a page, sent by the browser that was shown it: cookies that only HTTPS carries elsewhere, too."""
    content: dict[str, str | list[str]] = {"form_token": form_token(page.text), **fields}
    return await client.post(path, data=content, headers={"Cookie": cookie_of(page) or cookie_in(client)})


async def shown(client: httpx.AsyncClient, path: str, cookie: str = "") -> httpx.Response:
    """A page, as the holder of a cookie sees it."""
    return await client.get(path, headers={"Cookie": cookie} if cookie else {})


def cookie_of(answer: httpx.Response) -> str:
    """The session that an answer hands to the browser; empty where it hands none."""
    given = [each.partition(";")[0] for each in answer.headers.get_list("set-cookie")]
    return next((each for each in given if each.startswith(COOKIE)), "")


def cookie_in(client: httpx.AsyncClient) -> str:
    """The session that a client was told to keep."""
    return client.headers.get("Cookie", "")


async def logged_in(url: str, credential: str) -> str:
    """The cookie of somebody who has logged in with that key."""
    async with browser_client(url) as client:
        page = await client.get("/login")
        answer = await sent(client, page, "/login", key=credential)
        assert answer.status_code == 303, answer.text
        return cookie_of(answer)
