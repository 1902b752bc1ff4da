"""Lets a log's tree grow with the log, and signs what it has come to.

Several may run on different machines: one works, the others see it.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from contracts.placement import ACCESS_LOG, every_log
from services.ledger.audit.checkpoints import CLOCKS_DIFFER, Checkpoint
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.hindrances import Hindrances
from services.ledger.audit.key_files import CannotSign
from services.ledger.audit.keys import SigningKey, published, signing_key
from services.ledger.audit.merkle import EMPTY_ROOT, Tiles, edge_of, grown, is_consistent
from services.ledger.audit.notes import Note
from services.ledger.audit.seal_keys import SealMemory
from services.ledger.audit.seal_notes import StatedSeals
from services.ledger.audit.signed_epochs import SignedEpochs, all_keys
from services.ledger.audit.signer_memory import Remembered, SignerMemory, the_only_signer
from services.ledger.audit.statements import Statement, Surroundings
from services.ledger.audit.tree import StoredCheckpoint, StoredTree
from services.ledger.event_store.database import Database, LedgerUnavailable
from services.ledger.event_store.epochs import epoch_of, notice_lost
from services.ledger.event_store.identity import ledger_id_of, origin
from services.process.lost_past import WENT_BACK
from services.process.operator_error import OperatorError

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
REST_SECONDS = 5.0
LEAVES_MAX = 1 << 15
SIGNER = "The signer"
DAWN = datetime(1970, 1, 2, tzinfo=UTC)
"""Before all that was ever recorded."""
DUSK = datetime(9999, 1, 1, tzinfo=UTC)
VERIFIED_FILE = "verified.json"
"""What the auditor remembers, where `up` keeps it: beside the key."""

_UNSOUND = "SELECT faults FROM ledger.verification WHERE log_id = $1 AND NOT log_is_sound"


REFUSED = (CannotSign, OperatorError, OSError, asyncpg.PostgresError)
"""What an operator has to look into; a table that is not there any more, for example."""


class LogDisagrees(CannotSign):
    """The log is not what was signed before: signing it would vouch for a forgery."""


class Checkpointer:
    """Signs one log: only what extends all that its key has signed, and nothing while a fault of the audit stands.

    `surroundings`: what its checkpoints state beside the log; without them they state nothing more.
    """

    def __init__(
        self,
        database: Database,
        log_id: int,
        key_file: Path,
        surroundings: Surroundings | None = None,
        *,
        real_time: bool = True,
    ) -> None:
        self._database = database
        self._real_time = real_time
        self._surroundings = surroundings
        self._tree = StoredTree(database, log_id)
        self.log_id = log_id
        self._log = f"log {log_id}"
        self._key_file = key_file
        self._key: SigningKey | None = None
        self._memory = SignerMemory(key_file, log_id)
        self._seals = SealMemory(key_file)
        self._remembered: Remembered | None = None
        self._epochs = SignedEpochs("", log_id)
        self._resumed: int | None = None
        self._known: StoredCheckpoint | None = None
        self._root = EMPTY_ROOT
        self._clocked: datetime | None = None

    async def catch_up(self) -> None:
        """Sign until a checkpoint covers all that the log has now; CannotSign where that must not be.

        What is appended meanwhile waits for the next time: a log that never rests has two checkpoints a second.
        """
        ends = await self._tree.ends()
        if ends == (self._resumed, self._known, self._size):
            return  # mostly there is nothing to do, and it is asked twice a second
        if self._resumed != ends.epoch:
            await self._resume()
        await self._follow()
        while self._size < ends.head and (leaves := await self._leaves(self._size, LEAVES_MAX)):
            if not await self._is_same_epoch():
                return  # these events may be of another, and are signed in that one, the next time
            await self._require_sound_log()
            await self._sign(leaves)
            await self._follow()

    async def _is_same_epoch(self) -> bool:
        """Whether all that has been read by now is of the epoch that this signs in.

        The record of a restore is in the log of access before its epoch has begun, and belongs to that one.
        """
        if self.log_id == ACCESS_LOG and (await self._read_epochs()).present != self._epochs.present:
            return False
        return self._resumed == await epoch_of(self._database)

    @property
    def _size(self) -> int:
        return self._known.size if self._known else 0

    async def _resume(self) -> None:
        """After a start, the hashes of the events have to be those that were signed.

        A signer of an earlier version has left no memory: what the newest checkpoint says is adopted, once.
        """
        ledger_id = await ledger_id_of(self._database)
        remembered, latest = await asyncio.to_thread(self._memory.read), await self._tree.latest()
        name, epoch = origin(ledger_id, self.log_id), await epoch_of(self._database)
        if remembered and remembered.origin != origin(ledger_id, self.log_id, remembered.epoch):
            raise LogDisagrees(f"this key has signed {remembered.origin}, and the database says that it is {name}")
        if remembered and remembered.epoch > epoch:
            raise await self._went_back(remembered)
        self._epochs = await self._read_epochs()
        remembered = self._kept(remembered)
        if remembered:
            await self._require_reached(remembered)
        if remembered and (latest.size if latest else 0) < remembered.published_size:
            raise LogDisagrees(f"{self._log} has lost the checkpoint of size {remembered.published_size}")
        said = await self._said(latest) if latest else None
        for signed in (remembered, said):
            if signed:
                await self._require_root(signed.size, signed.root)
        self._remembered = remembered
        self._known, self._root = latest, said.root if said else EMPTY_ROOT
        self._clocked = said.clock if said else None
        await self._remember_what_others_signed(said)
        self._resumed = epoch

    async def _read_epochs(self) -> SignedEpochs:
        try:
            return await SignedEpochs.read(self._database, self.log_id, await all_keys(self._database))
        except ValueError as unsigned:
            raise LogDisagrees(f"the epochs of the ledger are not signed: {unsigned}") from unsigned

    def _kept(self, remembered: Remembered | None) -> Remembered | None:
        """What was signed last, unless a signed record says that it was lost in a restore."""
        if remembered is None or self._epochs.may_have(remembered.origin, remembered.size):
            return remembered
        if self._epochs.gave_up(remembered.origin, remembered.size, remembered.root):
            return None
        raise LogDisagrees(f"no record of a restore says that what was signed at size {remembered.size} is lost")

    async def _require_reached(self, remembered: Remembered) -> None:
        """The log has to have what was signed, whatever is in it."""
        if not await self._tree.reaches(remembered.size):
            raise await self._went_back(remembered)

    async def _went_back(self, remembered: Remembered) -> LogDisagrees:
        """Nobody appends any more, in whatever process."""
        await notice_lost(self._database, remembered.epoch, self.log_id, remembered.size)
        return LogDisagrees(WENT_BACK)

    async def _require_root(self, size: int, root: bytes) -> None:
        """The hashes of the first events have to lead to this root."""
        try:
            frontier = await self._tree.frontier(size)
        except LookupError as missing:
            raise LogDisagrees(str(missing)) from missing
        if frontier.size < size:
            raise LogDisagrees(f"{self._log} ends at {frontier.size}, and {size} events were signed")
        if frontier.root() != root:
            raise LogDisagrees(f"the first {size} events of {self._log} are not those that were signed")

    async def _follow(self) -> None:
        """See what another process has signed meanwhile, if it can be built on."""
        latest = await self._tree.latest()
        if latest == self._known:
            return
        if latest is None or latest.size < self._size:
            if self._remembered:
                await self._require_reached(self._remembered)
            raise LogDisagrees(f"{self._log} has lost the checkpoint that was signed last")
        said = await self._said(latest)
        remembered = self._remembered
        last = (remembered.size, remembered.root) if remembered else (self._size, self._root)
        for size, root in (last, (self._size, self._root)):
            if 0 < size <= said.size and not await self._begins_with(said, size, root):
                raise LogDisagrees(f"the checkpoint of size {said.size} does not follow that of size {size}")
        await self._remember_what_others_signed(said)
        self._known, self._root, self._clocked = latest, said.root, said.clock

    async def _begins_with(self, said: Checkpoint, size: int, root: bytes) -> bool:
        try:
            proof = await self._tree.consistency(size, said.size)
        except (LookupError, ValueError):  # tiles are missing, or are none
            return False
        return is_consistent(size, said.size, root, said.root, proof)

    async def _said(self, latest: StoredCheckpoint) -> Checkpoint:
        """What the newest checkpoint says, if it is signed by one of the keys and for this log."""
        try:
            note = Note.parse(latest.note)
            said = Checkpoint.read(note)
            signed = any(note.signed_by(said.origin, key.raw) for key in await all_keys(self._database))
        except ValueError as unreadable:
            raise LogDisagrees(f"the checkpoint of size {latest.size} cannot be read: {unreadable}") from unreadable
        if not (signed and said.size == latest.size and self._epochs.may_have(said.origin, said.size)):
            raise LogDisagrees(f"the checkpoint of size {latest.size} is not one of {self._log}")
        if self._surroundings and said.stated and (wrong := await self._surroundings.contradiction(said.stated)):
            raise LogDisagrees(f"the checkpoint of size {latest.size} {wrong}")
        return said

    async def _leaves(self, size: int, limit: int) -> list[bytes]:
        """The hashes of the events after the first `size`, at most so many, and none after a month was closed.

        So a checkpoint ends with every closing of a month; of many at once, with the last one.
        """
        try:
            return await self._tree.new_leaves(size, limit)
        except LookupError as missing:
            raise LogDisagrees(str(missing)) from missing

    async def _require_sound_log(self) -> None:
        """A fault stands until a verification of everything finds none; the file outlives what is done by SQL."""
        log_id = self._tree.log_id
        audited = await asyncio.to_thread(Cursor.load, self._key_file.with_name(VERIFIED_FILE))
        faults = audited.faults.get(log_id) if log_id in audited.unsound else None
        if faults := faults or await self._database.value(_UNSOUND, log_id):
            raise LogDisagrees(f"the audit found that {faults[0]}")

    async def _sign(self, leaves: list[bytes]) -> None:
        name = self._epochs.name
        key = self._key = self._key or await signing_key(self._database, self._key_file)
        size, after = self._size, self._size + len(leaves)
        edge = await self._tree.tiles(edge_of(size))
        if not edge.lead_to(size, self._root):
            raise LogDisagrees(f"the tiles of {self._log} are not those of its tree of size {size}")
        changed = grown(size, edge.hashes, leaves)
        tree, now = Tiles({**edge.hashes, **changed}), datetime.now(UTC)
        root, remembered = tree.root((0, after)), self._remembered
        unpublished = remembered if remembered and remembered.size > size else None
        if unpublished and not (unpublished.size <= after and tree.lead_to(unpublished.size, unpublished.root)):
            raise LogDisagrees(f"{self._log} does not follow what was signed of it at size {unpublished.size}")
        clock, stated = await self._clock_after(after), await self._stated()
        seals = StatedSeals.of(await self._seals.adopted(self._database))
        await self._remember(Remembered(name, after, root, now, published_size=size))
        signed = StoredCheckpoint(after, Checkpoint(name, after, root, clock, stated, seals).sign(key.private, now))
        if await self._tree.grow(size, signed, key.number, Tiles(changed)):
            self._known, self._root, self._clocked = signed, root, clock
        else:
            self._key = None  # another was faster, or the key has been rotated

    async def _stated(self) -> Statement | None:
        if self._surroundings is None:
            return None
        begun = await self._tree.begun(every_log(self._surroundings.logs))
        return await self._surroundings.stated(sorted({*begun, self.log_id}))

    async def _clock_after(self, size: int) -> datetime:
        """The present, or the latest of the new events; none of these is recorded much before or after it.

        A test clock leaps: what was decided before may be recorded after, so there the events alone are gone by.
        """
        now, earliest = datetime.now(UTC) if self._real_time else None, self._clocked or DAWN
        between = (earliest - CLOCKS_DIFFER, now + CLOCKS_DIFFER if now else DUSK)
        try:
            latest = await self._tree.latest_recorded(self._size, size, between)
        except LookupError as misdated:
            raise LogDisagrees(f"{misdated} in {self._log}") from misdated
        return max(now or DAWN, earliest, latest or DAWN)

    async def _remember_what_others_signed(self, said: Checkpoint | None) -> None:
        if said and (self._remembered is None or self._remembered.size < said.size):
            await self._remember(Remembered(said.origin, said.size, said.root, datetime.now(UTC), said.size))

    async def _remember(self, signed: Remembered) -> None:
        await asyncio.to_thread(self._memory.write, signed)
        self._remembered = signed


async def keep_checkpointing(
    database: Database, surroundings: Surroundings, key_file: Path, *, real_time: bool = True
) -> None:
    """Sign twice a second whatever is new, until cancelled; waits while another process signs or PostgreSQL is gone."""
    hindrances, logs = Hindrances(database, SIGNER), surroundings.logs
    while True:
        try:
            with the_only_signer(key_file):
                await _require_key(database, key_file)
                checkpointers = [
                    Checkpointer(database, log_id, key_file, surroundings, real_time=real_time)
                    for log_id in sorted(every_log(logs))  # that of access first, so that all others state it
                ]
                await _keep_signing(checkpointers, hindrances)
        except (CannotSign, OSError) as refused:
            await hindrances.say(every_log(logs), dict.fromkeys(every_log(logs), f"{refused}"))
        await asyncio.sleep(EVERY_SECONDS)


async def _require_key(database: Database, key_file: Path) -> None:
    """CannotSign where the key is missing or another one, also while there is nothing to sign."""
    with suppress(LedgerUnavailable):  # it is asked for again when something is signed
        if await published(database):
            await signing_key(database, key_file)


async def _keep_signing(checkpointers: Sequence[Checkpointer], hindrances: Hindrances) -> None:
    """Until cancelled; a log that was refused rests before its hashes are gone over again."""
    clock = asyncio.get_running_loop().time
    refusals: dict[int, str] = {}
    rested_at: dict[int, float] = {}
    unavailable = ""
    while True:
        said, unavailable = unavailable, ""
        for checkpointer in checkpointers:
            log_id = checkpointer.log_id
            if clock() < rested_at.get(log_id, 0):
                continue
            try:
                await checkpointer.catch_up()
                refusals.pop(log_id, None)
            except LedgerUnavailable as gone:
                unavailable = f"{gone}"
            except REFUSED as refused:
                refusals[log_id], rested_at[log_id] = f"{refused}", clock() + REST_SECONDS
        if unavailable and unavailable != said:
            logger.warning("no checkpoint can be made now: %s", unavailable)
        await hindrances.say([checkpointer.log_id for checkpointer in checkpointers], refusals)
        await asyncio.sleep(EVERY_SECONDS)
