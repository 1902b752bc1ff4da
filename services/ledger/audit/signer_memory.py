"""What the signer has signed, in files beside its key: outside the database, whose owner could put it back as well."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import orjson

from contracts.placement import log_name
from services.ledger.audit.key_files import CannotSign, SignedElsewhere
from services.ledger.audit.merkle import HASH_BYTES
from services.ledger.event_store.identity import epoch_in
from services.process.file_replacement import replace_file


@dataclass(frozen=True)
class Remembered:
    """The last checkpoint of a log that was signed, written down before anybody is shown it."""

    origin: str
    size: int
    root: bytes
    signed_at: datetime
    published_size: int
    """Of the checkpoint that it follows, which is in the database: 0 when it follows none."""

    @property
    def epoch(self) -> int:
        """In which epoch it was signed."""
        return epoch_in(self.origin)


class SignerMemory:
    """The memory of one key about one log."""

    def __init__(self, key_file: Path, log_id: int) -> None:
        self.file = key_file.with_name(f"signed-{log_name(log_id)}.json")

    def read(self) -> Remembered | None:
        """What was signed last; None before the first time. CannotSign where the file is not what was written."""
        try:
            kept = orjson.loads(self.file.read_bytes())
            kept |= {"root": bytes.fromhex(kept["root"]), "signed_at": datetime.fromisoformat(kept["signed_at"])}
            read = Remembered(**kept)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as unreadable:
            remedy = "Bring a copy of it: without it the signer does not know what it must never contradict."
            raise CannotSign(f"{self.file} cannot be read: {unreadable!r}. {remedy}") from unreadable
        if len(read.root) != HASH_BYTES or not 0 <= read.published_size <= read.size:
            raise CannotSign(f"{self.file} is not what the signer has written. Bring a copy of it.")
        return read

    def write(self, signed: Remembered) -> None:
        """Before the checkpoint is published."""
        replace_file(self.file, orjson.dumps(asdict(signed) | {"root": signed.root.hex()}, option=orjson.OPT_INDENT_2))


def memories_beside(key_file: Path) -> list[Path]:
    """The files in which a key's signer remembers, of each log that it has signed."""
    return sorted(key_file.parent.glob("signed-*.json"))


@contextmanager
def the_only_signer(key_file: Path) -> Iterator[None]:
    """Keep other processes of this machine from signing with this key; CannotSign where one does already."""
    key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with key_file.with_name(f"{key_file.name}.lock").open("wb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise SignedElsewhere(f"Another process on this machine signs with {key_file}; this one waits.") from taken
        yield
