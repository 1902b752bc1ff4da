"""What was verified before, remembered in a file: outside the database, whose owner could put it back as well."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import orjson

from services.process.file_replacement import replace_file
from services.process.operator_error import OperatorError


@dataclass(frozen=True)
class Verified:
    """The last checkpoint of a log that was found good, and the roots of the full subtrees that its tree is made of."""

    note: str = ""
    size: int = 0
    key_number: int = 0
    frontier: tuple[bytes, ...] = ()
    recorded_at: datetime | None = None
    """The latest instant at which one of its events was recorded; earlier versions do not know it."""


@dataclass(frozen=True)
class Cursor:
    """How far each log of a ledger was verified, and the keys that were trusted. Empty before the first time."""

    ledger_id: str | None = None
    keys: tuple[str, ...] = ()
    logs: dict[int, Verified] = field(default_factory=dict)
    full_at: datetime | None = None
    """When everything was gone over last, whatever came of it."""
    faults: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """What is wrong, by log, until everything was gone over again and is right."""
    seals: tuple[str, ...] = ()
    """The published keys of seals, by their notes."""
    unsound: frozenset[int] = frozenset()
    """The logs that have a fault of their own, not only of what is made of them: nothing of these is signed."""

    @classmethod
    def load(cls, file: Path) -> Self:
        """From the file, or empty if there is none yet."""
        try:
            kept: dict[str, Any] = orjson.loads(file.read_bytes())
            logs = {int(log_id): _verified(**log) for log_id, log in kept["logs"].items()}
            full_at = datetime.fromisoformat(kept["full_at"]) if kept.get("full_at") else None
            faults = {int(log_id): tuple(said) for log_id, said in kept.get("faults", {}).items()}
            seals, unsound = tuple(kept.get("seals", ())), frozenset(kept.get("unsound", ()))
            return cls(kept["ledger_id"], tuple(kept["keys"]), logs, full_at, faults, seals, unsound)
        except FileNotFoundError:
            return cls()
        except (ValueError, KeyError, TypeError, AttributeError) as unreadable:
            remedy = "Bring a copy of it; without one, delete it, and nothing is known of what was verified before."
            raise OperatorError(f"{file} cannot be read: {unreadable!r}. {remedy}") from unreadable

    def save(self, file: Path) -> None:
        """At once or not at all."""
        logs = {
            str(log_id): {
                "note": log.note,
                "size": log.size,
                "key_number": log.key_number,
                "frontier": [root.hex() for root in log.frontier],
                "recorded_at": log.recorded_at,
            }
            for log_id, log in self.logs.items()
        }
        content = {
            "ledger_id": self.ledger_id,
            "keys": self.keys,
            "seals": self.seals,
            "logs": logs,
            "full_at": self.full_at,
            "faults": {str(log_id): said for log_id, said in self.faults.items()},
            "unsound": sorted(self.unsound),
        }
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(file, orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _verified(note: str, size: int, key_number: int, frontier: list[str], recorded_at: str | None = None) -> Verified:
    latest = datetime.fromisoformat(recorded_at) if recorded_at else None
    return Verified(note, size, key_number, tuple(map(bytes.fromhex, frontier)), latest)
