"""Checkpoints (C2SP tlog-checkpoint): what the log was when it had so many events, signed."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.ledger.audit.merkle import HASH_BYTES
from services.ledger.audit.notes import NotANote, Note, signed
from services.ledger.audit.seal_notes import StatedSeals
from services.ledger.audit.statements import Statement
from services.ledger.event_store.stored_event import rfc3339

CLOCK = "clock "
CLOCKS_DIFFER = timedelta(minutes=5)
"""By so much the clocks of a ledger's processes may differ: no event is recorded further back than this."""


@dataclass(frozen=True)
class Checkpoint:
    """The root of a log's tree at one size. `origin` names ledger and log.

    `clock`: when it was made, or the latest of the events if that is later; what follows is not recorded much before.
    `stated`: the number of logs, and the terms; `seals`: the keys of seals that were published by then. Checkpoints of
    earlier versions do not say these.
    """

    origin: str
    size: int
    root: bytes
    clock: datetime | None = None
    stated: Statement | None = None
    seals: StatedSeals | None = None

    @classmethod
    def read(cls, note: Note) -> Self:
        """What a note says, whatever its signature; NotANote if that is no checkpoint."""
        origin, size, root, *further = *note.text.split("\n"), "", ""
        if not (size.isascii() and size.isdecimal() and size == str(int(size))):
            raise NotANote("the second line of a checkpoint is its size")
        try:
            hash_ = b64decode(root, validate=True)
        except ValueError as malformed:
            raise NotANote(f"the root of a checkpoint is not base64: {malformed}") from malformed
        if len(hash_) != HASH_BYTES:
            raise NotANote(f"the root of a checkpoint has {len(hash_)} bytes, not {HASH_BYTES}")
        try:
            clocks = [datetime.fromisoformat(line.removeprefix(CLOCK)) for line in further if line.startswith(CLOCK)]
        except ValueError as malformed:
            raise NotANote(f"the clock of a checkpoint is no time: {malformed}") from malformed
        try:
            stated, seals = Statement.read(further), StatedSeals.read(further)
        except ValueError as malformed:
            raise NotANote(f"a checkpoint states what cannot be read: {malformed}") from malformed
        return cls(origin, int(size), hash_, clocks[0] if clocks else None, stated, seals)

    def sign(self, key: Ed25519PrivateKey, made_at: datetime) -> str:
        """The checkpoint as a signed note."""
        text = f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\ntime {rfc3339(made_at)}"
        if self.clock:
            text += f"\n{CLOCK}{rfc3339(self.clock)}"
        if self.stated:
            text += f"\n{self.stated.lines()}"
        if self.seals:
            text += f"\n{self.seals.line()}"
        return signed(text, self.origin, key)
