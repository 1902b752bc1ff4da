"""The ledger's log over HTTP, page by page from any position, for workers that catch up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import httpx

from services.process.lost_past import EPOCH_HEADER, WENT_BACK
from services.projections.following.identity import FollowedLedger
from services.projections.following.logged import CannotApply, Logged, hash_of, written_on
from services.projections.following.tracking import Place

PAGE_EVENTS = 10_000
KNOWN_SECONDS = 2.0
LEDGER_UNAVAILABLE = (httpx.HTTPError,)


class OtherLog(CannotApply):
    """The log is not the one this projection was made from."""


class OtherPast(OtherLog):
    """The ledger's log does not have what this projection applied last: its tables are not true."""


class LogWentBack(CannotApply):
    """The log has lost what this projection, or the ledger itself, knows of it, and no new epoch has begun."""

    def __init__(self) -> None:
        super().__init__(WENT_BACK)


class LogFeed:
    """GET /v1/log of the ledger that is followed, for one of its logs.

    Everything raises OtherLedger where another ledger answers, and httpx errors while none does.
    """

    def __init__(self, client: httpx.AsyncClient, log: str, followed: FollowedLedger, logs: int = 1) -> None:
        self._client = client
        self.log = log
        self._followed = followed
        self.logs = logs
        self._asking = asyncio.Lock()
        self._ended: tuple[float, Place | None] = (float("-inf"), None)
        self.epoch = 1
        """The ledger's, as it said last."""

    async def head(self) -> int:
        """The position of the log's last event."""
        response = await self._client.get("/v1/log", params={"log": self.log, "after": 0, "limit": 1})
        return int((await self._of_followed(response)).headers["Hourbook-Position"])

    async def ends_with(self, place: Place) -> bool:
        """Whether the log ends with that place's event in its epoch, or did so less than two seconds ago.

        It is asked once for all who stand there.
        """
        async with self._asking:
            now = asyncio.get_running_loop().time()
            asked_at, end = self._ended
            if end is None or end.last != place.last or now - asked_at > KNOWN_SECONDS:
                end = place if await self._is_last(place) else None
                self._ended = (now, end)
            return end is not None and self.epoch == place.epoch

    async def _is_last(self, place: Place) -> bool:
        asked = {"log": self.log, "after": max(place.position - 1, 0), "limit": 1}
        response = await self._of_followed(await self._client.get("/v1/log", params=asked))
        is_head = int(response.headers["Hourbook-Position"]) == place.position
        return is_head and (not place.position or self._other_than(place, response.content) is None)

    async def hashes(self, after: int, limit: int) -> list[str]:
        """The leaf hashes of the events after that position, in hexadecimal, at most so many."""
        asked = {"log": self.log, "after": after, "limit": limit}
        response = await self._client.get("/v1/log/hashes", params=asked)
        return (await self._of_followed(response)).json()["hashes"]

    async def require_past(self, place: Place) -> None:
        """LogWentBack unless the log has that place's event; OtherPast where it need not, in a later epoch."""
        async with aclosing(self.pages(place)) as pages:
            await anext(pages, None)

    async def require_owner(self, ledger_id: str | None) -> None:
        """OtherLedger unless that is the ledger that is followed, or none is named."""
        await self._followed.require(ledger_id)

    async def pages(self, after: Place) -> AsyncGenerator[list[Logged], None]:
        """All events after that place, in pages that are never empty; the next page is fetched in advance.

        Raises OtherPast if the log does not have that place's event, and CannotApply on reaching an event that cannot
        be read.
        """
        page = asyncio.ensure_future(self._page(after))
        try:
            while True:
                events, failure = await page
                if events:
                    after = replace(Place.after(events[-1], self.log), epoch=self.epoch)
                    page = asyncio.ensure_future(self._page(after))
                    yield events
                if failure:
                    raise failure
                if not events:
                    return
        finally:
            page.cancel()
            await asyncio.gather(page, return_exceptions=True)

    async def _page(self, after: Place) -> tuple[list[Logged], CannotApply | None]:
        """The events up to the first that cannot be read, and why it cannot.

        Each page begins with the event before it, which proves that this is the log we have been following.
        """
        last = after if after.position else None
        asked = {"log": self.log, "after": after.position - bool(last), "limit": PAGE_EVENTS}
        events: list[Logged] = []
        async with self._client.stream("GET", "/v1/log", params=asked) as response:
            await _require_present(response)
            await self._of_followed(response)
            if self.epoch < after.epoch:
                raise LogWentBack
            if (logs := int(response.headers.get("Hourbook-Logs", self.logs))) != self.logs:
                raise OtherLog(f"the ledger has {logs} logs, and HOURBOOK_LOGS is {self.logs} here: set it to {logs}")
            try:
                async for lines in _lines(response.aiter_bytes()):
                    if last:
                        self._require(lines.pop(0), last, response)
                        last = None
                    events.extend(map(Logged.of_line, lines))  # what comes before a failure is kept
                if last:
                    self._require(None, last, response)
            except CannotApply as failure:
                return events, failure
        return events, None

    async def _of_followed(self, response: httpx.Response) -> httpx.Response:
        await self._followed.require(response.raise_for_status().headers.get("Hourbook-Ledger"))
        self.epoch = int(response.headers.get(EPOCH_HEADER, "1"))
        return response

    def _require(self, line: bytes | None, place: Place, response: httpx.Response) -> None:
        """OtherPast unless the line is of the event that was applied last; OtherLog if the ledger names itself not."""
        found = self._other_than(place, line)
        if found is None:
            return
        if self.epoch <= place.epoch and "Hourbook-Ledger" in response.headers:
            raise LogWentBack
        differs = OtherPast if "Hourbook-Ledger" in response.headers else OtherLog
        raise differs(f"this projection has applied event {place.event_id} at {place.position}; the log has {found}")

    def _other_than(self, place: Place, line: bytes | None) -> str | None:
        """What the log has there, by its line, in place of the event that was applied last."""
        there = written_on(line) if line else None
        if there is None:
            return "nothing that far"
        if (there.position, there.event_id) != (place.position, place.event_id):
            return f"event {there.event_id} at {there.position}"
        if place.hash and place.hash != hash_of(there, self.log):
            return "an event of that id with other contents"
        return None


async def _require_present(response: httpx.Response) -> None:
    """LogWentBack where the ledger itself says so."""
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE and b"log-went-back" in await response.aread():
        raise LogWentBack


async def _lines(blocks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes], None]:
    """Whole lines as they arrive, read and forgotten while others are on their way."""
    rest = b""
    async for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]
