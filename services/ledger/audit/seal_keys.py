"""The keys that seal: the private one in a file, made at the first start, the public ones published.

What was published is remembered beside the key that signs checkpoints.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.placement import every_log, log_name
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
from services.ledger.audit.keys import PublicKey, SigningKey, signing_key
from services.ledger.audit.keys import published as audit_keys
from services.ledger.audit.seal_notes import SealKey, read_all, written
from services.ledger.audit.signer_memory import the_only_signer
from services.ledger.event_store.database import Database
from services.ledger.event_store.identity import ledger_id_of
from services.ledger.event_store.seals import SealingKey
from services.process.file_replacement import replace_file

ATTEMPTS_MAX = 100

_NOTES = "SELECT note FROM ledger.seal_key ORDER BY number"
_HEAD = "SELECT coalesce(max(position), 0) FROM ledger.event WHERE log_id = $1"
_SEALS = """
    SELECT coalesce((
        SELECT before.position FROM ledger.event AS before
        WHERE before.log_id = $1 AND before.position < e.position AND before.position > $2 AND before.seal IS NOT NULL
        ORDER BY before.position DESC LIMIT 1
    ), $2) + 1 AS first, position AS last, seal FROM ledger.event AS e
    WHERE log_id = $1 AND position > greatest($2, $3) AND seal IS NOT NULL ORDER BY position LIMIT $4
"""
_PUBLISH = "SELECT ledger.publish_seal_key($1, $2, $3::integer[], $4::bigint[])"


class SealFiles(NamedTuple):
    """Where a process has the key that seals, and the key of checkpoints if it has that as well.

    `publishes`: whether its login may, too.
    """

    seal_key: Path
    audit_key: Path | None
    publishes: bool = True


async def published(database: Database) -> list[str]:
    """The notes of all keys of seals in order, none of them checked."""
    return [row["note"] for row in await database.rows(_NOTES)]


class StoredSeal(NamedTuple):
    """The seal of the append of these events."""

    first: int
    last: int
    seal: bytes


async def seals_of(database: Database, log_id: int, after: int, limit: int) -> list[StoredSeal]:
    """The seals of the appends to a log that end after that position, in order, at most so many."""
    if not (keys := await read_published(database)):
        return []
    begins = keys[0].after.get(log_name(log_id), 0)
    return [StoredSeal(*row) for row in await database.rows(_SEALS, log_id, begins, after, limit)]


class SealMemory:
    """The notes that were published, in a file: outside the database, whose owner could delete them."""

    def __init__(self, audit_key: Path) -> None:
        self._file = audit_key.with_name("seals.json")

    def read(self) -> list[str]:
        """None before the first time; CannotSign where the file is not what was written."""
        try:
            return [str(note) for note in orjson.loads(self._file.read_bytes())["notes"]]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError) as unreadable:
            raise CannotSign(f"{self._file} cannot be read: {unreadable!r}. Bring a copy of it.") from unreadable

    async def adopted(self, database: Database) -> list[str]:
        """Those in the database, remembered from now on; CannotSign unless they go on from those remembered."""
        known, notes = self.read(), await published(database)
        if notes[: len(known)] != known:
            raise CannotSign(
                "The published keys of seals are not those that were published before: bring ledger.seal_key back. "
                f"Where an older backup was restored on purpose, move {self._file} away; auditors will ask why."
            )
        if notes != known:
            await read_published(database)
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(self._file, orjson.dumps({"notes": notes}, option=orjson.OPT_INDENT_2))
        return notes


async def sealing_key(database: Database, logs: int, files: SealFiles) -> SealingKey | None:
    """The key in the file, if it is the newest one published.

    Where none is published, it is made and published by a process that has the key of checkpoints; None for the others
    until then. CannotSign where the file is missing or holds another key: the operator has to bring the right one.
    """
    if files.audit_key:
        await SealMemory(files.audit_key).adopted(database)
    if files.audit_key and files.publishes and not await published(database):
        with the_only_signer(files.seal_key):
            if not await published(database):
                signer = await signing_key(database, files.audit_key)
                await _publish(database, logs, files.audit_key, 1, read_or_make(files.seal_key), signer)
    if not (keys := await read_published(database)):
        return None
    newest = keys[-1]
    finish_rotation(files.seal_key, [newest.raw])
    if not files.seal_key.exists():
        remedy = "Bring it from a backup; if it is lost for good, run: hourbook audit rotate-seal-key."
        raise CannotSign(f"The key that seals is missing: {files.seal_key}. {remedy}")
    private = read_key(files.seal_key)
    if raw(private) != newest.raw:
        remedy = "Bring that one from a backup; if it is lost for good, run: hourbook audit rotate-seal-key"
        raise CannotSign(f"{files.seal_key} is not the newest key of seals, number {newest.number}. {remedy}")
    return SealingKey(newest.number, private, newest.form)


async def rotate(database: Database, logs: int, seal_key: Path, audit_key: Path) -> int:
    """Make a new key of seals, publish it and keep it in the file; returns its number. The old one is not needed."""
    number, private = len(await SealMemory(audit_key).adopted(database)) + 1, Ed25519PrivateKey.generate()
    write_key(next_file(seal_key), private)
    await _publish(database, logs, audit_key, number, private, await signing_key(database, audit_key))
    next_file(seal_key).replace(seal_key)
    return number


async def read_published(database: Database) -> list[SealKey]:
    """All keys of seals; CannotSign where one cannot be believed."""
    ledger_id = await ledger_id_of(database)
    try:
        keys = [PublicKey.read(note, ledger_id) for _, note in await audit_keys(database)]
        return read_all(await published(database), ledger_id, keys)
    except ValueError as unreadable:
        raise CannotSign(f"A published key of seals cannot be read: {unreadable}.") from unreadable


async def _publish(
    database: Database, logs: int, audit_key: Path, number: int, private: Ed25519PrivateKey, signer: SigningKey
) -> None:
    """From where the logs end at that very time; while they go on, again."""
    ledger_id = await ledger_id_of(database)
    for _ in range(ATTEMPTS_MAX):
        heads = {log_id: await database.value(_HEAD, log_id) for log_id in every_log(logs)}
        note = written(ledger_id, number, private, heads, datetime.now(UTC), signer.private)
        if await database.value(_PUBLISH, number, note, list(heads), list(heads.values())):
            await SealMemory(audit_key).adopted(database)
            return
        if len(await published(database)) >= number:
            raise SignedElsewhere(f"Another process has published key of seals {number} at this moment. Try again.")
    raise CannotSign("The logs go on all the time, and no key of seals could be published. Try again.")
