"""The recorder: appends events with the keys that guard them, and reads them back."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import asyncpg

from services.ledger.event_store import traces
from services.ledger.event_store.database import Database, LedgerUnavailable, LogWentBack
from services.ledger.event_store.identity import ledger_id_of
from services.ledger.event_store.known_ends import KnownEnds
from services.ledger.event_store.leaf import leaf_of
from services.ledger.event_store.personal import ERASING_WAITS_MAX, PersonalData
from services.ledger.event_store.roles import LEDGER
from services.ledger.event_store.seals import NotSealedNow, Sealer
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.event_store.writability import Writability
from services.process.leaf import Leaf

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
# One text a column, cut apart by PostgreSQL: asyncpg takes longer to encode the arrays than PostgreSQL to append them.
# Where one event has none of something, its array is empty before it is mended.
_SEPARATOR = "\x1f"  # JSON escapes it, and ids do not have it
_APPEND = """
    SELECT first, stored_hashes FROM ledger.append_sealed(
        $1, string_to_array($2, e'\\x1f'), string_to_array($3, e'\\x1f')::integer[],
        string_to_array($4, e'\\x1f')::uuid[], string_to_array($5, e'\\x1f'),
        coalesce(nullif(string_to_array($6, e'\\x1f', ''), '{}'), '{null}')::bytea[], string_to_array($7, e'\\x1f'),
        string_to_array($8, e'\\x1f')::smallint[], string_to_array($9, e'\\x1f')::timestamptz[],
        string_to_array($10, e'\\x1f'), $11, $12, string_to_array($13, e'\\x1f')::integer[],
        string_to_array($14, e'\\x1f'), string_to_array($15, e'\\x1f')::bytea[], string_to_array($16, e'\\x1f'),
        string_to_array($17, e'\\x1f', '')::uuid[],
        coalesce(nullif(string_to_array($18, e'\\x1f', ''), '{}'), '{null}'), $19, $20, $21, $22
    )
"""
_COMMITTED_POSITION = "SELECT ledger.committed_position($1, $2, $3, $4)"
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
# As one value: a row for each hash takes longer than everything else.
_HASHES = """
    SELECT string_agg(encode(hash, 'hex'), ' ' ORDER BY position)
    FROM (SELECT position, hash FROM ledger.event WHERE log_id = $1 AND position > $2 ORDER BY position LIMIT $3) AS e
"""
_EVENT_ID = "SELECT event_id::text FROM ledger.event WHERE log_id = $1 AND position = $2"
_DUE = """
    SELECT account_id, next_due_at FROM ledger.due
    WHERE log_id = $1 AND next_due_at <= $2 AND (next_due_at, account_id) > ($3, $4)
    ORDER BY next_due_at, account_id LIMIT $5
"""


ANOTHER_SCHEMA = (asyncpg.SyntaxOrAccessError, asyncpg.FeatureNotSupportedError)
"""What appending comes to where tables or functions are not those of the migrations; nothing is recorded then."""

CommandKey = tuple[str, str]
"""An account, and one of the idempotency keys that are its own (rule 11.2)."""


class AlreadyTaken(Exception):
    """A key or a version is taken, or an event would follow one that is not in the log: nothing was appended."""


class ClockBehind(LedgerUnavailable):
    """This process would record before what is recorded already: its machine's clock has to be put right."""


