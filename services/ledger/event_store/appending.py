"""Appends events with the keys that guard them, and makes sure that PostgreSQL has stored what it was given."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.ledger.event_store.database import Database, LedgerUnavailable, LogWentBack
from services.ledger.event_store.known_ends import KnownEnds
from services.ledger.event_store.leaf import leaf_of
from services.ledger.event_store.seals import APPEND_EVENTS_MAX, NotSealedNow, Sealer
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.event_store.writability import Writability
from services.process.leaf import Leaf

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
# As one value: a row for each hash takes longer than everything else.
HASHES = """
    SELECT string_agg(encode(hash, 'hex'), ' ' ORDER BY position)
    FROM (SELECT position, hash FROM ledger.event WHERE log_id = $1 AND position > $2 ORDER BY position LIMIT $3) AS e
"""

ANOTHER_SCHEMA = (asyncpg.SyntaxOrAccessError, asyncpg.FeatureNotSupportedError)
"""What appending comes to where tables or functions are not those of the migrations; nothing is recorded then."""


class AlreadyTaken(Exception):
    """A key or a version is taken, or an event would follow one that is not in the log: nothing was appended."""


class AppendTooLong(Exception):
    """More events than one append may have: fewer commands have to be recorded at a time."""


class ClockBehind(LedgerUnavailable):
    """This process would record before what is recorded already: its machine's clock has to be put right."""


class RecordedOtherwise(LedgerUnavailable):
    """What PostgreSQL says that it has stored is not what it was given: this process appends nothing more."""


class Appender:
    """Appends for one process, on connections of its own, so that slow readers never hold it up."""

    def __init__(self, writers: Database, ends: KnownEnds, sealer: Sealer | None) -> None:
        self.sealer = sealer
        self.writability = Writability(writers)
        self._writers = writers
        self._ends = ends
        self._heads: dict[int, int] = {}
        ends.at_new_epoch(self._forget)

    def _forget(self) -> None:
        """Another epoch has begun: what comes next follows nothing that this process has appended."""
        self._heads.clear()
        if self.sealer:
            self.sealer.begin_anew()

    async def append(self, log_id: int, events: Sequence[StoredEvent], next_due: Mapping[str, datetime | None]) -> int:
        """Append all events or none, and return the position of the first; AlreadyTaken if a key stands against it.

        AppendTooLong, and nothing is appended, where they are more than APPEND_EVENTS_MAX.

        When the link breaks, nobody knows whether the commit happened: the log is asked for the first event, once
        whatever was under way has ended, and only what is not there is sent again, unchanged.
        """
        if len(events) > APPEND_EVENTS_MAX:
            raise AppendTooLong(f"{len(events)} events in one append: {APPEND_EVENTS_MAX} at most")
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
            stored = bytes.fromhex(await self._writers.value(HASHES, log_id, position - 1, len(events)))
            self._require(hashes([leaf_of(log_id, event) for event in events], position), stored)
            return position

    async def _append(self, log_id: int, events: Sequence[StoredEvent], next_due: Mapping[str, datetime | None]) -> int:
        """The hashes go along for where the log ended last, so that PostgreSQL need not work them out."""
        leaves = [leaf_of(log_id, event) for event in events]
        epoch, head = self._ends.epoch, self._heads.pop(log_id, 0)
        expected = hashes(leaves, head + 1)
        seal = self.sealer.seal(log_id, leaves, head + 1, expected) if self.sealer else None
        sealed = (seal.stored(), self.sealer.key_number) if self.sealer and seal else (None, None)
        try:
            position, stored = await self._stored(log_id, columns(events), next_due, *sealed, head, expected)
        except AlreadyTaken:
            if self.sealer and seal:
                self.sealer.refused(log_id, seal)
            raise
        if position - 1 != head:
            expected = hashes(leaves, position)
        self._require(expected, stored)
        if self.sealer and seal:
            self.sealer.recorded(log_id, seal)
        self._heads[log_id] = position - 1 + len(events)
        self._ends.know(epoch, log_id, position - 1 + len(events), events[-1].event_id)
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
