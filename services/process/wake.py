"""A bell for those who follow the log: it has grown. A hint only; polling is what guarantees."""

import asyncio
from contextlib import suppress

POLL_SECONDS = 0.1


class Ring:
    """The next time the bell rings."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()

    async def wait(self, seconds: float = POLL_SECONDS) -> bool:
        """Until it rings, or so long; whether it has rung."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.rung.wait()
        return self.rung.is_set()


class Wake:
    """A bell in this process, rung after every commit.

    Take the next ring before reading: what is committed while you read rings it.
    """

    def __init__(self) -> None:
        self.next = Ring()

    def ring(self) -> None:
        """Something was committed."""
        self.next.rung.set()
        self.next = Ring()
