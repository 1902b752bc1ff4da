"""Checkpoints that are kept outside of a database and of its backups: what a restored log has to agree with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg
import orjson

from contracts.placement import every_log, log_name
from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.merkle import Frontier
from services.ledger.audit.notes import NotANote, Note
from services.ledger.audit.restore_notes import Restore, bound_of
from services.ledger.audit.signer_memory import memories_beside
from services.ledger.event_store.identity import epoch_in, origin
from services.operating.backup.ledger_state import Head
from services.process.operator_error import OperatorError

PAGE_EVENTS = 10_000
_TIME = "time "

_HASHES = "SELECT hash FROM ledger.event WHERE log_id = $1 AND position > $2 AND position <= $3 ORDER BY position"


@dataclass(frozen=True)
class Kept:
    """What a file says of a log."""

    file: Path
    origin: str
    size: int
    root: bytes
    signed_at: datetime | None = None


def kept_in(file: Path) -> list[Kept]:
    """Of a witness's file, a checkpoint's or the signer's memory; OperatorError for any other."""
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        if text.lstrip().startswith("{"):
            said = orjson.loads(text)
            return [Kept(file, said["origin"], said["size"], bytes.fromhex(said["root"]), _time(said.get("signed_at")))]
        found = [kept_of_note(file, note) for note in _notes(text)]
    except (ValueError, KeyError, TypeError) as unreadable:
        raise OperatorError(f"{file} holds no checkpoint that can be read: {unreadable}.") from unreadable
    if not found:
        raise OperatorError(f"{file} holds no checkpoint.")
    return found


def kept_of_note(file: Path, note: str) -> Kept:
    """A signed checkpoint that a file has; OperatorError for any other note."""
    try:
        parsed = Note.parse(note)
        said = Checkpoint.read(parsed)
    except NotANote as malformed:
        raise OperatorError(f"{file} holds no checkpoint that can be read: {malformed}.") from malformed
    times = (line.removeprefix(_TIME) for line in parsed.text.split("\n") if line.startswith(_TIME))
    return Kept(file, said.origin, said.size, said.root, _time(next(times, None)))


def _time(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


def signers_memory(key_file: Path) -> list[Kept]:
    """What the signer with that key has signed last, of each log."""
    return [kept for file in memories_beside(key_file) for kept in kept_in(file)]


def _notes(text: str) -> Iterator[str]:
    """Signed notes one after another, with an empty line between them or without."""
    parts = [part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    for said, signatures in zip(parts[::2], parts[1::2], strict=True):
        yield f"{said.lstrip()}\n\n{signatures.rstrip()}\n"


def of_other_ledgers(kept: Iterable[Kept], ledger_id: str, logs: int) -> list[str]:
    """A sentence for each checkpoint that is of no log of this ledger."""
    return [
        f"The backup is of another ledger: it is of {ledger_id}, and {each.file} has a checkpoint of {each.origin}."
        for each in kept
        if not any(is_of(each, ledger_id, log_id) for log_id in every_log(logs))
    ]


def is_of(kept: Kept, ledger_id: str, log_id: int) -> bool:
    """Whether it is of that log, of whatever epoch."""
    return kept.origin == origin(ledger_id, log_id, epoch_in(kept.origin))


def standing(kept: Iterable[Kept], restores: Sequence[Restore], ledger_id: str, logs: int) -> list[Kept]:
    """Without those of an earlier epoch that cover what a restore since has declared to be lost."""

    def stands(each: Kept, log_id: int) -> bool:
        bound = bound_of(restores, epoch_in(each.origin), log_id)
        return is_of(each, ledger_id, log_id) and (bound is None or each.size <= bound)

    return [each for each in kept if any(stands(each, log_id) for log_id in every_log(logs))]


def missing_events(kept: Iterable[Kept], ledger_id: str, heads: Mapping[int, Head], logs: int) -> list[str]:
    """A sentence for each log of which a kept checkpoint covers more than there is: the largest of them."""
    sentences: list[str] = []
    for log_id in every_log(logs):
        has = heads[log_id].position if log_id in heads else 0
        beyond = [each for each in kept if is_of(each, ledger_id, log_id) and each.size > has]
        if beyond:
            largest = max(beyond, key=lambda each: each.size)
            sentences.append(
                f"The backup is from before a kept checkpoint: log {log_name(log_id)} ends at position {has}, and the "
                f"checkpoint in {largest.file} covers {largest.size}; positions {has + 1} to {largest.size} are lost."
            )
    return sentences


async def contradictions(
    connection: asyncpg.Connection, kept: Iterable[Kept], ledger_id: str, heads: Mapping[int, Head], logs: int
) -> list[str]:
    """A sentence for each kept checkpoint whose root is not that of as many events."""
    sentences: list[str] = []
    for log_id in every_log(logs):
        has = heads[log_id].position if log_id in heads else 0
        of_log = [each for each in kept if is_of(each, ledger_id, log_id) and each.size <= has]
        roots = await _roots(connection, log_id, sorted({each.size for each in of_log}))
        sentences += [
            f"Log {log_name(log_id)} is another one: its first {each.size} events have not the root that the "
            f"checkpoint in {each.file} says."
            for each in of_log
            if roots[each.size] != each.root
        ]
    return sentences


async def _roots(connection: asyncpg.Connection, log_id: int, sizes: list[int]) -> dict[int, bytes]:
    """The roots of the tree at these sizes, from the events' hashes alone."""
    tree, roots = Frontier(), {}
    for size in sizes:
        while tree.size < size:
            rows = await connection.fetch(_HASHES, log_id, tree.size, min(size, tree.size + PAGE_EVENTS))
            for row in rows:
                tree.push(row["hash"])
            if not rows:
                break
        roots[size] = tree.root()
    return roots
