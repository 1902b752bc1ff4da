"""The ledger's log over HTTP, page by page from any position, for workers that catch up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import httpx

from services.projections.following.logged import CannotApply, Logged, recorded_on
from services.projections.following.tracking import Place

PAGE_EVENTS = 10_000
LEDGER_UNAVAILABLE = (httpx.HTTPError,)


class OtherLog(CannotApply):
    """The log is not the one this projection was made from."""


class LogFeed:
    """GET /v1/log of one ledger, for one of its logs."""

    def __init__(self, client: httpx.AsyncClient, log: str, logs: int = 1) -> None:
        self._client = client
        self._log = log
        self._logs = logs

    async def head(self) -> int:
        """The position of the log's last event; raises httpx errors while the ledger is unavailable."""
        response = await self._client.get("/v1/log", params={"log": self._log, "after": 0, "limit": 1})
        return int(response.raise_for_status().headers["Hourbook-Position"])

    async def pages(self, after: Place) -> AsyncGenerator[list[Logged], None]:
        """All events after that place, in pages that are never empty; the next page is fetched in advance.

        Raises OtherLog if the log does not have that place's event, CannotApply on reaching an event that cannot be
        read, and httpx errors while the ledger is unavailable.
        """
        page = asyncio.ensure_future(self._page(after))
        try:
            while True:
                events, failure = await page
                if events:
                    after = Place(events[-1].position, events[-1].recorded.event_id)
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
        asked = {"log": self._log, "after": after.position - bool(last), "limit": PAGE_EVENTS}
        events: list[Logged] = []
        async with self._client.stream("GET", "/v1/log", params=asked) as response:
            if (logs := int(response.headers.get("Hourbook-Logs", self._logs))) != self._logs:
                raise OtherLog(f"the ledger has {logs} logs, and HOURBOOK_LOGS is {self._logs} here: set it to {logs}")
            try:
                async for lines in _lines(response.raise_for_status().aiter_bytes()):
                    if last:
                        _require(lines.pop(0), last)
                        last = None
                    events.extend(map(Logged.of_line, lines))  # what comes before a failure is kept
                if last:
                    _require(None, last)
            except CannotApply as failure:
                return events, failure
        return events, None


async def _lines(blocks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes], None]:
    """Whole lines as they arrive, read and forgotten while others are on their way."""
    rest = b""
    async for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _require(line: bytes | None, place: Place) -> None:
    there = recorded_on(line) if line else None
    if there is None or (there.position, there.event_id) != (place.position, place.event_id):
        found = f"event {there.event_id} at {there.position}" if there else "nothing that far"
        raise OtherLog(f"this projection has applied event {place.event_id} at {place.position}; the log has {found}")
