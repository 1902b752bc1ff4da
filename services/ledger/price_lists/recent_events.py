"""The events of the last months in all logs, found without reading what is older."""

from collections.abc import AsyncIterator
from datetime import datetime

from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent

PAGE_EVENTS = 1000


async def recorded_since(store: EventStore, logs: int, since: datetime) -> AsyncIterator[list[StoredEvent]]:
    """The events recorded since then, log by log, a page at a time."""
    for log_id in range(logs):
        position = await _position_before(store, log_id, since)
        while page := await store.page(log_id, position, PAGE_EVENTS):
            yield page
            position += len(page)


async def _position_before(store: EventStore, log_id: int, since: datetime) -> int:
    """A position before all that was recorded since then: events are recorded in the order of time, nearly."""
    low, high = 0, await store.head(log_id)
    while low < high:
        middle = (low + high) // 2
        (event,) = await store.page(log_id, middle, 1)
        if event.recorded_at < since:
            low = middle + 1
        else:
            high = middle
    return low
