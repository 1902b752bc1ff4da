"""The door of a process of projections alone: it follows the ledger's log of access over HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson
from pydantic import TypeAdapter

from contracts.access_events import ACCESS_EVENTS
from contracts.quantities import Instant
from services.access.door import Door
from services.access.settings import AccessSettings, door_of
from services.access.state import AccessState, Fact, NothingKnown
from services.process.lost_past import EPOCH_HEADER
from services.process.outages import outlasting
from services.process.outside import outside_client
from services.process.settings import read
from services.process.stopping import end

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.3
_INSTANT: TypeAdapter[Instant] = TypeAdapter(Instant)


class FollowedAccess(NothingKnown):
    """What the ledger has recorded of access, as far as this process has read it."""

    def __init__(self, ledger: httpx.AsyncClient) -> None:
        super().__init__()
        self._ledger = ledger
        self._epoch = "1"

    async def catch_up(self) -> None:
        """Read what was recorded since; httpx errors while the ledger is unavailable."""
        answer = await self._ledger.get("/v1/access/records", params={"after": self.state.position})
        lines = answer.raise_for_status().content.splitlines()
        epoch = answer.headers.get(EPOCH_HEADER, "1")
        if epoch != self._epoch:
            await self._read_anew(epoch)
            return
        for line in lines:
            self.state = self.state.after(fact_on(line))
        if lines:
            self.wake.ring()

    async def _read_anew(self, epoch: str) -> None:
        """What was read may not be there any more; until all is read again, it stays in force."""
        state, lines = AccessState(), [b""]
        while lines:
            answer = await self._ledger.get("/v1/access/records", params={"after": state.position})
            lines = answer.raise_for_status().content.splitlines()
            for line in lines:
                state = state.after(fact_on(line))
        self.state, self._epoch = state, epoch
        self.wake.ring()

    async def keep_up(self) -> None:
        """Until cancelled. Without the ledger, what is known stays in force."""

        async def follow() -> None:
            while True:
                await self.catch_up()
                await asyncio.sleep(POLL_SECONDS)

        await outlasting((httpx.HTTPError,), follow, "The log of access", logger, POLL_SECONDS)


def fact_on(line: bytes) -> Fact:
    """The fact on a line of the log of access."""
    said = orjson.loads(line)
    event = ACCESS_EVENTS[said["type"]].model_validate(said["data"])
    recorded_at = _INSTANT.validate_python(said["recorded_at"])
    return Fact(said["position"], said["account_id"], said["actor"], recorded_at, event)


@asynccontextmanager
async def followed_door(ledger: httpx.AsyncClient) -> AsyncIterator[Door]:
    """The door as the operator has set it, for the time of the context."""
    settings = read(AccessSettings)
    book = FollowedAccess(ledger)
    async with outside_client() as outside:
        following = asyncio.create_task(book.keep_up()) if settings.access == "closed" else None
        try:
            yield door_of(settings, book, outside)
        finally:
            await end(*filter(None, (following,)))
