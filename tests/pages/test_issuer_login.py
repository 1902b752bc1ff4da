"""Logging in at an OIDC issuer: the way there and back, and everybody who tries to come in by another one's login."""

import hmac
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from secrets import token_urlsafe
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest
from joserfc import jwe
from joserfc.jwk import OctKey
from playwright.async_api import Browser

from services.pages.issuer import Issuer, IssuerUnavailable, LoginRefused, claims_of, endpoints_in
from services.pages.session import COOKIE_BYTES_MAX, LOGIN_SECONDS, Begun, Session, Sessions
from services.pages.settings import PagesSettings
from tests.access.issuing import AUDIENCE, TestIssuer, issuing
from tests.databases import Databases
from tests.end_to_end.guarded_service import guarded_service
from tests.end_to_end.joined import at_work
from tests.pages.browser import Manner, look
from tests.pages.people import browser_client, cookie_of, logged_in, shown

SECRET = "known to two"


class Desk(NamedTuple):
    """Hourbook whose people log in at an issuer, and the key of its owner."""

    url: str
    owner: str
    issuer: TestIssuer


@pytest.fixture(scope="module")
async def open_desk(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """The issuer is another site for a browser: `localhost`."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "client.secret").write_text(f"{SECRET}\n")
    async with issuing() as issuer, databases.empty() as database_url:
        issuer.url = issuer.url.replace("127.0.0.1", "localhost")
        issuer.add("ES256")
        given = {
            "HOURBOOK_PAGES_FOLDER": str(folder / "pages"),
            "HOURBOOK_OIDC_ISSUER": issuer.url,
            "HOURBOOK_OIDC_AUDIENCE": AUDIENCE,
            "HOURBOOK_OIDC_CLIENT_ID": issuer.client,
            "HOURBOOK_OIDC_CLIENT_SECRET_FILE": str(folder / "client.secret"),
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in given.items():
                patch.setenv(name, value)
            async with guarded_service(database_url, folder) as guarded, at_work(guarded.url):
                issuer.callbacks = {f"{guarded.url}/login/oidc/callback"}
                yield Desk(guarded.url, guarded.owner, issuer)


@pytest.fixture
def desk(open_desk: Desk) -> Desk:
    """With an issuer that has nothing of an earlier test's mind."""
    issuer = open_desk.issuer
    issuer.fails, issuer.opaque, issuer.claims, issuer.nonce, issuer.refuses = False, False, {}, None, None
    issuer.secret = SECRET
    return open_desk


async def begun(client: httpx.AsyncClient, path: str = "/login/oidc") -> tuple[str, str]:
    """The browser's session, and the address at the issuer that it is led to."""
    answer = await client.get(path)
    assert answer.status_code == 303, answer.text
    return cookie_of(answer), answer.headers["location"]


async def confirmed(client: httpx.AsyncClient, address: str) -> str:
    """The issuer knows the person: the way back."""
    answer = await client.get(address)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def come_back(client: httpx.AsyncClient, path: str = "/login/oidc") -> httpx.Response:
    """What the callback answers to a whole login."""
    cookie, address = await begun(client, path)
    return await shown(client, await confirmed(client, address), cookie)


async def is_let_in(client: httpx.AsyncClient, answer: httpx.Response) -> bool:
    """Whether the session of an answer shows pages."""
    return (await shown(client, "/customers", cookie_of(answer))).status_code == 200


@pytest.mark.parametrize("opaque", [False, True], ids=["access token", "ID token"])
async def test_who_logs_in_at_the_issuer_comes_back_to_the_page(desk: Desk, opaque: bool):
    desk.issuer.opaque = opaque
    async with browser_client(desk.url) as client:
        page = await client.get("/login?next=%2Fcustomers%3Fq%3Down")
        assert 'href="/login/oidc?next=/customers%3Fq%3Down"' in page.text
        assert "localhost" in page.text
        answer = await come_back(client, "/login/oidc?next=/customers%3Fq%3Down")
        assert (answer.status_code, answer.headers["location"]) == (303, "/customers?q=own")
        assert await is_let_in(client, answer)


async def test_the_issuer_is_asked_by_code_with_a_proof_and_nothing_secret(desk: Desk):
    async with browser_client(desk.url) as client:
        cookie, address = await begun(client)
        asked = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
        assert asked.keys() == {
            "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
            "code_challenge_method",
        }  # fmt: skip
        assert asked["code_challenge_method"] == "S256"
        assert SECRET not in address
        assert not any(asked[name] in cookie for name in ("state", "nonce", "code_challenge"))
        _, another = await begun(client)
        again = {name: value for name, (value,) in parse_qs(urlsplit(another).query).items()}
        assert not any(asked[name] == again[name] for name in ("state", "nonce", "code_challenge"))


async def test_a_login_that_this_browser_did_not_begin_lets_nobody_in(desk: Desk):
    """Neither with a wrong state, nor with another one's login as a whole, nor by a session of another kind."""
    owner = await logged_in(desk.url, desk.owner)
    async with browser_client(desk.url) as client:
        own, address = await begun(client)
        foreign, _ = await begun(client)
        back = await confirmed(client, address)
        state = parse_qs(urlsplit(back).query)["state"][0]
        for cookie, path in (
            (own, back.replace(state, "guessed")),
            (own, back.replace(f"state={state}", "state=%D0%B0")),
            (own, back.replace(f"state={state}", "")),
            (foreign, back),
            (owner, back),
            ("", back),
        ):
            answer = await shown(client, path, cookie)
            assert answer.status_code == 403
            assert 'role="alert"' in answer.text
            assert not await is_let_in(client, answer)
        assert await is_let_in(client, await shown(client, back, own))
        assert (await shown(client, "/customers", owner)).status_code == 200


async def test_a_code_lets_in_once(desk: Desk):
    async with browser_client(desk.url) as client:
        cookie, address = await begun(client)
        back = await confirmed(client, address)
        first = await shown(client, back, cookie)
        assert await is_let_in(client, first)
        assert (await shown(client, back, cookie_of(first))).status_code == 403
        again = await shown(client, back, cookie)
        assert again.status_code == 401
        assert 'role="alert"' in again.text
        assert not await is_let_in(client, again)


async def test_a_code_of_another_session_lets_nobody_in(desk: Desk):
    """Who steals a code and puts it into a login of his own lacks what proves it."""
    async with browser_client(desk.url) as client:
        own, address = await begun(client)
        _, stolen = await begun(client)
        code = parse_qs(urlsplit(await confirmed(client, stolen)).query)["code"][0]
        back = await confirmed(client, address)
        own_code = parse_qs(urlsplit(back).query)["code"][0]
        answer = await shown(client, back.replace(own_code, code), own)
        assert answer.status_code == 401
        assert not await is_let_in(client, answer)


@pytest.mark.parametrize(
    ("claims", "nonce"),
    [
        ({"iss": "https://elsewhere.example"}, None),
        ({"aud": "another"}, None),
        ({"exp": 1}, None),
        ({}, "of another login"),
    ],
    ids=["foreign issuer", "another audience", "old", "replayed ID token"],
)
@pytest.mark.parametrize("opaque", [False, True], ids=["access token", "ID token"])
async def test_a_token_that_is_not_for_this_login_lets_nobody_in(
    desk: Desk, claims: dict[str, object], nonce: str | None, opaque: bool
):
    desk.issuer.claims, desk.issuer.nonce, desk.issuer.opaque = claims, nonce, opaque
    async with browser_client(desk.url) as client:
        answer = await come_back(client)
        assert answer.status_code == 401
        assert 'role="alert"' in answer.text
        assert not await is_let_in(client, answer)


async def test_a_callback_of_another_issuer_lets_nobody_in(desk: Desk):
    async with browser_client(desk.url) as client:
        cookie, address = await begun(client)
        back = (await confirmed(client, address)).partition("&iss=")[0]
        answer = await shown(client, f"{back}&iss=https%3A%2F%2Felsewhere.example", cookie)
        assert answer.status_code == 401
        assert not await is_let_in(client, answer)


async def test_nobody_is_led_from_the_issuer_to_another_site(desk: Desk):
    async with browser_client(desk.url) as client:
        for elsewhere in ("//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere.example", "javascript:x"):
            cookie, address = await begun(client, str(httpx.URL("/login/oidc", params={"next": elsewhere})))
            answer = await shown(client, await confirmed(client, address), cookie)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
        long = str(httpx.URL("/login/oidc", params={"next": f"/customers?q={token_urlsafe(5000)}"}))
        assert (await come_back(client, long)).headers["location"] == "/"


async def test_a_page_of_another_site_ends_no_session(desk: Desk):
    async with browser_client(desk.url) as client:
        owner = await logged_in(desk.url, desk.owner)
        answer = await client.get("/login/oidc", headers={"Cookie": owner, "Sec-Fetch-Site": "cross-site"})
        assert (answer.headers["location"], cookie_of(answer)) == ("/login?next=%2F", "")


@pytest.mark.parametrize(("lang", "said"), [("ru", "Сервер входа"), ("en", "The login server")])
async def test_what_the_issuer_refuses_is_said_in_words(desk: Desk, lang: str, said: str):
    async with browser_client(desk.url) as client:
        client.headers["Accept-Language"] = lang
        desk.issuer.refuses = "access_denied"
        refused = await come_back(client, "/login/oidc?next=/customers")
        assert refused.status_code == 401
        assert said in refused.text
        assert "next=/customers" in refused.text
        desk.issuer.refuses = None
        cookie, address = await begun(client)
        back = await confirmed(client, address)
        desk.issuer.fails = True
        unavailable = await shown(client, back, cookie)
        assert unavailable.status_code == 503
        assert said in unavailable.text
        desk.issuer.fails, desk.issuer.secret = False, "another"
        assert (await come_back(client)).status_code == 401


async def test_a_large_token_is_packed_and_one_that_is_too_large_is_said(desk: Desk):
    async with browser_client(desk.url) as client:
        desk.issuer.claims = {"groups": [f"/group/{n:04}" for n in range(200)]}
        answer = await come_back(client)
        assert len(desk.issuer.token(next(iter(desk.issuer.keys)), **desk.issuer.claims)) > COOKIE_BYTES_MAX * 0.8
        assert await is_let_in(client, answer)
        assert len(cookie_of(answer)) <= COOKIE_BYTES_MAX
        desk.issuer.claims = {"groups": [token_urlsafe(20) for _ in range(180)]}
        answer = await come_back(client)
        assert answer.status_code == 413
        assert "Токен слишком большой" in answer.text
        assert not await is_let_in(client, answer)


async def test_the_end_of_the_token_ends_the_session(desk: Desk):
    async with browser_client(desk.url) as client:
        desk.issuer.claims = {"exp": int(time.time()) - 24}  # clocks may differ by 30 s
        answer = await come_back(client)
        assert answer.headers["location"] == "/"
        cookie = cookie_of(answer)
        while (answer := await shown(client, "/customers?q=own", cookie)).status_code == 200:
            pass
        assert answer.headers["location"] == "/login?next=%2Fcustomers%3Fq%3Down"
        page = await shown(client, answer.headers["location"], cookie)
        assert 'role="alert"' in page.text
        assert 'href="/login/oidc?next=/customers%3Fq%3Down"' in page.text


async def test_a_person_logs_in_at_the_issuer_by_browser(desk: Desk, browser: Browser):
    for script in (True, False):
        async with look(browser, Manner(script=script, lang="en"), desk.url) as looking:
            await looking.page.goto("/customers")
            assert not await looking.findings()
            await looking.page.get_by_role("link", name="Log in with localhost").click()
            await looking.page.wait_for_url("**/customers")
            assert await looking.page.get_by_role("link", name="own customer").count()
            assert not looking.complaints


def test_a_login_takes_ten_minutes_at_most():
    now = 1_000_000.0
    sessions = Sessions(b"x" * 32, lambda: now)
    session = sessions.beginning(Begun.made("/customers"))
    assert sessions.opened(sessions.sealed(session)) == session
    now += LOGIN_SECONDS
    assert sessions.opened(sessions.sealed(session)) is None


async def test_a_client_without_a_secret_proves_itself_by_pkce_alone(desk: Desk):
    desk.issuer.secret = None
    callback = next(iter(desk.issuer.callbacks))
    issuer = Issuer(
        PagesSettings(issuer=desk.issuer.url, audience=AUDIENCE, client_id="pages", client_secret_file=None)
    )
    login = Begun.made("/")
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        codes = [
            parse_qs(urlsplit(await confirmed(client, await issuer.address(login, callback))).query)["code"][0]
            for _ in range(2)
        ]
    assert claims_of(await issuer.token(login, codes[0], callback))["sub"] == "anna"
    with pytest.raises(LoginRefused):
        await issuer.token(replace(login, verifier=token_urlsafe(32)), codes[1], callback)


async def test_an_issuer_that_names_itself_otherwise_is_not_asked(desk: Desk):
    other = desk.issuer.url.replace("localhost", "127.0.0.1")
    issuer = Issuer(PagesSettings(issuer=other, audience=AUDIENCE, client_id="pages", client_secret_file=None))
    with pytest.raises(IssuerUnavailable):
        await issuer.address(Begun.made("/"), "http://127.0.0.1/login/oidc/callback")


@pytest.mark.parametrize("name", ["issuer", "authorization_endpoint", "token_endpoint"])
def test_endpoints_of_another_machine_are_not_the_issuers(name: str):
    url = "https://issuer.example"
    document = {"issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token"}
    assert endpoints_in(orjson.dumps(document), url).token_endpoint == f"{url}/token"
    for wrong in ("http://127.0.0.1:8000", "https://localhost", "http://elsewhere.example", "javascript:x", 1):
        with pytest.raises(ValueError, match=r"issuer|machine|http|string"):
            endpoints_in(orjson.dumps(document | {name: wrong}), url)


def test_a_session_of_an_earlier_version_goes_on():
    key = OctKey.import_key(hmac.digest(b"x" * 32, b"session", "sha256"))
    content = {"id": "a", "ends_at": 2_000_000.0, "credential": "hb1_a_b"}
    sealed = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, orjson.dumps(content), key)
    assert Sessions(b"x" * 32, lambda: 1_000_000.0).opened(sealed) == Session("a", 2_000_000.0, "hb1_a_b")
