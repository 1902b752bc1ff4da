"""Logging in and out: sessions, forms of one's own, links that are good once, and the way back."""

import asyncio
import logging
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from services.pages.entry_links import LIFE_SECONDS, credential_of_link, make_link
from services.pages.secret import secret_in
from services.pages.session import LIFE_SECONDS as SESSION_SECONDS
from services.pages.session import Sessions
from tests.end_to_end.guarded_service import CLOSED_MONTH, OWN
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, cookie_of, form_token, logged_in, sent, shown


async def test_who_is_not_known_logs_in_and_comes_back(counter: Counter):
    async with browser_client(counter.url) as client:
        answer = await client.get("/customers?q=own")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fcustomers%3Fq%3Down")
        page = await client.get(answer.headers["location"])
        answer = await sent(client, page, "/login", key=counter.guarded.owner, next="/customers?q=own")
        assert (answer.status_code, answer.headers["location"]) == (303, "/customers?q=own")
        assert (await shown(client, "/customers?q=own", cookie_of(answer))).status_code == 200


async def test_nobody_is_led_to_another_site(counter: Counter):
    async with browser_client(counter.url) as client:
        for elsewhere in ("//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere.example", "javascript:x"):
            page = await client.get("/login", params={"next": elsewhere})
            answer = await sent(client, page, "/login", key=counter.guarded.owner, next=elsewhere)
            assert answer.headers["location"] == "/"


async def test_a_key_that_does_not_hold_is_said_and_never_repeated(counter: Counter):
    async with browser_client(counter.url) as client:
        page = await client.get("/login")
        for wrong in ("hb1_short", f"{counter.guarded.owner[:-3]}xyz", "нет такого", "x" * 10_000):
            answer = await sent(client, page, "/login", key=wrong)
            assert answer.status_code == 401
            assert 'role="alert"' in answer.text
            assert wrong not in answer.text


async def test_the_cookie_is_of_this_host_over_https_and_no_scripts(counter: Counter):
    async with browser_client(counter.url) as client:
        page = await client.get("/login")
        answer = await sent(client, page, "/login", key=counter.guarded.owner)
    given = answer.headers["set-cookie"].lower()
    assert given.startswith("__host-")
    assert all(word in given for word in ("; secure", "; httponly", "; samesite=lax", "; path=/"))
    assert "domain" not in given
    assert counter.guarded.owner not in answer.headers["set-cookie"]


async def test_a_form_of_another_session_records_nothing(counter: Counter):
    other = await logged_in(counter.url, counter.guarded.owner)
    async with browser_client(counter.url) as client:
        page = await shown(client, "/", counter.owner)
        for token in (form_token(page.text), "", "x"):
            answer = await client.post("/logout", data={"form_token": token}, headers={"Cookie": other})
            assert answer.status_code == 403
        own = {"form_token": form_token(page.text)}
        answer = await client.post("/logout", data=own, headers={"Cookie": counter.owner})
        assert answer.headers["location"] == "/login"
        left = cookie_of(answer)
        assert (await shown(client, "/", left)).headers["location"] == "/login"


async def test_a_page_of_another_site_can_send_no_form(counter: Counter):
    async with browser_client(counter.url) as client:
        page = await shown(client, "/", counter.owner)
        headers = {"Cookie": counter.owner, "Origin": "https://elsewhere.example"}
        answer = await client.post("/logout", data={"form_token": form_token(page.text)}, headers=headers)
        assert answer.status_code == 403


async def test_a_form_that_is_too_large_is_refused(counter: Counter):
    async with browser_client(counter.url) as client:
        answer = await client.post("/login", data={"key": "x" * (1 << 20)})
        assert answer.status_code == 413


async def test_every_page_and_file_has_the_strict_policy(counter: Counter):
    async with browser_client(counter.url) as client:
        page = await shown(client, "/", counter.owner)
        style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
        answers = [page, await client.get("/login"), await client.get("/nowhere"), await client.get(style)]
        assert [each.status_code for each in answers] == [200, 200, 404, 200]
        for answer in answers:
            assert "default-src 'self'" in answer.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert "unsafe" not in answer.headers["content-security-policy"]
        assert [answer.headers["cache-control"] for answer in answers[:3]] == ["no-store"] * 3
        assert "immutable" in answers[3].headers["cache-control"]
        assert "set-cookie" not in answers[3].headers


