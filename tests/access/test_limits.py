"""How much one caller may ask of a process: counted by hand, and met over HTTP."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI

from contracts.access import Role
from services.access.door import Door
from services.access.guard import guard
from services.access.limits import AT_ONCE_SECONDS, CALLERS_MAX, Allowance, Limits, LimitSettings
from services.access.principals import LOCAL, Principal
from services.process.application import furnish
from services.process.problem_responses import ProblemError
from tests.access.test_door import Book, bearer, routes
from tests.ledger.serving import serving


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def given_at_once(allowance: Allowance, caller: str) -> int:
    """How often the caller is given something before it has to wait."""
    times = 0
    while not allowance.wait(caller):
        allowance.take(caller)
        times += 1
    return times


def test_who_has_had_everything_waits_and_nobody_else_does():
    clock = HandClock()
    allowance = Allowance(10, clock)
    assert given_at_once(allowance, "key-a") in (10 * AT_ONCE_SECONDS, 10 * AT_ONCE_SECONDS + 1)
    assert 0 < allowance.wait("key-a") <= 0.1
    assert allowance.wait("key-b") == 0
    clock.now += 1
    assert given_at_once(allowance, "key-a") in (9, 10, 11)


def test_who_takes_much_at_once_waits_the_longer():
    allowance = Allowance(1000, HandClock())
    allowance.take("key-a", 60_000)
    assert allowance.wait("key-a") == pytest.approx(60 - AT_ONCE_SECONDS)


def test_ten_thousand_principals_are_told_apart_and_no_number_of_addresses_takes_more_memory():
    allowance = Allowance(1, HandClock())
    for number in range(10_000):
        allowance.take(f"key-{number}", 60)
    assert all(allowance.wait(f"key-{number}") for number in range(10_000))
    for number in range(3 * CALLERS_MAX):
        allowance.take(f"address-{number}", 60)
    assert len(allowance._whole_at) == CALLERS_MAX
    assert not allowance.wait("key-1")
    assert allowance.wait(f"address-{3 * CALLERS_MAX - 1}")


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("", "", True),
    ],
)
def test_strangers_are_counted_by_their_address_and_in_ipv6_by_their_network(first: str, second: str, alike: bool):
    limits = Limits(LimitSettings(refusals=1), HandClock())
    for _ in range(AT_ONCE_SECONDS + 1):
        limits.require_stranger(first)
    with pytest.raises(ProblemError):
        limits.require_stranger(first)
    if alike:
        with pytest.raises(ProblemError):
            limits.require_stranger(second)
    else:
        limits.require_stranger(second)


def test_without_a_credential_nothing_is_limited():
    limits = Limits(LimitSettings(streams=1, bulk_bytes=1), HandClock())
    with limits.stream(LOCAL), limits.stream(LOCAL):
        limits.require_bulk(LOCAL)


async def test_streams_that_have_ended_do_not_count():
    limits = Limits(LimitSettings(streams=1), HandClock())
    key = Principal.with_roles("key-a", "key", frozenset({Role.AUDITOR}))
    for _ in range(3):
        with limits.stream(key), pytest.raises(ProblemError, match="HOURBOOK_STREAMS_MAX"):
            limits.stream(key)
    assert not limits._streams


Asking = Callable[[Limits], AsyncIterator[httpx.AsyncClient]]


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
async def client(book: Book) -> AsyncIterator[httpx.AsyncClient]:
    """A service with a clock that stands still: nobody is ever given anything again."""
    limits = Limits(LimitSettings(requests=2, streams=2, refusals=2), HandClock())

    def application() -> FastAPI:
        app = routes([])
        guard(app, lambda _: Door(book, limits))
        furnish(app)
        return app

    async with serving(application) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as opened:
        yield opened


async def until_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> tuple[list[int], httpx.Response]:
    """The statuses before the first 429, and that."""
    statuses: list[int] = []
    for _ in range(100):
        answer = await client.get("/me", headers=headers)
        if answer.status_code == 429:
            return statuses, answer
        statuses.append(answer.status_code)
    raise AssertionError(statuses)


async def test_a_principal_that_asks_too_often_is_told_when_to_come_again_and_others_are_answered(
    client: httpx.AsyncClient, book: Book
):
    often, seldom = book.key(Role.READER), book.key(Role.READER)
    statuses, refused = await until_refused(client, bearer(often))
    assert set(statuses) == {200}
    assert refused.json()["type"].endswith(":too-many-requests")
    assert "HOURBOOK_REQUESTS_PER_SECOND" in refused.json()["detail"]
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await client.get("/me", headers=bearer(seldom))).status_code == 200
    assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize("header", [{}, bearer("a.b.c"), bearer(f"hb1_{'a' * 16}_{'b' * 43}")], ids=str)
async def test_guessing_is_slowed_down_and_locks_nobody_out(
    client: httpx.AsyncClient, book: Book, header: dict[str, str]
):
    statuses, refused = await until_refused(client, header)
    assert set(statuses) == {401}
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await client.get("/me", headers=bearer(book.key(Role.READER)))).status_code == 200


async def test_so_many_streams_and_no_more(client: httpx.AsyncClient, book: Book):
    key, other = bearer(book.key(Role.AUDITOR)), bearer(book.key(Role.AUDITOR))
    async with client.stream("GET", "/stream", headers=key), client.stream("GET", "/stream", headers=key):
        refused = await client.get("/stream", headers=key)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
        assert (await client.get("/me", headers=key)).status_code == 200
        async with client.stream("GET", "/stream", headers=other) as answer:
            assert answer.status_code == 200
