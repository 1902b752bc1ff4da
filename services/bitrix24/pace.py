"""How often the portal is asked: within its limits by our own count, so that it has no reason to refuse."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

REQUESTS_PER_SECOND = 2.0
REQUESTS_AT_ONCE = 40
"""The portal lets 50 be ahead of its two a second; other programs at this address count with us."""

WORK_SECONDS_MAX = 400.0
"""The portal blocks a method whose calls took it 420 to 480 seconds of ten minutes."""


class Pace:
    """A bucket that each request fills by one and that empties by two a second; and what each method took the portal.

    It is full at first: a process that ended just before may have filled the portal's own.

    `now`: seconds that only grow. `rest`: waits for so many seconds. `waited_seconds`: for how long in all it has.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, rest: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._now = now
        self._rest = rest
        self.waited_seconds = 0.0
        self._filled = float(REQUESTS_AT_ONCE)
        self._seen_at = now()
        self._held_until: dict[str, float] = {}

    async def turn(self, *methods: str) -> None:
        """Wait until these methods may be called once, in one request, and count it."""
        held = max((self._held_until.get(method, 0.0) for method in methods), default=0.0)
        if (wait := held - self._now()) > 0:
            await self.wait(wait)
        self._drain()
        if (excess := self._filled + 1 - REQUESTS_AT_ONCE) > 0:
            await self.wait(excess / REQUESTS_PER_SECOND)
            self._drain()
        self._filled += 1

    async def wait(self, seconds: float) -> None:
        """Ask nothing for so long."""
        self.waited_seconds += seconds
        await self._rest(seconds)

    def took(self, method: str, spent: Any) -> None:
        """Remember what the portal says that a method has taken it; `spent` is the `time` of its answer."""
        if not isinstance(spent, dict):
            return
        work, reset, finish = (spent.get(name) for name in ("operating", "operating_reset_at", "finish"))
        if all(isinstance(each, int | float) for each in (work, reset, finish)) and work >= WORK_SECONDS_MAX:
            self.hold(method, reset - finish)

    def hold(self, method: str, seconds: float) -> None:
        """Call it no more for so long."""
        self._held_until[method] = max(self._held_until.get(method, 0.0), self._now() + seconds)

    def _drain(self) -> None:
        now = self._now()
        self._filled = max(0.0, self._filled - (now - self._seen_at) * REQUESTS_PER_SECOND)
        self._seen_at = now
