"""A log's tree and checkpoints in PostgreSQL: read for proofs, and grown by the signer."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from services.ledger.audit.merkle import (
    HASH_BYTES,
    Frontier,
    NoSuchProof,
    Range,
    TileId,
    Tiles,
    consistency_ranges,
    entries,
    inclusion_ranges,
    tiles_of,
)
from services.ledger.event_store.database import Database
from services.ledger.event_store.identity import epoch_in
from services.ledger.event_store.stored_event import rfc3339

PAGE_LEAVES = 1 << 12
_LATEST = "SELECT size, note FROM ledger.checkpoint WHERE log_id = $1 ORDER BY size DESC LIMIT 1"
_ENDS = """
    SELECT (SELECT coalesce(max(number), 1) FROM ledger.epoch) AS epoch, log.head, newest.size, newest.note
    FROM (SELECT coalesce(max(position), 0) AS head FROM ledger.event WHERE log_id = $1) AS log
    LEFT JOIN (
        SELECT size, note FROM ledger.checkpoint WHERE log_id = $1 ORDER BY size DESC LIMIT 1
    ) AS newest ON true
"""
_PAGE = "SELECT size, note FROM ledger.checkpoint WHERE log_id = $1 AND size > $2 ORDER BY size LIMIT $3"
_COVERING = "SELECT size, note FROM ledger.checkpoint WHERE log_id = $1 AND size >= $2 ORDER BY size LIMIT 1"
_COSIGNATURES = "SELECT line FROM ledger.cosignature WHERE log_id = $1 AND size = $2 ORDER BY witness"
_HAS_BEGUN = "SELECT EXISTS (SELECT 1 FROM ledger.checkpoint WHERE log_id = $1)"
_TILES = """
    SELECT level, index, hashes FROM ledger.tile JOIN unnest($2::smallint[], $3::bigint[]) AS asked (level, index)
    USING (level, index) WHERE log_id = $1
"""
# As one value: a row for each hash takes as long as everything else that is done with it.
_HASHES = """
    SELECT string_agg(hash, ''::bytea ORDER BY position) AS hashes, count(*) AS events, max(position) AS last,
        max(position) FILTER (WHERE type = 'MonthClosed') AS month_closed
    FROM (
        SELECT position, hash, type FROM ledger.event
        WHERE log_id = $1 AND position > $2 ORDER BY position LIMIT $3
    ) AS newer
"""
_RECORDED = """
    SELECT max(recorded_at) FILTER (WHERE recorded_at <= $5) AS latest,
        min(position) FILTER (WHERE recorded_at NOT BETWEEN $4 AND $5) AS misdated
    FROM ledger.event WHERE log_id = $1 AND position > $2 AND position <= $3
"""
_REACHES = "SELECT EXISTS (SELECT 1 FROM ledger.event WHERE log_id = $1 AND position >= $2)"
_GROW = "SELECT ledger.grow_tree($1, $2, $3, $4, $5, $6::smallint[], $7::bigint[], $8::bytea[])"


class StoredCheckpoint(NamedTuple):
    """A checkpoint as it is stored: the signed note, and the size that it is found by."""

    size: int
    note: str

    @property
    def epoch(self) -> int:
        """In which epoch it was signed, by its origin."""
        return epoch_in(self.note.partition("\n")[0])


class Ends(NamedTuple):
    """How far a log has come, and its newest checkpoint, in the ledger's epoch."""

    epoch: int
    latest: StoredCheckpoint | None
    head: int