async def test_programs_are_answered_problems_where_browsers_are_answered_pages(counter: Counter):
    async with httpx.AsyncClient(base_url=counter.url, trust_env=False, timeout=60) as program:
        assert (await program.get("/nowhere")).json()["status"] == 404
        assert (await program.get("/v1/nowhere", headers={"Accept": "text/html"})).json()["status"] == 404


async def test_the_language_and_the_appearance_are_kept(counter: Counter):
    async with browser_client(counter.url) as client:
        answer = await client.get("/login?lang=en&next=%2Fcustomers")
        assert answer.headers["location"] == "/login?next=%2Fcustomers"
        assert '<html lang="en"' in (await client.get("/login")).text
        await client.get("/login?theme=dark")
        assert 'data-theme="dark"' in (await client.get("/login")).text
        assert (await client.get("/login?lang=de&theme=pink")).status_code == 200


async def test_a_browser_that_goes_away_while_it_sends_is_no_failure(
    counter: Counter, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    """Chromium cuts the first form off when its button is clicked twice."""
    said = ""
    async with asyncio.timeout(30):
        _, begun = await asyncio.open_connection(urlsplit(counter.url).hostname, urlsplit(counter.url).port)
        form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99"
        begun.write(b"POST /login HTTP/1.1\r\nHost: localhost\r\n%b\r\n\r\nform_token=" % form)
        await begun.drain()
        begun.close()
        while not (lines := [line for line in said.splitlines() if '"method":"POST","route":"/login"' in line]):
            await asyncio.sleep(0.01)
            said += capfd.readouterr().err
    assert orjson.loads(lines[0])["status"] is None
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "address",
    ["//elsewhere.example", "//elsewhere.example/a", "///elsewhere.example", "/%2Felsewhere.example", "/%09/elsewhere"],
)
async def test_a_choice_leads_back_to_this_host_alone(counter: Counter, address: str):
    """Browsers take an address that begins with two slashes for another host's."""
    with socket.create_connection((urlsplit(counter.url).hostname, urlsplit(counter.url).port)) as opened:
        opened.sendall(f"GET {address}?lang=en HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n".encode())
        told = await asyncio.to_thread(opened.recv, 4096)
    (location,) = re.findall(rb"(?im)^location: (.*)\r$", told)
    assert re.match(rb"/[^/\\]", location)


MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nv\r\n'


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"garbage", MULTIPART),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n", MULTIPART),
        (b"x", {"Content-Type": "multipart/form-data"}),
        (PART * 20 + b"--x--\r\n", MULTIPART),
        (b"&".join(b"f=1" for _ in range(2000)), {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
    ids=["no form", "no name", "no boundary", "many files", "many fields"],
)
async def test_what_is_no_form_is_said_to_be_none(counter: Counter, content: bytes, headers: dict[str, str]):
    async with browser_client(counter.url) as client:
        answer = await client.post("/login", content=content, headers=headers)
    assert (answer.status_code, "ничего не записано" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/logout", 405), ("POST", "/customers", 405), ("PUT", "/login", 405), ("POST", "/nowhere", 404)],
)
async def test_an_address_that_is_asked_in_another_way_says_so(counter: Counter, method: str, path: str, status: int):
    """As who types the address of a form, or whose browser sends a form to a page that is no more."""
    async with browser_client(counter.url) as client:
        answer = await client.request(method, path)
    assert (answer.status_code, "<h1>" in answer.text) == (status, True), answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


HOSTILE = ["9999-12-31", "0001-01-01", "9" * 5000, "ё\0", "../.."]
QUESTIONS = {
    "/customers": "q sort expiring_within run_out_before cursor",
    f"/customers/{OWN}": "as_of known_at",
    f"/customers/{OWN}/commands/correct-task": "task_id",
    "/documents": "month cursor",
    "/audit": "after account on",
    "/audit/replay": "account",
    f"/audit/replay?account={OWN}": "as_of known_at after",
    "/months": "page",
    f"/months/{CLOSED_MONTH}/{OWN}": "position",
}


@pytest.mark.parametrize("address", QUESTIONS)
async def test_no_question_of_an_address_is_our_fault(counter: Counter, address: str):
    """Each is answered, or refused in words."""
    async with browser_client(counter.url) as client:
        for name in QUESTIONS[address].split():
            for value in HOSTILE:
                asked = httpx.URL(address).copy_add_param(name, value)
                answer = await shown(client, str(asked), counter.owner)
                assert answer.status_code < 500, (asked, answer.text)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (f"/customers/{OWN}/commands/resume-work", {"key": "ключ", "step": "try", "reason": "x"}),
        (f"/customers/{OWN}/commands/resume-work", {"key": "k", "step": "try", "reason": "x" * 70_000}),
        (f"/customers/{OWN}/commands/drop-plan", {"key": "k", "step": "try", "task_id": "x", "reason": "x" * 70_000}),
        (f"/months/{CLOSED_MONTH}/{OWN}", {"key": "🐍", "deed": "reopen", "reason": "x"}),
        (f"/customers/{OWN}/invoices/debt", {"key": "ключ", "step": "try"}),
    ],
)
async def test_what_no_request_can_carry_is_refused_in_words(counter: Counter, path: str, fields: dict[str, str]):
    async with browser_client(counter.url) as client:
        page = await shown(client, "/", counter.owner)
        data = {"form_token": form_token(page.text), **fields}
        answer = await client.post(path, data=data, headers={"Cookie": counter.owner})
    assert (answer.status_code, "Запрос не подходит" in answer.text) == (422, True), answer.text


async def test_the_link_of_up_lets_one_browser_in_once(counter: Counter):
    link = make_link(counter.folder / "pages", counter.folder / "owner.key")
    async with browser_client(counter.url) as client:
        assert (await client.head(link)).status_code == 204
        first = await client.get(link)
        assert (first.status_code, first.headers["location"]) == (303, "/")
        assert (await shown(client, "/", cookie_of(first))).status_code == 200
        second = await client.get(link)
        assert second.status_code == 401
        assert (await shown(client, "/", cookie_of(second))).headers["location"] == "/login"


def test_a_link_is_good_for_ten_minutes_alone(tmp_path: Path):
    (tmp_path / "owner.key").write_text("hb1_a_b\n")
    word = make_link(tmp_path, tmp_path / "owner.key").rpartition("/")[2]
    (file,) = (tmp_path / "links").iterdir()
    said = orjson.loads(file.read_bytes())
    file.write_bytes(orjson.dumps(said | {"ends_at": said["ends_at"] - LIFE_SECONDS}))
    assert credential_of_link(tmp_path, word) is None
    assert not list((tmp_path / "links").iterdir())
    assert word not in str(file)


def test_processes_of_one_folder_share_their_sessions(tmp_path: Path):
    one, other = Sessions(secret_in(tmp_path / "pages")), Sessions(secret_in(tmp_path / "pages"))
    session = one.new().logged_in("hb1_a_b")
    assert other.opened(one.sealed(session)) == session
    assert other.is_own(session, one.form_token(session))
    assert Sessions(secret_in(None)).opened(one.sealed(session)) is None
    assert (tmp_path / "pages" / "secret").stat().st_mode & 0o077 == 0


def test_a_session_ends_and_none_can_be_made_up():
    now = 1_000_000.0
    sessions = Sessions(b"x" * 32, lambda: now)
    sealed = sessions.sealed(sessions.new().logged_in("hb1_a_b"))
    assert sessions.opened(sealed)
    for place in range(0, len(sealed), 7):
        changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        assert sessions.opened(changed) is None
    now += SESSION_SECONDS
    assert sessions.opened(sealed) is None
