"""The log of access as one process knows it: what it says, folded, and what this process adds to it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from contracts.access_events import ACCESS_EVENTS, AccessEvent
from contracts.placement import ACCESS_LOG
from services.access.state import AccessState, Fact
from services.ledger.clock import Clock
from services.ledger.domain.terms import Terms
from services.ledger.event_store.appending import AlreadyTaken
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import Personal, StoredEvent
from services.ledger.writing.submissions import new_id
from services.process.outages import outlasting
from services.process.wake import Wake

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""A key that is revoked in another process ends here within a second."""

KNOWN_FOR = timedelta(minutes=30)
"""For so long what was read of the terms is all that can be in force: a version is published an hour ahead.

Half of that hour is for clocks that differ, and for a publication that took its time to be committed.
"""

PAGE_EVENTS = 1000
ATTEMPTS_MAX = 20
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


Requirement = Callable[[AccessState, datetime], None]
"""Raises where an event may not follow what the log says by then, at that time."""


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
        self._read_at = BEGINNING
        self._is_in_doubt = False
        store.ends.at_new_epoch(self._doubt)

    def _doubt(self) -> None:
        """Another epoch has begun: what was read may not be there any more, and is read again before it is gone by."""
        self._is_in_doubt, self._read_at = True, BEGINNING

    @property
    def terms(self) -> Terms:
        """All versions that are published, as far as this process has read."""
        return Terms(tuple(published.version for published in self.state.published))

    async def terms_at(self, now: datetime) -> Terms:
        """All versions that can be in force by then; LedgerUnavailable where that cannot be known.

        A process that has not read the log for too long, or whose clock has leapt, reads it first.
        """
        if abs(now - self._read_at) > KNOWN_FOR:
            await self.catch_up()
        return self.terms

    async def terms_now(self) -> Terms:
        """All versions that are published by now, in any process."""
        await self.catch_up()
        return self.terms

    async def catch_up(self) -> None:
        """Read what was recorded since; LedgerUnavailable while PostgreSQL is unavailable."""
        async with self._reading:
            read_at = await self._clock.now()
            await self._read_on()
            while self._is_in_doubt:
                await self._read_anew()
            self._read_at = read_at

    async def _read_on(self) -> None:
        while page := await self._store.page(ACCESS_LOG, self.state.position, PAGE_EVENTS):
            if self._is_in_doubt:
                return
            for stored in page:
                self.state = self.state.after(fact_of(stored))
                self._last[stored.account_id] = _last(stored)
            self.wake.ring()

    async def _read_anew(self) -> None:
        """From the start; until all is read, what was known stays in force."""
        self._is_in_doubt = False
        state, last = AccessState(), dict[str, Last]()
        try:
            while page := await self._store.page(ACCESS_LOG, state.position, PAGE_EVENTS):
                for stored in page:
                    state = state.after(fact_of(stored))
                    last[stored.account_id] = _last(stored)
        except LedgerUnavailable:
            self._is_in_doubt = True
            raise
        self.state, self._last = state, last
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
        await self.record_where(lambda _, __: None, subject, [event], actor, personal)

    async def record_where(
        self,
        require: Requirement,
        subject: str,
        events: Sequence[AccessEvent],
        actor: str,
        personal: tuple[Personal, ...] = (),
    ) -> None:
        """Append events about a subject together, where nothing that was recorded before speaks against them."""
        for _ in range(ATTEMPTS_MAX):
            await self.catch_up()
            now = await self._clock.now()
            require(self.state, now)
            try:
                await self._store.append(ACCESS_LOG, list(self._stored(subject, events, actor, personal, now)), {})
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
        self, subject: str, events: Sequence[AccessEvent], actor: str, personal: tuple[Personal, ...], now: datetime
    ) -> Iterator[StoredEvent]:
        last = self._last.get(subject)
        version, follows = (last.version, last.event_id) if last else (0, None)
        for number, event in enumerate(events):
            command_id = f"access {new_id()}"
            stored = StoredEvent(
                position=None,
                account_id=subject,
                version=version + number + 1,
                event_id=new_id(),
                command_id=command_id,
                fingerprint=sha256(command_id.encode()).digest(),
                type=type(event).__name__,
                schema_version=event.schema_version,
                recorded_at=max(now, self._recorded_at),
                data=event.model_dump_json(),
                actor=actor,
                personal=personal,
                follows=follows,
            )
            follows = stored.event_id
            yield stored

    @property
    def _recorded_at(self) -> datetime:
        """Of the last event: time never runs back in a log, though a test clock may be set to before its keys."""
        return max((last.recorded_at for last in self._last.values()), default=BEGINNING)


def _last(stored: StoredEvent) -> Last:
    return Last(stored.version, stored.event_id, stored.recorded_at)


def fact_of(stored: StoredEvent) -> Fact:
    """An event of the log of access, read."""
    assert stored.position is not None
    event = ACCESS_EVENTS[stored.type].model_validate_json(stored.data)
    return Fact(stored.position, stored.account_id, stored.actor or "", stored.recorded_at, event)
