"""A ledger whose log is signed and verified by the test that appends to it."""

from collections.abc import AsyncIterator

import pytest

from services.ledger.event_store.migrations import migrate
from services.ledger.event_store.store import EventStore
from tests.ledger.roles import EVERY


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[EventStore]:
    """On an empty log, with the rights of every part."""
    await migrate(database_url)
    async with EventStore.connected(database_url, role=EVERY) as opened:
        yield opened
