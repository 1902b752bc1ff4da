"""Notes of the keys of seals, and what checkpoints state of them.

A note is signed by the key of checkpoints, and says after which position of each log its key seals: from there on every
append is sealed, and with this key, until the next one is published. So nobody can pretend that sealing has not begun.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.placement import log_name
from services.ledger.audit.key_files import raw
from services.ledger.audit.keys import PublicKey
from services.ledger.audit.notes import NotANote, Note, signed
from services.ledger.event_store.seals import NEWEST_FORM
from services.ledger.event_store.stored_event import rfc3339

_TEXT = re.compile(
    r"(?P<name>[^\n]+)\n(?P<number>[1-9]\d{0,5})\n(?P<key>[0-9a-f]{64})\ntime [^\n]+(?:\nform (?P<form>2))?"
    r"(?P<after>(?:\nafter (?:access|0|[1-9]\d{0,3}) (?:0|[1-9]\d{0,18}))+)",
    re.ASCII,
)
_STATED = re.compile(r"seals ([1-9]\d{0,5}) ([0-9a-f]{64})", re.ASCII)
STATED = "seals "


@dataclass(frozen=True)
class SealKey:
    """A published key of seals, by its note. `after`: the position of each log, by its name, from which on it seals.

    `form`: of its seals; notes of the first form do not say it.
    """

    number: int
    raw: bytes
    form: int
    after: Mapping[str, int]
    note: str

    @classmethod
    def read(cls, note: str, ledger_id: str, keys: Iterable[PublicKey]) -> Self:
        """NotANote unless a key of this ledger has signed it."""
        parsed = Note.parse(note)
        said = _TEXT.fullmatch(parsed.text)
        if said is None or said["name"] != seals_of(ledger_id):
            raise NotANote(f"this is no note of a key of seals of ledger {ledger_id}")
        if not any(parsed.signed_by(said["name"], key.raw) for key in keys):
            raise NotANote(f"no key of the ledger has signed the key of seals {said['number']}")
        lines = (line.split(" ") for line in said["after"].removeprefix("\n").split("\n"))
        after = {log: int(position) for _, log, position in lines}
        return cls(int(said["number"]), bytes.fromhex(said["key"]), int(said["form"] or 1), after, note)


def seals_of(ledger_id: str) -> str:
    """Under what name keys of seals are signed."""
    return f"hourbook/{ledger_id}/seals"


def written(
    ledger_id: str,
    number: int,
    seal_key: Ed25519PrivateKey,
    heads: Mapping[int, int],
    made_at: datetime,
    audit_key: Ed25519PrivateKey,
) -> str:
    """The note of a key that seals what follows these positions of the logs."""
    name = seals_of(ledger_id)
    after = "".join(f"\nafter {log_name(log_id)} {head}" for log_id, head in heads.items())
    head = f"{name}\n{number}\n{raw(seal_key).hex()}\ntime {rfc3339(made_at)}\nform {NEWEST_FORM}"
    return signed(head + after, name, audit_key)


def read_all(notes: Sequence[str], ledger_id: str, keys: Sequence[PublicKey]) -> list[SealKey]:
    """The keys; NotANote unless each is signed, numbered from 1, and seals nothing that the one before it did."""
    read = [SealKey.read(note, ledger_id, keys) for note in notes]
    if [key.number for key in read] != [*range(1, len(read) + 1)]:
        raise NotANote("the keys of seals are not numbered from 1 without gaps")
    for before, after in pairwise(read):
        if any(position > after.after.get(log, -1) for log, position in before.after.items()):
            raise NotANote(f"key of seals {after.number} seals what key {before.number} does")
    return read


@dataclass(frozen=True)
class StatedSeals:
    """What a checkpoint states of the keys of seals: how many there were, and the hash of their notes."""

    number: int
    hash: bytes

    @classmethod
    def read(cls, further: Sequence[str]) -> Self | None:
        """From the further lines of a checkpoint; None where they state nothing, ValueError for another form."""
        lines = [line for line in further if line.startswith(STATED)]
        if not lines:
            return None
        if not (found := _STATED.fullmatch("\n".join(lines))):
            raise ValueError(f"not a number of keys of seals and the hash of their notes: {lines}")
        return cls(int(found[1]), bytes.fromhex(found[2]))

    def line(self) -> str:
        """As it stands in the note."""
        return f"{STATED}{self.number} {self.hash.hex()}"

    @classmethod
    def of(cls, notes: Sequence[str]) -> Self | None:
        """Of these; nothing where there are none."""
        return cls(len(notes), sha256("".join(notes).encode()).digest()) if notes else None

    def holds(self, notes: Sequence[str]) -> bool:
        """Whether the first of the notes are those that were stated."""
        return len(notes) >= self.number and StatedSeals.of(notes[: self.number]) == self
