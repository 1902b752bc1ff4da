"""The log as NDJSON, page by page, put together from the very bytes that are stored."""

from collections.abc import AsyncIterator

from contracts.quantities import POSITION_MAX
from services.ledger.domain.refusals import AccountNotFound
from services.ledger.event_store.stored_event import StoredEvent, as_lines
from services.ledger.running import Ledger
from services.process.lost_past import EPOCH_HEADER
from services.process.problem_responses import ProblemError

PAGE_EVENTS = 1000


async def log_lines(ledger: Ledger, log_id: int, after: int, limit: int | None) -> AsyncIterator[bytes]:
    """The events after a position up to the end of the log, at most so many."""
    left = POSITION_MAX if limit is None else limit
    while left and (page := await ledger.store.page(log_id, after, min(PAGE_EVENTS, left))):
        yield as_lines(page)
        after, left = after + len(page), left - len(page)


def followed_lines(ledger: Ledger, log_id: int, after: int, limit: int | None) -> AsyncIterator[bytes]:
    """The same, and then each event as it is recorded; a problem where too many follow."""
    tail = ledger.tails[log_id]
    tail.require_room()
    return tail.follow(after, POSITION_MAX if limit is None else after + limit)


def require_log(ledger: Ledger, log_id: int) -> None:
    """A problem for a log that there is not."""
    last = ledger.settings.logs - 1
    if log_id > last:
        raise ProblemError("not-found", f"There is no log {log_id}: logs are numbered from 0 to {last}.")


async def log_headers(ledger: Ledger, log_id: int, head: int | None = None) -> dict[str, str]:
    """Whose log it is, in which epoch, how many logs there are, and how far this one reaches.

    `head`: how far, where that has just been read. A problem where there is no such log.
    """
    require_log(ledger, log_id)
    return {
        EPOCH_HEADER: str(await ledger.store.epoch()),
        "Hourbook-Ledger": await ledger.store.ledger_id(),
        "Hourbook-Logs": str(ledger.settings.logs),
        "Hourbook-Position": str(await ledger.tails[log_id].present() if head is None else head),
    }


async def account_pages(ledger: Ledger, account_id: str) -> AsyncIterator[list[StoredEvent]]:
    """All events of an account, in order, a page at a time; AccountNotFound before the first."""
    log_id, version = ledger.log_of(account_id), 0
    while page := await ledger.store.account_page(log_id, account_id, version, PAGE_EVENTS):
        yield page
        version += len(page)
    if not version:
        raise AccountNotFound(account_id)


async def account_events(ledger: Ledger, account_id: str) -> list[StoredEvent]:
    """All events of an account, in order; AccountNotFound where there are none."""
    return [event async for page in account_pages(ledger, account_id) for event in page]


async def account_lines(ledger: Ledger, account_id: str) -> AsyncIterator[bytes]:
    """All events of an account, a line each; AccountNotFound before the first."""
    async for page in account_pages(ledger, account_id):
        yield as_lines(page)


async def begun(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same lines, once the first of them are read: what fails then is answered, and no answer is cut off for it."""
    first = await anext(lines, b"")

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for more in lines:
            yield more

    return all_of_them()
