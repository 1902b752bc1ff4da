"""Notes of restores: that a database was put back to an earlier state, and what that cost, signed as checkpoints are.

Each begins an epoch. What was signed in an earlier one and is not in the log any more is given up by such a note alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.placement import log_name
from services.ledger.audit.keys import PublicKey
from services.ledger.audit.notes import NotANote, Note, signed
from services.ledger.event_store.stored_event import rfc3339

_NUMBER = r"(?:0|[1-9]\d{0,18})"
_TEXT = re.compile(
    r"(?P<name>[^\n]+)\n(?P<epoch>[1-9]\d{0,8})\nafter (?P<before>[1-9]\d{0,8})\ntime (?P<time>[^\n]+)"
    rf"(?P<logs>(?:\nlog (?:access|{_NUMBER}) kept {_NUMBER} of {_NUMBER} signed {_NUMBER} [0-9a-f]{{64}})+)",
    re.ASCII,
)


class Loss(NamedTuple):
    """What a log kept of what was known of it, and the size and root that were signed of it last."""

    kept: int
    known: int
    signed: int
    root: bytes

    @property
    def lost(self) -> int:
        """How many events are missing, as far as that is known."""
        return max(self.known, self.signed, self.kept) - self.kept


@dataclass(frozen=True)
class Restore:
    """A restore by its note: the epoch that it began, the one before, and what each log lost, by the log's name."""

    epoch: int
    before: int
    restored_at: datetime
    losses: Mapping[str, Loss]

    @classmethod
    def read(cls, note: str, ledger_id: str, keys: Iterable[PublicKey]) -> Self:
        """NotANote unless a key of this ledger has signed it."""
        parsed = Note.parse(note)
        said = _TEXT.fullmatch(parsed.text)
        if said is None or said["name"] != restores_of(ledger_id):
            raise NotANote(f"this is no note of a restore of ledger {ledger_id}")
        if not any(parsed.signed_by(said["name"], key.raw) for key in keys):
            raise NotANote(f"no key of the ledger has signed the restore that began epoch {said['epoch']}")
        lines = (line.split(" ") for line in said["logs"].removeprefix("\n").split("\n"))
        losses = {
            name: Loss(int(kept), int(known), int(size), bytes.fromhex(root))
            for _, name, _, kept, _, known, _, size, root in lines
        }
        return cls(int(said["epoch"]), int(said["before"]), datetime.fromisoformat(said["time"]), losses)

    def written(self, ledger_id: str, key: Ed25519PrivateKey) -> str:
        """Its note."""
        name = restores_of(ledger_id)
        logs = "".join(
            f"\nlog {log} kept {loss.kept} of {loss.known} signed {loss.signed} {loss.root.hex()}"
            for log, loss in self.losses.items()
        )
        text = f"{name}\n{self.epoch}\nafter {self.before}\ntime {rfc3339(self.restored_at)}{logs}"
        return signed(text, name, key)

    def sentences(self) -> Iterator[str]:
        """What it says of each log."""
        for name, loss in self.losses.items():
            lost = f"positions {loss.kept + 1} to {loss.kept + loss.lost} are lost" if loss.lost else "nothing is lost"
            yield f"log {name} has kept {loss.kept} events: {lost}"

    def gives_up(self, log_id: int, size: int, root: bytes) -> bool:
        """Whether what was signed at that size of a log, and went beyond what it kept, is declared to be lost."""
        loss = self.losses.get(log_name(log_id))
        return (
            loss is not None and loss.kept < size and (size < loss.signed or (size, root) == (loss.signed, loss.root))
        )

    def kept(self, log_id: int) -> int | None:
        """The last position of a log that is as it was; None of a log that it does not name."""
        loss = self.losses.get(log_name(log_id))
        return loss and loss.kept


def restores_of(ledger_id: str) -> str:
    """Under what name restores are signed."""
    return f"hourbook/{ledger_id}/restores"


def read_restores(notes: Sequence[str], ledger_id: str, keys: Sequence[PublicKey]) -> list[Restore]:
    """All restores of a ledger; NotANote unless each is signed, and epochs follow one another."""
    read = [Restore.read(note, ledger_id, keys) for note in notes]
    if any(not before.epoch < after.epoch for before, after in pairwise(read)) or any(
        not each.before < each.epoch for each in read
    ):
        raise NotANote("the epochs of the restores do not follow one another")
    return read


def bound_of(restores: Iterable[Restore], epoch: int, log_id: int) -> int | None:
    """How far what was signed in an epoch stands still: what the restores after it have kept; None without one."""
    kept = [each.kept(log_id) for each in restores if each.epoch > epoch]
    return min((end for end in kept if end is not None), default=None)
