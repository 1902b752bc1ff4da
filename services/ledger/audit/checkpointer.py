"""Lets a log's tree grow with the log, and signs what it has come to. Several may run: one works, the others see it."""

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

from services.ledger.audit.checkpoints import Checkpoint, origin
from services.ledger.audit.keys import CannotSign, PublicKey, SigningKey, published, signing_key
from services.ledger.audit.merkle import EMPTY_ROOT, Tiles, edge_of, grown, is_consistent
from services.ledger.audit.notes import Note
from services.ledger.audit.tree import StoredCheckpoint, StoredTree
from services.ledger.event_store.database import Database, LedgerUnavailable
from services.ledger.event_store.identity import ledger_id_of

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
LEAVES_MAX = 1 << 15


class LogDisagrees(CannotSign):
    """The log is not what the last checkpoint says: signing it would vouch for a forgery."""


class Checkpointer:
    """Signs one log."""

    def __init__(self, database: Database, log_id: int, key_file: Path) -> None:
        self._database = database
        self._tree = StoredTree(database, log_id)
        self._key_file = key_file
        self._key: SigningKey | None = None
        self._known: StoredCheckpoint | None = None
        self._root = EMPTY_ROOT

    async def catch_up(self) -> None:
        """Sign until a checkpoint covers the whole log; CannotSign where that must not be."""
        while leaves := await self._new_leaves():
            await self._sign(leaves)

    async def _new_leaves(self) -> list[bytes]:
        """The hashes of events that no checkpoint covers yet, at most so many, and none after a month was closed.

        So a checkpoint ends with every closing of a month; of many at once, with the last one.
        """
        latest = await self._tree.latest()
        if latest != self._known:
            self._root = await self._checked(latest)
            self._known = latest
        try:
            return await self._tree.new_leaves(self._known.size if self._known else 0, LEAVES_MAX)
        except LookupError as missing:
            raise LogDisagrees(str(missing)) from missing

    async def _checked(self, latest: StoredCheckpoint | None) -> bytes:
        """The root of another process's checkpoint, or of one from before our start, if it can be built on."""
        known = self._known
        if latest is None or (known and latest.size < known.size):
            raise LogDisagrees(f"log {self._tree.log_id} has lost the checkpoint that was signed last")
        ledger_id, keys = await ledger_id_of(self._database), await published(self._database)
        name = origin(ledger_id, self._tree.log_id)
        try:
            note = Note.parse(latest.note)
            said = Checkpoint.read(note)
            signed = any(note.signed_by(name, PublicKey.read(key, ledger_id).raw) for _, key in keys)
        except ValueError as unreadable:
            raise LogDisagrees(f"the checkpoint of size {latest.size} cannot be read: {unreadable}") from unreadable
        if not signed or (said.origin, said.size) != (name, latest.size):
            raise LogDisagrees(f"the checkpoint of size {latest.size} is not one of log {self._tree.log_id}")
        if known:
            proof = await self._tree.consistency(known.size, said.size)
            if not is_consistent(known.size, said.size, self._root, said.root, proof):
                raise LogDisagrees(f"the checkpoint of size {said.size} does not follow that of size {known.size}")
        return said.root

    async def _sign(self, leaves: list[bytes]) -> None:
        name = origin(await ledger_id_of(self._database), self._tree.log_id)
        key = self._key = self._key or await signing_key(self._database, self._key_file)
        size = self._known.size if self._known else 0
        edge = await self._tree.tiles(edge_of(size))
        if not edge.lead_to(size, self._root):
            raise LogDisagrees(f"the tiles of log {self._tree.log_id} are not those of its tree of size {size}")
        changed = grown(size, edge.hashes, leaves)
        after = size + len(leaves)
        root = Tiles({**edge.hashes, **changed}).root((0, after))
        note = Checkpoint(name, after, root).sign(key.private, datetime.now(UTC))
        signed = StoredCheckpoint(after, note)
        if await self._tree.grow(size, signed, key.number, Tiles(changed)):
            self._known, self._root = signed, root
        else:
            self._key = None  # another was faster, or the key has been rotated


async def keep_checkpointing(database: Database, logs: int, key_file: Path) -> None:
    """Sign twice a second whatever is new, until cancelled; waits while PostgreSQL is away or nothing can be signed."""
    checkpointers = [Checkpointer(database, log_id, key_file) for log_id in range(logs)]
    said = ""
    while True:
        failures: list[str] = []
        for checkpointer in checkpointers:
            try:
                await checkpointer.catch_up()
            except LedgerUnavailable as away:
                failures.append(f"no checkpoint can be made now: {away}")
            except (CannotSign, OSError) as refused:
                failures.append(f"NO CHECKPOINT IS MADE: {refused}")
        if failures and said != str(failures):
            logger.critical("; ".join(failures))
        said = str(failures) if failures else ""
        await asyncio.sleep(EVERY_SECONDS)
