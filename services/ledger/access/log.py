"""The log of access as one process knows it: what it says, folded, and what this process adds to it."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from contracts.access_events import ACCESS_EVENTS, AccessEvent
from contracts.placement import ACCESS_LOG
from services.access.state import AccessState, Fact
from services.ledger.clock import Clock
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.store import AlreadyTaken, EventStore
from services.ledger.event_store.stored_event import Personal, StoredEvent
from services.ledger.writing.submissions import new_id
from services.process.outages import outlasting
from services.process.wake import Wake

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.3
"""A key that is revoked in another process ends here within a second."""

PAGE_EVENTS = 1000
ATTEMPTS_MAX = 20
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Last(NamedTuple):
    """The last event of a subject: what its next one rests on."""

    version: int
    event_id: str
    recorded_at: datetime


class AccessLog:
    """Reads what all processes record of access, and records what happens here."""

    def __init__(self, store: EventStore, clock: Clock) -> None:
        self.state = AccessState()
        self.wake = Wake()
        self._store = store
        self._clock = clock
        self._last: dict[str, Last] = {}
        self._reading = asyncio.Lock()

    async def catch_up(self) -> None:
        """Read what was recorded since; LedgerUnavailable while PostgreSQL is unavailable."""
        async with self._reading:
            while page := await self._store.page(ACCESS_LOG, self.state.position, PAGE_EVENTS):
                for stored in page:
                    self.state = self.state.after(fact_of(stored))
                    self._last[stored.account_id] = Last(stored.version, stored.event_id, stored.recorded_at)
                self.wake.ring()

    async def keep_up(self) -> None:
        """Until cancelled. Without PostgreSQL, what is known stays in force."""

        async def follow() -> None:
            while True:
                await self.catch_up()
                await asyncio.sleep(POLL_SECONDS)

        await outlasting((LedgerUnavailable,), follow, "The log of access", logger, POLL_SECONDS)

    async def record(self, subject: str, event: AccessEvent, actor: str, personal: tuple[Personal, ...] = ()) -> None:
        """Append an event about a subject, and know it here; LedgerUnavailable where that cannot be."""
        for _ in range(ATTEMPTS_MAX):
            await self.catch_up()
            stored = self._stored(subject, event, actor, personal, await self._clock.now())
            try:
                await self._store.append(ACCESS_LOG, [stored], {})
            except AlreadyTaken:
                continue
            return await self.catch_up()
        raise LedgerUnavailable("other processes record about the same principal all the time")

    async def names(self, subjects: Iterable[str]) -> dict[str, str]:
        """The names of principals that are not erased; the last one of each."""
        found: dict[str, str] = {}
        for subject in subjects:
            for row in await self._store.personal.of_account(ACCESS_LOG, subject):
                found[subject] = row["text"]
        return found

    def _stored(
        self, subject: str, event: AccessEvent, actor: str, personal: tuple[Personal, ...], now: datetime
    ) -> StoredEvent:
        last = self._last.get(subject)
        command_id = f"access {new_id()}"
        return StoredEvent(
            position=None,
            account_id=subject,
            version=last.version + 1 if last else 1,
            event_id=new_id(),
            command_id=command_id,
            fingerprint=sha256(command_id.encode()).digest(),
            type=type(event).__name__,
            schema_version=event.schema_version,
            recorded_at=max(now, self._recorded_at),
            data=event.model_dump_json(),
            actor=actor,
            personal=personal,
            follows=last.event_id if last else None,
        )

    @property
    def _recorded_at(self) -> datetime:
        """Of the last event: time never runs back in a log, though a test clock may be set to before its keys."""
        return max((last.recorded_at for last in self._last.values()), default=BEGINNING)


def fact_of(stored: StoredEvent) -> Fact:
    """An event of the log of access, read."""
    assert stored.position is not None
    event = ACCESS_EVENTS[stored.type].model_validate_json(stored.data)
    return Fact(stored.position, stored.account_id, stored.actor or "", stored.recorded_at, event)
