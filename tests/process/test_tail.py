"""Followers of a tail get everything in order, from wherever they begin; it is read once for all of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from services.process import tail
from services.process.problem_responses import ProblemError
from services.process.tail import Page, Tail
from services.process.wake import Wake

PATIENCE_SECONDS_MAX = 60
FAR = 2**63 - 1


class Growing:
    """A row for each number, and how often it was read."""

    def __init__(self) -> None:
        self.rows = 0
        self.reads = 0
        self.asked = 0
        self.unavailable = False
        self.grown = Wake()
        self.tail = Tail(self.newest, self.read, self.grown, (OSError,))

    def grow(self, rows: int) -> None:
        self.rows += rows
        self.grown.ring()

    async def newest(self) -> int:
        self.asked += 1
        newest = self.rows
        await asyncio.sleep(0.001)
        if self.unavailable:
            raise OSError
        return newest

    async def read(self, after: int, rows_max: int) -> Page | None:
        self.reads += 1
        await asyncio.sleep(0)
        if self.unavailable:
            raise OSError
        last = min(self.rows, after + rows_max)
        numbers = range(after + 1, last + 1)
        return Page(last, b"".join(b"%d\n" % number for number in numbers)) if numbers else None


@pytest.fixture
async def growing() -> AsyncIterator[Growing]:
    made = Growing()
    running = asyncio.create_task(made.tail.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def numbers(growing: Growing, after: int, until: int) -> list[int]:
    """What a follower gets after one number up to another."""
    async with asyncio.timeout(PATIENCE_SECONDS_MAX), aclosing(growing.tail.follow(after, until)) as blocks:
        got = b"".join([block async for block in blocks])
    return [int(line) for line in got.splitlines()]


@asynccontextmanager
async def following(growing: Growing, *after: int, until: int) -> AsyncIterator[list[asyncio.Task[list[int]]]]:
    """Followers that have begun."""
    before = growing.tail.followers
    tasks = [asyncio.create_task(numbers(growing, each, until)) for each in after]
    async with asyncio.timeout(PATIENCE_SECONDS_MAX):
        while growing.tail.followers < before + len(after):
            await asyncio.sleep(0)
        yield tasks
        await asyncio.gather(*tasks)


@pytest.mark.parametrize("there", [0, 1, 1000])
async def test_followers_from_anywhere_get_everything_once_and_in_order(growing: Growing, there: int):
    growing.grow(there)
    begins = sorted({0, there // 3, there, there + 100})
    until = there + 3000
    async with following(growing, *begins, until=until) as tasks:
        for rows in (1, 700, 9, 2290):
            growing.grow(rows)
            await asyncio.sleep(0)
    for begin, task in zip(begins, tasks, strict=True):
        assert task.result() == [*range(begin + 1, until + 1)]


async def test_what_is_new_is_read_once_for_all(growing: Growing):
    async with following(growing, *[0] * 500, until=20) as tasks:
        reads = growing.reads
        for _ in range(20):
            growing.grow(1)
            await asyncio.sleep(0)
    assert {tuple(task.result()) for task in tasks} == {tuple(range(1, 21))}
    assert growing.reads - reads <= 60  # each is read once, and perhaps the end twice


async def test_nothing_is_read_while_nobody_follows(growing: Growing):
    assert await numbers(growing, 0, 0) == []
    async with following(growing, 0, until=1):
        growing.grow(1)
    await asyncio.sleep(0)
    reads = growing.reads
    growing.grow(1)
    for _ in range(100):
        await asyncio.sleep(0)
    assert growing.reads == reads
    assert await numbers(growing, 1, 2) == [2]


@pytest.mark.parametrize("there", [0, 1])
async def test_an_outage_is_waited_out(growing: Growing, there: int):
    """By those who wait at the end, and by those who are behind."""
    growing.grow(there)
    async with following(growing, 0, until=there + 2) as tasks:
        growing.grow(1)
        growing.unavailable = True
        await asyncio.sleep(0)
        growing.grow(1)
        await asyncio.sleep(0)
        growing.unavailable = False
        growing.grown.ring()
    assert tasks[0].result() == [*range(1, there + 3)]


async def test_there_is_room_for_so_many(growing: Growing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tail, "FOLLOWERS_MAX", 2)
    async with following(growing, 0, until=1):
        growing.tail.require_room()
        async with following(growing, 0, until=1):
            with pytest.raises(ProblemError) as refused:
                growing.tail.require_room()
            assert refused.value.status_code == 429
            assert refused.value.headers
            assert refused.value.headers["Retry-After"]
            growing.grow(1)
    growing.tail.require_room()


async def test_a_follower_that_hears_nothing_is_woken(growing: Growing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tail, "QUIET_SECONDS", 0.01)
    async with asyncio.timeout(PATIENCE_SECONDS_MAX), aclosing(growing.tail.follow(0, FAR)) as blocks:
        assert await anext(blocks) == b""
        growing.grow(1)
        while not (block := await anext(blocks)):
            pass
    assert block == b"1\n"


async def test_much_is_given_away_in_small_blocks(growing: Growing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tail, "BLOCK_BYTES", 10)
    growing.grow(100)
    async with aclosing(growing.tail.follow(0, 100)) as blocks:
        assert max([len(block) async for block in blocks]) == 10


async def test_the_present_is_read_once_for_many_and_is_never_the_past(growing: Growing):
    async def present() -> bool:
        rows = growing.rows
        return await growing.tail.present() >= rows

    asked = []
    for _ in range(20):
        asked += [asyncio.create_task(present()) for _ in range(50)]
        await asyncio.sleep(0)
        growing.grow(1)
    assert all(await asyncio.gather(*asked))
    assert growing.asked < 20
