"""The suite runs with any number of logs: HOURBOOK_LOGS, one by default."""

import os

import httpx

from contracts.placement import log_of
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent

LOGS = int(os.environ.get("HOURBOOK_LOGS", "1"))


def log_with(account_id: str) -> int:
    """Where that account is."""
    return log_of(account_id, LOGS)


async def all_events(store: EventStore) -> list[StoredEvent]:
    """Every log, one after another; each has to be without gaps."""
    found: list[StoredEvent] = []
    for log_id in range(LOGS):
        page = await store.page(log_id, 0, 100_000)
        assert [event.position for event in page] == list(range(1, len(page) + 1))
        found += page
    return found


async def events_in_all(client: httpx.AsyncClient) -> int:
    """How many there are, in all logs together."""
    heads = [await client.get("/v1/log", params={"log": log, "limit": 1}) for log in range(LOGS)]
    return sum(int(answer.headers["Hourbook-Position"]) for answer in heads)
