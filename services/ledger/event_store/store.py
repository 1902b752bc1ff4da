"""The recorder: appends events, and reads them back."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import asyncpg

from services.ledger.event_store import traces
from services.ledger.event_store.appending import HASHES, Appender
from services.ledger.event_store.database import Database
from services.ledger.event_store.identity import ledger_id_of
from services.ledger.event_store.known_ends import KnownEnds
from services.ledger.event_store.personal import ERASING_WAITS_MAX, PersonalData
from services.ledger.event_store.roles import LEDGER
from services.ledger.event_store.seals import Sealer
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.event_store.writability import Writability

READERS_MAX = 8
PAGE_READERS_MAX = 4
"""Of these connections for pages of the log or of an account: commands find one, however many are reading."""
APPEND_SECONDS_MAX = 4  # twice, and once to connect: callers have an answer within ten seconds of a failure

COLUMNS = (
    "position, account_id, version, event_id::text, command_id, fingerprint, type, schema_version, recorded_at, data, "
    "actor"
)
"""What a `StoredEvent` is made of."""

_EVENTS = f"SELECT {COLUMNS} FROM ledger.event "  # noqa: S608 - nothing in it comes from outside
_PAGE = _EVENTS + "WHERE log_id = $1 AND position > $2 ORDER BY position LIMIT $3"
_ACCOUNT_PAGE = _EVENTS + "WHERE log_id = $1 AND account_id = $2 AND version > $3 ORDER BY version LIMIT $4"
_FROM = f"""
    SELECT page.* FROM unnest($2::text[], $3::integer[]) AS known (id, last)
    CROSS JOIN LATERAL (
        {_EVENTS} WHERE log_id = $1 AND account_id = known.id AND version >= known.last ORDER BY version LIMIT $4
    ) AS page
    ORDER BY page.account_id, page.version
"""  # noqa: S608 - nothing in it comes from outside
_COMMANDS = """
    SELECT e.account_id, e.command_id, e.fingerprint, e.version FROM unnest($2::text[], $3::text[]) AS asked (id, key)
    JOIN ledger.event AS e
        ON e.log_id = $1 AND e.account_id = asked.id AND e.command_id = asked.key AND e.fingerprint IS NOT NULL
"""
# Up to the next event with a fingerprint: there the next command begins.
_OF_COMMANDS = f"""
    SELECT command.* FROM unnest($2::text[], $3::integer[]) AS known (id, first)
    CROSS JOIN LATERAL (
        {_EVENTS} WHERE log_id = $1 AND account_id = known.id AND version >= known.first AND version < coalesce(
            (SELECT min(version) FROM ledger.event
             WHERE log_id = $1 AND account_id = known.id AND version > known.first AND fingerprint IS NOT NULL),
            2147483647)
    ) AS command
    ORDER BY command.account_id, command.version
"""  # noqa: S608
_HEAD = "SELECT coalesce(max(position), 0) FROM ledger.event WHERE log_id = $1"
_EVENT_ID = "SELECT event_id::text FROM ledger.event WHERE log_id = $1 AND position = $2"
_DUE = """
    SELECT account_id, next_due_at FROM ledger.due
    WHERE log_id = $1 AND next_due_at <= $2 AND (next_due_at, account_id) > ($3, $4)
    ORDER BY next_due_at, account_id LIMIT $5
"""

CommandKey = tuple[str, str]
"""An account, and one of the idempotency keys that are its own (rule 11.2)."""


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """Where a command's first event is."""

    account_id: str
    command_id: str
    fingerprint: bytes
    version: int

    @property
    def key(self) -> CommandKey:
        """The account, and its key of the command."""
        return self.account_id, self.command_id


