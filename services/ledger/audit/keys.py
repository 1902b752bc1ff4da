"""The keys that sign: the private one in a file, the public ones published as notes, each signed by the one before."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.ledger.audit.key_files import (
    CannotSign,
    SignedElsewhere,
    finish_rotation,
    next_file,
    raw,
    read_key,
    read_or_make,
    write_key,
)
from services.ledger.audit.notes import NotANote, Note, signed
from services.ledger.event_store.database import Database
from services.ledger.event_store.identity import ledger_id_of
from services.ledger.event_store.stored_event import rfc3339

_KEYS = "SELECT number, note FROM ledger.audit_key ORDER BY number"
_PUBLISH = "INSERT INTO ledger.audit_key VALUES ($1, $2)"


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
    finish_rotation(file, [key.raw for key in newest])
    private = read_key(file) if notes else read_or_make(file)
    if not notes:
        await _publish(database, _note(ledger_id, 1, private, []), 1)
        return await signing_key(database, file)
    if raw(private) != newest[0].raw:
        remedy = "Bring that one from a backup; if it is lost for good, run: hourbook audit rotate-key --lost"
        raise CannotSign(f"{file} is not the newest key of this ledger, number {newest[0].number}. {remedy}")
    return SigningKey(newest[0].number, private)


async def rotate(database: Database, file: Path, *, lost: bool = False) -> int:
    """Make a new key, let the old one sign it, publish it and keep it in the file; returns its number.

    `lost`: there is no old one any more. Auditors will want to hear of the new key from the operator himself.
    """
    ledger_id, notes = await ledger_id_of(database), await published(database)
    signers = [] if lost else [(await signing_key(database, file)).private]
    number, private = len(notes) + 1, Ed25519PrivateKey.generate()
    write_key(next_file(file), private)
    await _publish(database, _note(ledger_id, number, private, signers), number)
    next_file(file).replace(file)
    return number


async def _publish(database: Database, note: str, number: int) -> None:
    try:
        await database.value(_PUBLISH, number, note)
    except asyncpg.UniqueViolationError as taken:
        raise SignedElsewhere(f"Another process has published key {number} at this moment. Try again.") from taken


def _note(ledger_id: str, number: int, private: Ed25519PrivateKey, signers: Iterable[Ed25519PrivateKey]) -> str:
    name, key = name_of(ledger_id), b64encode(raw(private)).decode()
    text = f"{name}\n{number}\n{key}\ntime {rfc3339(datetime.now(UTC))}"
    return signed(text, name, *signers, private)
