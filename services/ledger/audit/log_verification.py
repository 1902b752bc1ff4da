"""One log against its checkpoints: leaf hashes worked out from the columns, roots from these, tiles beside them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from contracts.placement import log_name
from services.ledger.audit.checkpoints import CLOCKS_DIFFER, Checkpoint
from services.ledger.audit.cursor import Verified
from services.ledger.audit.findings import Findings
from services.ledger.audit.keys import PublicKey
from services.ledger.audit.merkle import WIDTH, Frontier
from services.ledger.audit.names import wrong_names
from services.ledger.audit.notes import NotANote, Note
from services.ledger.audit.seal_check import SealCheck
from services.ledger.audit.seal_notes import SealKey
from services.ledger.audit.signed_epochs import SignedEpochs
from services.ledger.audit.statements import Surroundings
from services.ledger.audit.tile_check import TileCheck
from services.ledger.audit.tree import StoredCheckpoint, StoredTree
from services.ledger.event_store.database import Database
from services.ledger.event_store.leaf import leaf_of
from services.ledger.event_store.store import COLUMNS
from services.ledger.event_store.stored_event import StoredEvent, rfc3339

PAGE_EVENTS = 16 * WIDTH
PAGE_CHECKPOINTS = 1000
DAWN = datetime(1970, 1, 2, tzinfo=UTC)
"""Before all that was ever recorded."""

_ROWS = f"SELECT {COLUMNS}, seal, hash FROM ledger.event WHERE log_id = $1 AND position > $2 ORDER BY position LIMIT $3"  # noqa: S608
# Where the append begins that goes on behind a position.
_BEGUN_AFTER = """
    SELECT coalesce((
        SELECT position FROM ledger.event WHERE log_id = $1 AND position <= $2 AND position > $3 AND seal IS NOT NULL
        ORDER BY position DESC LIMIT 1
    ), $3)
"""
_VERSIONS = """
    SELECT account_id, (
        SELECT max(version) FROM ledger.event AS e
        WHERE log_id = $1 AND e.account_id = asked.account_id AND position <= $3
    ) AS version FROM unnest($2::text[]) AS asked (account_id)