class EventStore:
    """The logs in one PostgreSQL. Every call raises LedgerUnavailable while it is unavailable.

    Appending has connections of its own, so that slow readers never hold it up.
    """

    def __init__(
        self,
        readers: Database,
        writers: Database,
        personal: PersonalData,
        ends: KnownEnds,
        sealer: Sealer | None = None,
    ) -> None:
        self.readers = readers
        self.ends = ends
        self.personal = personal
        self.sealer = sealer
        self._writers = writers
        self._appender = Appender(writers, ends, sealer)
        self._ledger_id: str | None = None
        self._page_readers = asyncio.Semaphore(PAGE_READERS_MAX)

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, database_url: str, logs: int = 1, sealer: Sealer | None = None, role: str = LEDGER
    ) -> AsyncIterator[Self]:
        """Open for the time of the context; the schema has to be there. Each log appends on its own, one at a time.

        `sealer`: of this process; without one it can append only where appends are not sealed. `role`: what the process
        may do there; LEDGER alone appends and erases.
        """
        ends = KnownEnds()
        each = {"role": role, "require": ends.require}
        async with (
            Database.connected(database_url, READERS_MAX, name="readers", **each) as readers,
            Database.connected(database_url, logs + 1, APPEND_SECONDS_MAX, "writers", **each) as writers,
            Database.connected(database_url, 1, name="erasers", lock_timeout=ERASING_WAITS_MAX, **each) as erasers,
        ):
            yield cls(readers, writers, PersonalData(readers, erasers), ends, sealer)

    async def require_known_past(self) -> None:
        """LogWentBack where the logs do not have what this process knows of them; in a new epoch it knows nothing."""
        await self.readers.require(self.ends.require)

    async def epoch(self) -> int:
        """Which epoch it is now, as far as this process knows."""
        if self.ends.epoch is None:
            await self.require_known_past()
        return self.ends.epoch or 1

    @property
    def writability(self) -> Writability:
        """Whether anything can be appended now, as far as is known."""
        return self._appender.writability

    async def append(self, log_id: int, events: Sequence[StoredEvent], next_due: Mapping[str, datetime | None]) -> int:
        """Append all events or none, and return the position of the first; AlreadyTaken if a key stands against it."""
        return await self._appender.append(log_id, events, next_due)

    async def keep_traces(self, log_id: int, traceparents: Mapping[str, str]) -> None:
        """Of which trace events are that are about to be appended, by their ids."""
        await traces.keep(self._writers, log_id, traceparents)

    async def traces(self, log_id: int, events: Iterable[StoredEvent]) -> dict[str, str]:
        """The traceparents of those events that have one, by their ids."""
        return await traces.kept(self.readers, log_id, [event.event_id for event in events])

    async def events_from(
        self, log_id: int, versions: Mapping[str, int], each_max: int
    ) -> dict[str, list[StoredEvent]]:
        """The events of each account from that version on, in order, at most so many."""
        known = (list(versions), list(versions.values()))
        found: dict[str, list[StoredEvent]] = {account_id: [] for account_id in versions}
        for event in _events(await self.readers.rows(_FROM, log_id, *known, each_max)):
            found[event.account_id].append(event)
        return found

    async def commands(self, log_id: int, keys: Collection[CommandKey]) -> dict[CommandKey, RecordedCommand]:
        """Those of the commands that are recorded."""
        asked = ([account_id for account_id, _ in keys], [command_id for _, command_id in keys])
        found = [RecordedCommand(*row) for row in await self._writers.rows(_COMMANDS, log_id, *asked)]
        return {each.key: each for each in found}

    async def events_of(self, log_id: int, commands: Iterable[RecordedCommand]) -> dict[CommandKey, list[StoredEvent]]:
        """All events of each command."""
        known = {each.key: each for each in commands}.values()
        firsts = ([each.account_id for each in known], [each.version for each in known])
        found: dict[CommandKey, list[StoredEvent]] = {each.key: [] for each in known}
        for event in _events(await self.readers.rows(_OF_COMMANDS, log_id, *firsts)):
            if (key := (event.account_id, event.command_id)) in found:
                found[key].append(event)
        return found

    async def account_page(self, log_id: int, account_id: str, after: int, limit: int) -> list[StoredEvent]:
        """An account's events after that version, in order, at most so many."""
        async with self._page_readers:
            return _events(await self.readers.rows(_ACCOUNT_PAGE, log_id, account_id, after, limit))

    async def page(self, log_id: int, after: int, limit: int) -> list[StoredEvent]:
        """The log's events after that position, in order, at most so many."""
        epoch = self.ends.epoch
        async with self._page_readers:
            page = _events(await self.readers.rows(_PAGE, log_id, after, limit))
        if page:
            self.ends.know(epoch, log_id, page[-1].position or 0, page[-1].event_id)
        return page

    async def head(self, log_id: int) -> int:
        """The position of the last event; 0 for an empty log."""
        return await self.readers.value(_HEAD, log_id)

    async def hashes(self, log_id: int, after: int, limit: int) -> list[str]:
        """The leaf hashes, in hexadecimal, of the events after that position, in order, at most so many."""
        hashes = await self.readers.value(HASHES, log_id, after, limit)
        return hashes.split(" ") if hashes else []

    async def ledger_id(self) -> str:
        """Which ledger this is; read once, because it never changes."""
        self._ledger_id = self._ledger_id or await ledger_id_of(self.readers)
        return self._ledger_id

    async def event_id(self, log_id: int, position: int) -> str | None:
        """The id of the event at that position."""
        return await self.readers.value(_EVENT_ID, log_id, position)

    async def due(
        self, log_id: int, now: datetime, after: tuple[datetime, str], limit: int
    ) -> list[tuple[datetime, str]]:
        """Accounts with a package that has ended by now, and when: the earliest after that place, found by index."""
        rows = await self.readers.rows(_DUE, log_id, now, *after, limit)
        return [(row["next_due_at"], row["account_id"]) for row in rows]


def _events(rows: Iterable[asyncpg.Record]) -> list[StoredEvent]:
    return [StoredEvent(*row) for row in rows]