class StoredTree:
    """The tree over one log, as far as its latest checkpoint."""

    def __init__(self, database: Database, log_id: int) -> None:
        self._database = database
        self.log_id = log_id

    async def latest(self) -> StoredCheckpoint | None:
        """The newest checkpoint."""
        return await self._one(_LATEST, self.log_id)

    async def ends(self) -> Ends:
        """All that says whether there is something to sign, asked at once."""
        (row,) = await self._database.rows(_ENDS, self.log_id)
        latest = StoredCheckpoint(row["size"], row["note"]) if row["size"] else None
        return Ends(row["epoch"], latest, row["head"])

    async def covering(self, position: int) -> StoredCheckpoint | None:
        """The first checkpoint that the event at a position is in."""
        return await self._one(_COVERING, self.log_id, position)

    async def cosignatures(self, size: int) -> str:
        """The signature lines of witnesses below the checkpoint of that size."""
        rows = await self._database.rows(_COSIGNATURES, self.log_id, size)
        return "".join(row["line"] for row in rows)

    async def begun(self, logs: Collection[int]) -> list[int]:
        """Those of these logs that have a checkpoint."""
        return [log_id for log_id in logs if await self._database.value(_HAS_BEGUN, log_id)]

    async def page(self, after: int, limit: int) -> list[StoredCheckpoint]:
        """Checkpoints larger than a size, the smallest first."""
        return [StoredCheckpoint(*row) for row in await self._database.rows(_PAGE, self.log_id, after, limit)]

    async def inclusion(self, position: int, size: int) -> list[bytes]:
        """The proof that the event at a position is in the tree of that size; NoSuchProof if it cannot be."""
        return await self._proof(inclusion_ranges(position - 1, size), size)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of one size begins with the tree of another; NoSuchProof if it cannot be."""
        return await self._proof(consistency_ranges(old, new), new)

    async def tiles(self, ids: Collection[TileId]) -> Tiles:
        """Those of the tiles that there are."""
        rows = await self._database.rows(_TILES, self.log_id, [level for level, _ in ids], [index for _, index in ids])
        return Tiles({(row["level"], row["index"]): row["hashes"] for row in rows})

    async def new_leaves(self, size: int, limit: int) -> list[bytes]:
        """The hashes of the events after the first `size`, at most so many, and none after a month was closed.

        Of many closings at once the last one counts. LookupError where an event or a hash is missing.
        """
        (row,) = await self._database.rows(_HASHES, self.log_id, size, limit)
        hashes, end = row["hashes"] or b"", row["last"] or size
        if end - size != row["events"] or len(hashes) != HASH_BYTES * row["events"]:
            raise LookupError(f"log {self.log_id} has a gap after position {size}")
        return entries(hashes)[: (row["month_closed"] or end) - size]

    async def frontier(self, size: int) -> Frontier:
        """Of the first events, at most so many, by their hashes alone; LookupError where one is missing."""
        frontier = Frontier()
        while leaves := await self.new_leaves(frontier.size, min(PAGE_LEAVES, size - frontier.size)):
            for leaf in leaves:
                frontier.push(leaf)
        return frontier

    async def latest_recorded(self, after: int, until: int, between: tuple[datetime, datetime]) -> datetime | None:
        """The latest recording time of the events in (after, until]; LookupError for one that is not between those."""
        (row,) = await self._database.rows(_RECORDED, self.log_id, after, until, *between)
        if row["misdated"]:
            start, end = map(rfc3339, between)
            raise LookupError(f"event {row['misdated']} was not recorded between {start} and {end}")
        return row["latest"]

    async def reaches(self, position: int) -> bool:
        """Whether the log has come so far."""
        return await self._database.value(_REACHES, self.log_id, position)

    async def grow(self, size: int, checkpoint: StoredCheckpoint, key_number: int, tiles: Tiles) -> bool:
        """Write a checkpoint that follows the one of `size`, with the tiles that have changed.

        False if another process was faster, or if the key is not the newest any more; nothing is written then.
        """
        levels, indexes = ([each[part] for each in tiles.hashes] for part in (0, 1))
        given = (size, checkpoint.size, key_number, checkpoint.note, levels, indexes, list(tiles.hashes.values()))
        return await self._database.value(_GROW, self.log_id, *given)

    async def _proof(self, ranges: list[Range], size: int) -> list[bytes]:
        latest = await self.latest()
        if latest is None or size > latest.size:
            raise NoSuchProof(f"no checkpoint of log {self.log_id} has come to size {size} yet")
        tiles = await self.tiles(tiles_of(ranges))
        return [tiles.root(each) for each in ranges]

    async def _one(self, statement: str, *arguments: int) -> StoredCheckpoint | None:
        rows = await self._database.rows(statement, *arguments)
        return StoredCheckpoint(*rows[0]) if rows else None
