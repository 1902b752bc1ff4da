"""Nothing of another account stands in what a scoped key is shown: no list, stream, cursor, problem or header."""

import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx
import orjson
import pytest

from tests.end_to_end.access_calls import CALLS, IN_PATH
from tests.end_to_end.guarded_service import FOREIGN, MARK, OWN, UNKNOWN, Guarded, guarded_service

SORTS = ("account_id", "customer_name", "balance", "-balance", "expiry")
FAR = "2030-01-01T00:00:00Z"
DELIVERIES = """
    INSERT INTO projections.alert_delivery (endpoint, number, last_error)
    SELECT $1, number, $2 FROM projections.alert_change WHERE type <> 'alert.updated'
"""
REASONED = (
    "/v1/alerts/deliveries", "/v1/projections", "/v1/totals", "/v1/alerts", "/v1/accounts", f"/v1/accounts/{OWN}/tasks",
    "/health/ready", "/health/details", "/metrics",
)  # fmt: skip
"""Whatever can say why something does not work."""

HALT = """
    INSERT INTO projections.halted_account (projection, log, account_id, position, event_id, reason)
    SELECT projection, log, $1, 1, 'an event', $2 FROM projections.tracking
"""


@pytest.fixture(scope="module")
async def guarded(file_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    async with guarded_service(file_database_url, tmp_path_factory.mktemp("leaks")) as running:
        yield running


def traces(answer: httpx.Response, body: bytes, *, asked_about_it: bool) -> list[str]:
    """What of the other account stands in an answer; its id may, where the caller has given it."""
    said = body + b" ".join(name + b": " + value for name, value in answer.headers.raw)
    texts = [said.lower(), *(decoded.lower() for decoded in _cursors(body))]
    marks = [MARK] if asked_about_it else [MARK, FOREIGN]
    return [mark for mark in marks for text in texts if mark.lower().encode() in text]


def _cursors(body: bytes) -> Iterator[bytes]:
    try:
        cursor = orjson.loads(body).get("next_cursor")
    except (orjson.JSONDecodeError, AttributeError):
        return
    if cursor:
        yield urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


async def cursors_of(client: httpx.AsyncClient, path: str, **asked: str) -> list[str]:
    """Every cursor of a list, read a row a page by somebody who sees all accounts."""
    found: list[str] = []
    while True:
        page = (
            await client.get(path, params={"limit": "1", **asked, **({"cursor": found[-1]} if found else {})})
        ).json()
        if not page["next_cursor"] or len(found) > 50:
            return found
        found.append(page["next_cursor"])


async def questions(owner: httpx.AsyncClient) -> AsyncIterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Every reading route about one's own account and about the other, and lists asked for more than one's own."""
    for (method, route), calls in CALLS.items():
        if method == "GET" and "stream" not in route:
            for call in calls:
                if "follow" not in call.query:
                    given = {**IN_PATH, **call.path}
                    yield _at(route, given, OWN), call.query, {}
                    yield _at(route, given, FOREIGN), call.query, {}
                    yield _at(route, given, OWN), {**call.query, "known_at": FAR}, {"Hourbook-Min-Position": "1"}
    for sort in SORTS:
        for cursor in await cursors_of(owner, "/v1/accounts", sort=sort):
            yield "/v1/accounts", {"sort": sort, "cursor": cursor}, {}
    for wanted in (MARK, FOREIGN, "customer", "7/26"):
        yield "/v1/accounts", {"q": wanted}, {}
    for path in ("/v1/alerts", "/v1/alerts/deliveries"):
        for cursor in await cursors_of(owner, path):
            yield path, {"cursor": cursor}, {}
    for asked in ({"account_id": FOREIGN}, {"account_id": FOREIGN, "open": "true"}, {"kind": "debt"}):
        yield "/v1/alerts", asked, {}
    for path in ("statement", "tasks", "packages"):
        for cursor in await cursors_of(owner, f"/v1/accounts/{FOREIGN}/{path}"):
            yield f"/v1/accounts/{OWN}/{path}", {"cursor": cursor}, {}
    for number in range(9):
        yield f"/v1/accounts/{OWN}/receipts", {"idempotency_key": f"{MARK}-key-{number}"}, {}
        yield f"/v1/accounts/{OWN}/receipts/{number + 1}", {}, {}
    yield f"/v1/accounts/{OWN}/tasks/{MARK}-task-1", {}, {}


def _at(route: str, given: dict[str, str], account: str) -> str:
    return route.replace(":path", "").format(**given, account_id=account)


async def test_no_answer_shows_anything_of_another_account(guarded: Guarded):
    async with guarded.client(guarded.owner) as owner:
        asked = [each async for each in questions(owner)]
        shown = [each for each in asked if MARK.encode() in (await owner.get(each[0], params=each[1])).content]
    assert len(shown) >= 15  # there is something that could leak
    for holder, credential in guarded.keys.items():
        if not holder.scoped:
            continue
        async with guarded.client(credential) as client:
            for path, query, headers in asked:
                answer = await client.get(path, params=query, headers=headers)
                about_it = any(each in f"{path}{query}" for each in (FOREIGN, MARK))
                given = answer.content.replace(path.encode(), b"").replace(f"{MARK}-task-1".encode(), b"")
                found = traces(answer, given, asked_about_it=about_it)
                assert not found, (holder, path, query, answer.text)


async def test_a_stream_of_alerts_shows_ones_own_alone(guarded: Guarded):
    async with guarded.client(guarded.owner) as owner:
        last = (await owner.get("/v1/alerts")).json()["last_change"]
        alerts = (await owner.get("/v1/alerts", params={"account_id": FOREIGN})).json()["alerts"]
        assert alerts
    reader = next(each for holder, each in guarded.keys.items() if holder == ("reader", True))
    asked, read = ("GET", "/v1/alerts/stream"), b""
    async with guarded.client(reader) as client, client.stream(*asked, headers={"Last-Event-ID": "0"}) as stream:
        async for block in stream.aiter_bytes():
            read += block
            if OWN.encode() in read:
                break
    assert not traces(stream, read, asked_about_it=False)
    assert last >= 2


async def test_no_answer_shows_a_secret_and_only_who_operates_is_told_why_something_does_not_work(
    guarded: Guarded, file_database_url: str
):
    """An endpoint whose address has a password, a token in its path and one in its query; and a halted projection."""
    url = "https://keeper:PASSWORD@hooks.example/PATHTOKEN/in?token=QUERYTOKEN"
    error = f"ConnectError('{url} of REASONKAMA')"
    connection = await asyncpg.connect(file_database_url)
    try:
        await connection.execute("INSERT INTO projections.alert_endpoint VALUES ($1, 0)", url)
        await connection.execute(DELIVERIES, url, error)
        await connection.execute("UPDATE projections.tracking SET halted = $1 WHERE projection = 'tasks'", "REASONKAMA")
        told = 0
        for holder, credential in guarded.keys.items():
            operates = holder == ("admin", False)
            async with guarded.client(credential) as client:
                for path in REASONED:
                    answer = await client.get(path, params={"limit": "1"} if "deliveries" in path else {})
                    said = answer.text + "".join(each.decode() for each in _cursors(answer.content))
                    assert "PASSWORD" not in said, (holder, path)
                    assert "QUERYTOKEN" not in said, (holder, path)
                    assert operates or not {"PATHTOKEN", "REASONKAMA"} & {*re.findall("[A-Z]+", said)}, (holder, path)
                    told += "REASONKAMA" in said
        assert told == 2  # at /v1/projections and /health/details, to the admin, who has no right to deliveries
        async with guarded.client(guarded.owner) as owner:
            (newest, *_) = (await owner.get("/v1/alerts/deliveries")).json()["deliveries"]
        assert newest["endpoint"] == "https://…@hooks.example/PATHTOKEN/in?…"
        assert newest["last_error"] == "ConnectError('https://…@hooks.example/PATHTOKEN/in?… of REASONKAMA')"
    finally:
        await connection.execute("DELETE FROM projections.alert_delivery")
        await connection.execute("DELETE FROM projections.alert_endpoint")
        await connection.execute("UPDATE projections.tracking SET halted = NULL")
        await connection.close()


async def test_another_account_that_has_halted_is_answered_as_an_unknown_one(guarded: Guarded, file_database_url: str):
    connection = await asyncpg.connect(file_database_url)
    try:
        await connection.execute(HALT, FOREIGN, f"{MARK} cannot be applied")
        for holder, credential in guarded.keys.items():
            if not holder.scoped:
                continue
            async with guarded.client(credential) as client:
                for path, query in (
                    ("/v1/alerts", "account_id"), ("/v1/accounts", "q"), ("/v1/projections", ""), ("/v1/me", ""),
                ):  # fmt: skip
                    answers = [
                        await client.get(path, params={query: account} if query else {})
                        for account in (FOREIGN, UNKNOWN)
                    ]
                    assert answers[0].status_code == answers[1].status_code, (holder, path)
                    assert answers[0].text.replace(FOREIGN, UNKNOWN) == answers[1].text
                    assert not traces(answers[0], answers[0].content, asked_about_it=bool(query))
    finally:
        await connection.execute("DELETE FROM projections.halted_account")
        await connection.close()


@pytest.mark.parametrize(
    "path",
    ["reports/2026-04", "acts/2026-04.pdf", "acts/2026-04/upd.xml", "reconciliations/2026-03-01/2026-04-01.xlsx"],
)
async def test_a_customer_is_shown_no_document_of_an_open_month(guarded: Guarded, path: str):
    for holder, key in guarded.keys.items():
        if holder.scoped and holder.role in ("customer", "finance"):
            async with guarded.client(key) as client:
                answer = await client.get(f"/v1/accounts/{OWN}/{path}")
            drafts = 409 if path.endswith("xml") else 200
            assert answer.status_code == (403 if holder.role == "customer" else drafts), holder
