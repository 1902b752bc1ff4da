"""Ledgers at work on an empty database."""

import secrets
from collections.abc import AsyncIterator

import pytest

from services.ledger.event_store.migrations import migrate
from services.ledger.event_store.store import EventStore
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[EventStore]:
    """The event store of an empty database."""
    await migrate(database_url)
    async with EventStore.connected(database_url) as opened:
        yield opened


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Of a ledger without NATS, relay and expiry."""
    return Settings(database_url=database_url, nats_url=None, sandbox=False, projections_url=None)


@pytest.fixture
async def ledger(settings: Settings) -> AsyncIterator[Ledger]:
    """A ledger that takes commands."""
    async with running_ledger(settings) as running:
        yield running


@pytest.fixture
async def other_ledger(settings: Settings, ledger: Ledger) -> AsyncIterator[Ledger]:
    """Another process, as it were, on the same database."""
    async with running_ledger(settings) as running:
        yield running


@pytest.fixture
def log_id() -> int:
    """A log that no other test knows, and so a stream of the test's own."""
    return secrets.randbelow(2**31)