"""


class Signed(NamedTuple):
    """A checkpoint whose signature is good."""

    root: bytes
    note: str
    key_number: int
    clock: datetime | None


class StoredLog(NamedTuple):
    """A log in a database, the name its checkpoints have, and the size of the newest one when verifying began.

    `surroundings`: what its checkpoints may state beside it. `seal_keys`: by which its appends are sealed.
    `epochs`: under which other names its checkpoints may stand.
    """

    database: Database
    log_id: int
    name: str
    signed_size: int
    surroundings: Surroundings | None = None
    seal_keys: Sequence[SealKey] = ()
    epochs: SignedEpochs | None = None

    def may_have(self, origin: str, size: int) -> bool:
        """Whether a checkpoint of that origin and size can be of this log."""
        return self.epochs.may_have(origin, size) if self.epochs else origin == self.name


class LogVerification:
    """Goes over one log, from its start or from where it was verified before."""

    def __init__(self, log: StoredLog, keys: Sequence[PublicKey], before: Verified, *, from_start: bool) -> None:
        self._log = log
        self._tree = StoredTree(log.database, log.log_id)
        self._keys = keys
        self._before = before
        self._start = Verified() if from_start else before
        self._frontier = Frontier(self._start.size, list(self._start.frontier))
        self._versions: dict[str, int] = {}
        self._latest = self._start.recorded_at or DAWN
        self.names: list[str] = []
        """What is wrong with the names beside the log."""
        self.findings = Findings(before.size)
        name, after = log_name(log.log_id), self._start.size
        self._seals = SealCheck(log.name, name, log.seal_keys, after, self.findings.fault)

    async def run(self, went_over: Callable[[int], None]) -> Verified:
        """How far the log is good; what is wrong is in `findings`."""
        reached = self._before
        with self.findings.instead_of_an_end(f"what follows position {self._start.size}"):
            reached = await self._go_over(went_over)
        self.findings.size = reached.size
        return reached

    async def _go_over(self, went_over: Callable[[int], None]) -> Verified:
        signed = await self._signed()
        tiles = TileCheck(self._tree, max(signed, default=0), self.findings)
        await tiles.begin(self._frontier)
        await self._begin_append()
        reached = self._before
        while page := await self._page():
            events = [event for event, _, _ in page]
            await self._check_versions(events)
            with self.findings.instead_of_an_end(f"names of events after position {self._frontier.size}"):
                self.names += await wrong_names(self._log.database, self._log.log_id, events)
            leaves = [self._leaf(*row) for row in page]
            await tiles.follow(self._frontier.size, leaves)
            for leaf, event in zip(leaves, events, strict=True):
                self._frontier.push(leaf)
                self._follow_time(event)
                reached = self._compared(signed.get(self._frontier.size)) or reached
            self.findings.events += len(page)
            went_over(len(page))
        self._seals.end()
        for size in signed:
            if size > self._frontier.size and not self.findings.faults:
                self.findings.fault(f"the log ends at {self._frontier.size}, and {size} events were signed")
        return reached

    def _compared(self, signed: Signed | None) -> Verified | None:
        """Whether the tree is what was signed at this size: how far it is good then."""
        frontier = self._frontier
        if signed is None:
            return None
        if signed.root != frontier.root():
            self.findings.fault(f"the first {frontier.size} events are not those that were signed")
        self._latest = max(self._latest, signed.clock or DAWN)
        return Verified(signed.note, frontier.size, signed.key_number, tuple(frontier.roots), self._latest)

    def _follow_time(self, event: StoredEvent) -> None:
        """Recording time runs forward, but for as much as clocks differ."""
        if event.recorded_at < self._latest - CLOCKS_DIFFER:
            said, latest = rfc3339(event.recorded_at), rfc3339(self._latest)
            self.findings.fault(f"event {event.position} says it was recorded at {said}, and follows {latest}")
        self._latest = max(self._latest, event.recorded_at)

    async def _signed(self) -> dict[int, Signed]:
        """What each checkpoint from here on says, by its size, and what the one that was verified before said."""
        signed: dict[int, Signed] = {}
        after, key_number = self._start.size, self._start.key_number
        while after < self._log.signed_size:
            page = await self._tree.page(after, PAGE_CHECKPOINTS)
            for stored in (each for each in page if each.size <= self._log.signed_size):
                found = await self._read(stored)
                if found and found.key_number < key_number:
                    self.findings.fault(f"the checkpoint of size {stored.size} is signed by a retired key")
                if found:
                    signed[stored.size] = found
                    key_number = found.key_number
            after = page[-1].size if page else self._log.signed_size
        if self._before.size:
            known = await self._tree.page(self._before.size - 1, 1)
            if known[:1] != [StoredCheckpoint(self._before.size, self._before.note)]:
                self.findings.fault(f"the checkpoint of size {self._before.size}, which was verified before, is gone")
            if not await self._tree.reaches(self._before.size):
                self.findings.fault(f"the log ends before {self._before.size}, where it was verified before")
            said = Checkpoint.read(Note.parse(self._before.note))
            signed[self._before.size] = Signed(said.root, self._before.note, self._before.key_number, said.clock)
        return signed

    async def _read(self, stored: StoredCheckpoint) -> Signed | None:
        try:
            note = Note.parse(stored.note)
            said = Checkpoint.read(note)
        except NotANote as unreadable:
            self.findings.fault(f"the checkpoint of size {stored.size} cannot be read: {unreadable}")
            return None
        numbers = [key.number for key in self._keys if note.signed_by(said.origin, key.raw)]
        if not (numbers and said.size == stored.size and self._log.may_have(said.origin, said.size)):
            self.findings.fault(f"the checkpoint of size {stored.size} is not signed for this log and size")
            return None
        if said.seals and not said.seals.holds([key.note for key in self._log.seal_keys]):
            self.findings.fault(f"the checkpoint of size {stored.size} states other keys of seals than are published")
        surroundings = self._log.surroundings
        if surroundings and said.stated and (wrong := await surroundings.contradiction(said.stated)):
            self.findings.fault(f"the checkpoint of size {stored.size} {wrong}")
        return Signed(said.root, stored.note, max(numbers), said.clock)

    async def _begin_append(self) -> None:
        """What the first append here has before the place where this starts."""
        sealed_from, start = self._seals.sealed_from(), self._start.size
        if sealed_from is not None and start > sealed_from:
            after = await self._log.database.value(_BEGUN_AFTER, self._log.log_id, start, sealed_from)
            while after < start and (page := await self._rows(after, min(PAGE_EVENTS, start - after))):
                for event, seal, _ in page:
                    leaf, after = leaf_of(self._log.log_id, event), event.position or 0
                    self._seals.follow(after, leaf, leaf.hash(after), seal)

    async def _rows(self, after: int, limit: int) -> list[tuple[StoredEvent, bytes | None, bytes]]:
        """The events behind a position, their seals and the hashes they are stored with."""
        rows = await self._log.database.rows(_ROWS, self._log.log_id, after, limit)
        return [(StoredEvent(*row[:-2]), row[-2], row[-1]) for row in rows]

    async def _page(self) -> list[tuple[StoredEvent, bytes | None, bytes]]:
        """The next ones; nothing at the end, or at a gap."""
        after = self._frontier.size
        page = await self._rows(after, PAGE_EVENTS)
        for expected, (event, _, _) in enumerate(page, after + 1):
            if event.position != expected:
                self.findings.fault(f"where event {expected} should be is event {event.position}")
                return []
        return page

    def _leaf(self, event: StoredEvent, seal: bytes | None, stored_hash: bytes) -> bytes:
        try:
            of = leaf_of(self._log.log_id, event)
            leaf = of.hash(event.position or 0)
            self._seals.follow(event.position or 0, of, leaf, seal)
        except (ValueError, OverflowError, TypeError) as unreadable:
            self.findings.fault(f"event {event.position} cannot be read: {unreadable!r}")
            return stored_hash
        if leaf != stored_hash or event.fingerprint == b"":
            self.findings.fault(f"event {event.position} does not have the hash it was appended with")
        return leaf

    async def _check_versions(self, page: Sequence[StoredEvent]) -> None:
        """The events of an account are numbered without gaps."""
        accounts = {event.account_id for event in page}
        self.findings.accounts |= accounts
        if self._start.size and (unknown := accounts - self._versions.keys()):
            rows = await self._log.database.rows(_VERSIONS, self._log.log_id, list(unknown), self._start.size)
            self._versions |= {row["account_id"]: row["version"] or 0 for row in rows}
        for event in page:
            expected = self._versions.get(event.account_id, 0) + 1
            if event.version != expected:
                self.findings.fault(
                    f"event {event.position} is version {event.version} of {event.account_id}, and not {expected}"
                )
            self._versions[event.account_id] = event.version