class RecordedOtherwise(LedgerUnavailable):
    """What PostgreSQL says that it has stored is not what it was given: this process appends nothing more."""


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
        ends.at_new_epoch(self._forget)
        self.personal = personal
        self._writers = writers
        self.sealer = sealer
        self._heads: dict[int, int] = {}
        self.writability = Writability(writers)
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

    def _forget(self) -> None:
        """Another epoch has begun: what comes next follows nothing that this process has appended."""
        self._heads.clear()
        if self.sealer:
            self.sealer.begin_anew()

    async def append(self, log_id: int, events: Sequence[StoredEvent], next_due: Mapping[str, datetime | None]) -> int:
        """Append all events or none, and return the position of the first; AlreadyTaken if a key stands against it.

        When the link breaks, nobody knows whether the commit happened: the log is asked for the first event, once
        whatever was under way has ended, and only what is not there is sent again, unchanged.
        """
        with self.writability.appending():
            return await self._append_surely(log_id, events, next_due)

    async def _append_surely(
        self, log_id: int, events: Sequence[StoredEvent], next_due: Mapping[str, datetime | None]
    ) -> int:
        try:
            return await self._append(log_id, events, next_due)
        except NotSealedNow:
            if self.sealer is None:
                raise
            await self.sealer.renew()
            return await self._append(log_id, events, next_due)
        except (ClockBehind, RecordedOtherwise, LogWentBack):
            raise
        except LedgerUnavailable:
            first = events[0]
            at = (log_id, first.account_id, first.version, first.event_id)
            position = await self._writers.value(_COMMITTED_POSITION, *at)
            if position is None:
                return await self._append(log_id, events, next_due)
            stored = bytes.fromhex(await self._writers.value(_HASHES, log_id, position - 1, len(events)))
            self._require(hashes([leaf_of(log_id, event) for event in events], position), stored)
            return position

    async def _append(self, log_id: int, events: Sequence[StoredEvent], next_due: Mapping[str, datetime | None]) -> int:
        """The hashes go along for where the log ended last, so that PostgreSQL need not work them out."""
        leaves = [leaf_of(log_id, event) for event in events]
        epoch, head = self.ends.epoch, self._heads.pop(log_id, None)
        expected = None if head is None else hashes(leaves, head + 1)
        seal = self.sealer.seal(log_id, [leaf.content_hash() for leaf in leaves]) if self.sealer else None
        sealed = (seal.stored(), self.sealer.key_number) if self.sealer and seal else (None, None)
        try:
            position, stored = await self._stored(log_id, columns(events), next_due, *sealed, head, expected)
        except AlreadyTaken:
            if self.sealer and seal:
                self.sealer.refused(log_id, seal)
            raise
        if expected is None or position - 1 != head:
            expected = hashes(leaves, position)
        self._require(expected, stored)
        if self.sealer and seal:
            self.sealer.recorded(log_id, seal)
        self._heads[log_id] = position - 1 + len(events)
        self.ends.know(epoch, log_id, position - 1 + len(events), events[-1].event_id)
        return position

    async def _stored(
        self, log_id: int, given: Sequence[str], next_due: Mapping[str, datetime | None], *evidence: Any
    ) -> tuple[int, bytes]:
        """The position of the first event, and the hashes that all are stored with."""
        due = (list(next_due), list(next_due.values()))
        try:
            (row,) = await self._writers.rows(_APPEND, log_id, *given[:9], *due, *given[9:], *evidence)
        except asyncpg.IntegrityConstraintViolationError as taken:
            raise AlreadyTaken(str(taken)) from taken
        except asyncpg.DatetimeFieldOverflowError as behind:
            raise ClockBehind(f"The clock of this process runs behind the log: {behind}") from behind
        except asyncpg.ObjectNotInPrerequisiteStateError as unsealed:
            remedy = "set HOURBOOK_SEAL_KEY_FILE to the file of the key that seals now"
            raise NotSealedNow(f"Appends to this ledger are sealed: {remedy}") from unsealed
        except (asyncpg.TriggeredDataChangeViolationError, *ANOTHER_SCHEMA) as changed:
            raise self._halted(f"{changed}") from changed
        return row["first"], row["stored_hashes"] or b""

    def _require(self, expected: bytes, stored: bytes) -> None:
        if stored != expected:
            raise self._halted("its hashes are not those of the events")

    def _halted(self, why: str) -> RecordedOtherwise:
        remedy = "nothing more is recorded here until it is put right (hourbook audit verify) and this is started again"
        halted = RecordedOtherwise(f"PostgreSQL has not stored what it was given ({why}): {remedy}")
        self.writability.halt(halted)
        return halted

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
        hashes = await self.readers.value(_HASHES, log_id, after, limit)
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


def columns(events: Sequence[StoredEvent]) -> Sequence[str]:
    """The events as one text for each column, and what is personal in them as another four before the last two."""
    apart = [(number, kept) for number, event in enumerate(events, 1) for kept in event.personal]
    texts = (
        [event.account_id for event in events],
        [str(event.version) for event in events],
        [event.event_id for event in events],
        [event.command_id for event in events],
        [rf"\x{event.fingerprint.hex()}" if event.fingerprint else "" for event in events],
        [event.type for event in events],
        [str(event.schema_version) for event in events],
        [event.recorded_at.isoformat() for event in events],
        [event.data for event in events],
        [str(number) for number, _ in apart],
        [kept.commitment for _, kept in apart],
        [rf"\x{kept.salt.hex()}" for _, kept in apart],
        [kept.text for _, kept in apart],
        [event.follows or "" for event in events],
        [event.actor or "" for event in events],
    )
    return [_SEPARATOR.join(column) for column in texts]


def hashes(leaves: Iterable[Leaf], first: int) -> bytes:
    """Of the leaves from that position on, one after another."""
    return b"".join([leaf.hash(position) for position, leaf in enumerate(leaves, first)])
