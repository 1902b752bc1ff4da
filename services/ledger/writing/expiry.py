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


async def expire_due(store: EventStore, log_id: int, now: datetime, expire: Expire) -> dict[str, Exception]:
    """Record everything that is due by now in a log; returns what failed, by account, and stopped no other.

    LedgerUnavailable where PostgreSQL is unavailable.
    """
    failed: dict[str, Exception] = {}
    after = (LONG_AGO, "")
    while page := await store.due(log_id, now, after, PAGE_ACCOUNTS):
        outcomes = await asyncio.gather(*(expire(account_id) for _, account_id in page), return_exceptions=True)
        for (_, account_id), outcome in zip(page, outcomes, strict=True):
            if isinstance(outcome, LedgerUnavailable):
                raise outcome
            if isinstance(outcome, Exception):
                failed[account_id] = outcome
        after = page[-1]
    return failed


async def keep_expiring(store: EventStore, logs: int, clock: Clock, expire: Expire) -> None:
    """Record what is due, every second, until cancelled; waits while PostgreSQL is unavailable."""
    logged, failed_before = False, set[str]()
    while True:
        try:
            failed: dict[str, Exception] = {}
            for log_id in range(logs):
                failed |= await expire_due(store, log_id, await clock.now(), expire)
            for account_id in failed.keys() - failed_before:
                failure = failed[account_id]
                logger.error("what is due on account %s cannot be recorded: %r", account_id, failure, exc_info=failure)
            logged, failed_before = False, set(failed)
        except LedgerUnavailable as outage:
            if not logged:
                logger.warning("nothing can be expired now: %s", outage)
            logged = True
        await asyncio.sleep(EVERY_SECONDS)
