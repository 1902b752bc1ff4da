"""The keys that sign: the private one in a file, the public ones published as notes, each signed by the one before."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from services.ledger.audit.notes import NotANote, Note, signed
from services.ledger.event_store.database import Database
from services.ledger.event_store.identity import ledger_id_of
from services.ledger.event_store.stored_event import rfc3339
from services.process.file_replacement import replace_file

_KEYS = "SELECT number, note FROM ledger.audit_key ORDER BY number"
_PUBLISH = "INSERT INTO ledger.audit_key VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING number"


class CannotSign(Exception):
    """Nothing can be signed now, and an operator has to do something about it."""


@dataclass(frozen=True)
class PublicKey:
    """A published key, by its note."""

    number: int
    raw: bytes
    note: str

    @classmethod
    def read(cls, note: str, ledger_id: str) -> Self:
        """NotANote unless it is a key of this ledger that vouches for itself."""
        parsed = Note.parse(note)
        name, number, key, *_ = *parsed.text.split("\n"), "", ""
        if name != name_of(ledger_id) or not (number.isascii() and number.isdecimal()):
            raise NotANote(f"this is no note of a key of ledger {ledger_id}")
        raw = b64decode(key, validate=True)
        if not parsed.signed_by(name, raw):
            raise NotANote(f"key {number} has not signed its own note")
        return cls(int(number), raw, note)

    def follows(self, before: "PublicKey", ledger_id: str) -> bool:
        """Whether the key before it has signed it."""
        return self.number == before.number + 1 and Note.parse(self.note).signed_by(name_of(ledger_id), before.raw)


@dataclass(frozen=True)
class SigningKey:
    """The key that signs now, and its number among the published ones."""

    number: int
    private: Ed25519PrivateKey


def name_of(ledger_id: str) -> str:
    """Under what name keys are signed."""
    return f"hourbook/{ledger_id}/keys"


async def published(database: Database) -> list[tuple[int, str]]:
    """The notes of all keys by their numbers, none of them checked."""
    return [(row["number"], row["note"]) for row in await database.rows(_KEYS)]


async def signing_key(database: Database, file: Path) -> SigningKey:
    """The key in the file, if it is the newest one published; made and published where there is none at all yet.

    CannotSign where the file is missing or holds another key: the operator has to bring the right one.
    """
    ledger_id, notes = await ledger_id_of(database), await published(database)
    try:
        newest = [PublicKey.read(note, ledger_id) for _, note in notes[-1:]]
    except ValueError as unreadable:
        raise CannotSign(f"The newest published key cannot be read: {unreadable}.") from unreadable
    _finish_rotation(file, newest)
    private = read_key(file) if notes else read_or_make(file)
    if not notes:
        await _publish(database, _note(ledger_id, 1, private, []), 1)
        return await signing_key(database, file)
    if _raw(private) != newest[0].raw:
        raise CannotSign(f"{file} is not the newest key of this ledger, number {newest[0].number}. Bring that one.")
    return SigningKey(newest[0].number, private)


async def rotate(database: Database, file: Path, *, lost: bool = False) -> int:
    """Make a new key, let the old one sign it, publish it and keep it in the file; returns its number.

    `lost`: there is no old one any more. Auditors will want to hear of the new key from the operator himself.
    """
    ledger_id, notes = await ledger_id_of(database), await published(database)
    signers = [] if lost else [(await signing_key(database, file)).private]
    number, private = len(notes) + 1, Ed25519PrivateKey.generate()
    _write(_next(file), private)
    await _publish(database, _note(ledger_id, number, private, signers), number)
    _next(file).replace(file)
    return number


async def _publish(database: Database, note: str, number: int) -> None:
    if await database.value(_PUBLISH, number, note) is None:
        raise CannotSign(f"Another process has published key {number} at this moment. Try again.")


def _note(ledger_id: str, number: int, private: Ed25519PrivateKey, signers: Iterable[Ed25519PrivateKey]) -> str:
    name, key = name_of(ledger_id), b64encode(_raw(private)).decode()
    text = f"{name}\n{number}\n{key}\ntime {rfc3339(datetime.now(UTC))}"
    return signed(text, name, *signers, private)


def _finish_rotation(file: Path, newest: Iterable[PublicKey]) -> None:
    """A rotation that was cut short has published its key, but not put it in its place."""
    if _next(file).exists() and any(_raw(read_key(_next(file))) == key.raw for key in newest):
        _next(file).replace(file)


def _next(file: Path) -> Path:
    return file.with_name(file.name + ".next")


def _raw(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def _write(file: Path, private: Ed25519PrivateKey) -> None:
    """For its owner's eyes alone, and on the disk before anything is signed with it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_file(file, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def read_or_make(file: Path) -> Ed25519PrivateKey:
    """The key in a file, made where there is none; CannotSign for a file that holds no such key."""
    if not file.exists():
        _write(file, Ed25519PrivateKey.generate())
    return read_key(file)


def read_key(file: Path) -> Ed25519PrivateKey:
    """The private key in the file; CannotSign where there is none."""
    try:
        private = load_pem_private_key(file.read_bytes(), password=None)
    except FileNotFoundError as missing:
        remedy = "Bring it from a backup; if it is lost for good, run: hourbook audit rotate-key --lost."
        raise CannotSign(f"The key that signs checkpoints is missing: {file}. {remedy}") from missing
    except ValueError as malformed:
        raise CannotSign(f"{file} is no private key: {malformed}") from malformed
    if not isinstance(private, Ed25519PrivateKey):
        raise CannotSign(f"{file} is not an Ed25519 key.")
    return private
