"""The end of something that grows, as the log or the changes of alerts: read once for all who follow it here."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from services.process.problem_responses import ProblemError
from services.process.wake import Wake

FOLLOWERS_MAX = 2000
READERS_MAX = 3
"""Followers that read what lies behind the end at the same time: others need connections too."""

QUIET_SECONDS = 15.0
RETRY_SECONDS = 0.2
PAGES_KEPT = 16
PAGE_ROWS = 250
BLOCK_BYTES = 64 << 10
"""What is given away at once: what a follower does not read is kept until it is left."""

BREATH_SECONDS = 0.0001
"""After each page for each follower, so that to serve them all takes half of the time at most."""


class Page(NamedTuple):
    """Everything after some number up to another, as it is sent."""

    last: int
    body: bytes


Read = Callable[[int, int], Awaitable[Page | None]]
"""What follows a number, at most so many rows; nothing at the end."""


class Tail:
    """Followers wait for one bell; behind it one task reads, and only while somebody follows.

    Its pages are shared: its followers are all where it ends. One that is behind reads up to there by itself.
    """

    def __init__(
        self,
        newest: Callable[[], Awaitable[int]],
        read: Read,
        grown: Wake,
        unavailable: tuple[type[Exception], ...],
    ) -> None:
        self._newest = newest
        self._read = read
        self._grown = grown
        self._unavailable = unavailable
        self._pages: OrderedDict[int, Page] = OrderedDict()
        self._end: int | None = None
        self._moved = Wake()
        self._wanted = asyncio.Event()
        self._turns = asyncio.Semaphore(READERS_MAX)
        self._asked: dict[tuple[int, int], asyncio.Task[Page | None]] = {}
        self._asking: asyncio.Task[int] | None = None
        self._to_ask: asyncio.Task[int] | None = None
        self._beginnings = 0
        self.followers = 0

    def begin_anew(self) -> None:
        """What was read may not be there any more: whoever follows now is let go, and asks again."""
        self._beginnings += 1
        self._pages.clear()
        self._end = None
        self._moved.ring()

    async def run(self) -> None:
        """Read what is new for as long as somebody follows, until cancelled; what is unavailable is asked again."""
        while True:
            await self._wanted.wait()
            grown = self._grown.next
            try:
                read = await self._advance()
            except self._unavailable:
                read = False
            if read:
                await asyncio.sleep(BREATH_SECONDS * self.followers)
            else:
                await grown.wait()

    async def _advance(self) -> bool:
        """Whether there was something new."""
        end = self._end
        if end is None:
            self._move(await self._newest())
            return True
        page = await self._read(end, PAGE_ROWS)
        if page is None or self._end != end:  # the last follower has left meanwhile
            return page is not None
        self._pages[end] = page
        if len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        self._move(page.last)
        return True

    def _move(self, end: int) -> None:
        self._end = end
        self._moved.ring()

    async def present(self) -> int:
        """The newest number now: read once for all who ask while the reading before is under way."""
        if self._to_ask is None:
            self._to_ask = asyncio.create_task(self._ask_after(self._asking))
        return await asyncio.shield(self._to_ask)

    async def _ask_after(self, reading: asyncio.Task[int] | None) -> int:
        if reading:
            await asyncio.wait([reading])
        self._asking, self._to_ask = self._to_ask, None
        return await self._newest()

    def require_room(self) -> None:
        """A problem where as many follow as this process has room for."""
        if self.followers >= FOLLOWERS_MAX:
            detail = f"{FOLLOWERS_MAX} streams are open here, and this process has no room for more."
            raise ProblemError("too-many-requests", detail, headers={"Retry-After": "5"})

    async def follow(self, after: int, until: int) -> AsyncGenerator[bytes, None]:
        """What comes after one number up to another, in blocks; an empty one whenever nothing has come for so long."""
        async with self._following():
            beginnings = self._beginnings
            while after < until and beginnings == self._beginnings:
                moved = self._moved.next
                page = self._pages.get(after)
                if page is None or page.last > until:
                    try:
                        page = await self._behind(after, until)
                    except self._unavailable:
                        await asyncio.sleep(RETRY_SECONDS)
                        continue
                if page:
                    for start in range(0, len(page.body), BLOCK_BYTES):
                        yield page.body[start : start + BLOCK_BYTES]
                    after = page.last
                elif not await moved.wait(QUIET_SECONDS):
                    yield b""

    @asynccontextmanager
    async def _following(self) -> AsyncIterator[None]:
        self.followers += 1
        self._wanted.set()
        try:
            yield
        finally:
            self.followers -= 1
            if not self.followers:
                self._wanted.clear()
                self._pages.clear()
                self._end = None

    async def _behind(self, after: int, until: int) -> Page | None:
        """What this follower has not had yet, read once for all who ask for it now; nothing at the end."""
        end = min(self._end or 0, until)
        if after >= end:
            return None
        part = (after, min(PAGE_ROWS, end - after))
        if part not in self._asked:
            self._asked[part] = reading = asyncio.create_task(self._read_in_turn(*part))
            reading.add_done_callback(lambda _: self._asked.pop(part))
        return await asyncio.shield(self._asked[part])

    async def _read_in_turn(self, after: int, rows_max: int) -> Page | None:
        async with self._turns:
            return await self._read(after, rows_max)
