"""The scheduler: finds packages that have ended on idle accounts, and records that like any command (rule 7.1)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from services.ledger.clock import Clock
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.known_account import LONG_AGO
from services.ledger.event_store.store import EventStore

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
PAGE_ACCOUNTS = 200

Expire = Callable[[str], Awaitable[None]]
"""Records what is due on an account; nothing, if another process was faster."""


async def expire_due(store: EventStore, log_id: int, now: datetime, expire: Expire) -> None:
    """Record everything that is due by now in a log."""
    after = (LONG_AGO, "")
    while page := await store.due(log_id, now, after, PAGE_ACCOUNTS):
        await asyncio.gather(*(expire(account_id) for _, account_id in page))
        after = page[-1]


async def keep_expiring(store: EventStore, logs: int, clock: Clock, expire: Expire) -> None:
    """Record what is due, every second, until cancelled; waits while PostgreSQL is unavailable."""
    logged = False
    while True:
        try:
            for log_id in range(logs):
                await expire_due(store, log_id, await clock.now(), expire)
            logged = False
        except LedgerUnavailable as outage:
            if not logged:
                logger.warning("nothing can be expired now: %s", outage)
            logged = True
        await asyncio.sleep(EVERY_SECONDS)
