"""The door before every route, over real HTTP: who comes in, what is refused, and what ends when a key does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from contracts.access import Right, Role
from contracts.access_events import AccessEvent, KeyMade, KeyRevoked, PersonAdmitted
from services.access.door import Door, principal_of
from services.access.guard import guard, table
from services.access.issuer import Issuer
from services.access.keys import Credential, principal_id
from services.access.limits import Limits, LimitSettings
from services.access.needs import KNOWN, PUBLIC, needs
from services.access.principals import Principal
from services.access.state import AccessState, Fact, admission
from services.access.tokens import Claims, Tokens
from services.process.application import furnish
from services.process.operator_error import OperatorError
from services.process.wake import Wake
from tests.access.issuing import AUDIENCE, TestIssuer, issuing
from tests.ledger.serving import serving

NOW = datetime.now(UTC)
OF_ONE = {"date", "x-request-id"}
"""Headers that no two answers have alike."""

NAME = f"sha256:{'0' * 64}"


class Book:
    """What a process knows of access, written by hand."""

    def __init__(self) -> None:
        self.state = AccessState()
        self.wake = Wake()

    def record(self, subject: str, event: AccessEvent) -> None:
        self.state = self.state.after(Fact(self.state.position + 1, subject, "local", NOW, event))
        self.wake.ring()

    def key(self, *roles: Role, accounts: tuple[str, ...] | None = None, ends_at: datetime | None = None) -> str:
        made = Credential.make()
        secret = made.hash.hex()
        said = KeyMade(name=NAME, roles=roles, accounts=accounts, ends_at=ends_at, secret_sha256=secret)
        self.record(principal_id(made.key_id), said)
        return str(made)


def routes(reads: list[str]) -> FastAPI:
    app = FastAPI()

    @app.get("/health")
    @needs(PUBLIC)
    async def health() -> str:
        return "live"

    @app.get("/me")
    @needs(KNOWN)
    async def me(request: Request) -> str:
        return principal_of(request.scope).id

    @app.post("/accounts/{account_id}/tasks")
    @needs(Right.TASKS)
    async def close(account_id: str, body: dict[str, Any]) -> str:
        reads.append(account_id)
        return account_id

    @app.get("/accounts")
    @needs(Right.BALANCES, listing=True)
    async def accounts(request: Request) -> list[str] | None:
        seen = principal_of(request.scope).accounts
        return None if seen is None else sorted(seen)

    @app.get("/stream")
    @needs(Right.LOG, streams=True)
    async def stream() -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            yield b"begun\n"
            await asyncio.Event().wait()

        return StreamingResponse(lines())

    return app


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def reads() -> list[str]:
    return []


@pytest.fixture
async def issuer() -> AsyncIterator[TestIssuer]:
    async with issuing() as running:
        running.add("ES256", "one")
        yield running


@pytest.fixture
def limits() -> Limits:
    return Limits(LimitSettings())


@pytest.fixture
async def client(book: Book, reads: list[str], issuer: TestIssuer, limits: Limits) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as fetching:

        async def admit(person: Principal) -> None:
            book.record(person.id, admission(person, None))

        door = Door(book, limits, Tokens(Issuer(issuer.url, fetching), Claims(issuer.url, AUDIENCE)), admit=admit)

        def application() -> FastAPI:
            app = routes(reads)
            guard(app, lambda _: door)
            furnish(app)
            return app

        async with serving(application) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as opened:
            yield opened


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


async def refused(client: httpx.AsyncClient, method: str, path: str, credential: str | None = None) -> tuple[int, str]:
    headers = bearer(credential) if credential is not None else {}
    answer = await client.request(method, path, headers=headers, json={} if method == "POST" else None)
    if credential:
        assert credential not in answer.text
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def test_nobody_comes_in_without_a_credential(client: httpx.AsyncClient, reads: list[str]):
    assert (await client.get("/health")).status_code == 200
    answer = await client.post("/accounts/oka/tasks", content=b"not read at all")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert not reads


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Basic b2s6b2s=", "hb1_x", "Bearer hb1_x", "Bearer \xff\xfe", "Bearer a.b.c"]
)
async def test_what_is_no_credential_is_refused(header: str, client: httpx.AsyncClient):
    answer = await client.get("/me", headers={"Authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (401, "not-authenticated")


async def test_a_key_does_what_its_roles_say(client: httpx.AsyncClient, book: Book, reads: list[str]):
    recorder, reader = book.key(Role.RECORDER), book.key(Role.READER)
    assert (await client.post("/accounts/oka/tasks", json={}, headers=bearer(recorder))).json() == "oka"
    assert await refused(client, "POST", "/accounts/oka/tasks", reader) == (403, "not-allowed")
    assert reads == ["oka"]
    said = await client.post("/accounts/oka/tasks", json={}, headers=bearer(reader))
    assert "tasks" in said.json()["detail"]


async def test_a_foreign_account_is_to_a_scoped_key_what_an_unknown_one_is(client: httpx.AsyncClient, book: Book):
    scoped = bearer(book.key(Role.RECORDER, accounts=("oka",)))
    answers = [await client.post(f"/accounts/{each}/tasks", json={}, headers=scoped) for each in ("kama", "none")]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].text.replace("kama", "none") == answers[1].text
    one, other = ({name: text for name, text in each.headers.items() if name not in OF_ONE} for each in answers)
    assert one == other


async def test_lists_need_a_scope_or_the_right_to_all(client: httpx.AsyncClient, book: Book):
    assert (await client.get("/accounts", headers=bearer(book.key(Role.CUSTOMER, accounts=("oka",))))).json() == ["oka"]
    assert (await client.get("/accounts", headers=bearer(book.key(Role.READER)))).json() is None
    assert await refused(client, "GET", "/accounts", book.key(Role.RECORDER)) == (403, "not-allowed")
    assert await refused(client, "GET", "/accounts", book.key(Role.ADMIN)) == (403, "not-allowed")


async def test_a_person_is_let_in_and_recorded_once(client: httpx.AsyncClient, book: Book, issuer: TestIssuer):
    token = issuer.token("one", roles=["reader"])
    ids = {(await client.get("/me", headers=bearer(token))).json() for _ in range(3)}
    (person,) = ids
    assert book.state.people == {person: PersonAdmitted(name=None, roles=(Role.READER,), accounts=None)}
    await client.get("/me", headers=bearer(issuer.token("one", roles=["finance"])))
    assert book.state.people[person].roles == (Role.FINANCE,)


async def test_where_the_issuer_was_never_reached_the_caller_comes_again(issuer: TestIssuer, client: httpx.AsyncClient):
    issuer.fails = True
    answer = await client.get("/me", headers=bearer(issuer.token("one")))
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "identity-provider-unavailable")
    assert answer.headers["Retry-After"]


async def to_its_end(lines: AsyncIterator[str]) -> None:
    """Comes when the server has ended the answer, which it cannot do in good order."""
    with suppress(httpx.RemoteProtocolError):
        async for _ in lines:
            pass


async def test_a_stream_ends_when_its_key_does(client: httpx.AsyncClient, book: Book):
    revoked, staying = book.key(Role.AUDITOR), book.key(Role.AUDITOR)
    ending = book.key(Role.AUDITOR, ends_at=datetime.now(UTC) + timedelta(seconds=1))
    async with (
        client.stream("GET", "/stream", headers=bearer(staying)) as other,
        client.stream("GET", "/stream", headers=bearer(ending)) as timed,
        client.stream("GET", "/stream", headers=bearer(revoked)) as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == "begun"
        book.record(principal_id(Credential.parse(revoked).key_id), KeyRevoked(reason="lost"))
        for each in (lines, timed.aiter_lines()):
            await to_its_end(each)
        assert await anext(other.aiter_lines()) == "begun"
    assert await refused(client, "GET", "/stream", revoked) == (401, "not-authenticated")


async def test_without_a_door_everybody_is_local(book: Book, reads: list[str]):
    def application() -> FastAPI:
        app = routes(reads)
        guard(app, lambda _: Door(book, Limits(LimitSettings()), is_open=True))
        return app

    async with serving(application) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        assert (await client.get("/me")).json() == "local"


def test_a_route_that_names_no_right_keeps_the_application_from_starting(reads: list[str]):
    app = routes(reads)

    @app.get("/forgotten")
    async def forgotten() -> str:
        return "open to all"

    with pytest.raises(OperatorError, match="GET /forgotten"):
        guard(app, lambda _: Door(Book(), Limits(LimitSettings())))


def test_what_every_route_needs_is_one_table(reads: list[str]):
    assert {path: need.right for (_, path), need in table(routes(reads)).items()} == {
        "/health": None, "/me": None, "/accounts/{account_id}/tasks": Right.TASKS,
        "/accounts": Right.BALANCES, "/stream": Right.LOG,
    }  # fmt: skip
