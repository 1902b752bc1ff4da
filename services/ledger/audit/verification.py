"""Does the log in the database still say what its checkpoints said? Nothing in the database is taken on trust.

What was verified before is remembered outside the database, so that an older backup, or a log rewritten from end to
end, shows too.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import asyncpg

from contracts.placement import every_log, log_name
from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.cursor import Cursor, Verified
from services.ledger.audit.findings import FAULTS_MAX, Findings
from services.ledger.audit.keys import PublicKey, published
from services.ledger.audit.log_verification import LogVerification, StoredLog
from services.ledger.audit.notes import Note
from services.ledger.audit.restore_notes import Restore
from services.ledger.audit.seal_keys import published as seals_published
from services.ledger.audit.seal_notes import SealKey, read_all
from services.ledger.audit.signed_epochs import SignedEpochs, signed_restores
from services.ledger.audit.statements import Surroundings
from services.ledger.audit.tree import StoredTree
from services.ledger.event_store.database import Database
from services.ledger.event_store.epochs import notice_lost
from services.ledger.event_store.identity import epoch_in, ledger_id_of, origin
from services.ledger.event_store.stored_event import rfc3339
from services.process.lost_past import WENT_BACK

_COUNTS = """
    SELECT log_id, count(*) AS events, min(position) AS first, max(position) AS last
    FROM ledger.event GROUP BY log_id ORDER BY log_id
"""


async def verify(
    database: Database,
    logs: int,
    cursor: Cursor,
    *,
    full: bool,
    trust_keys: bool = False,
    surroundings: Surroundings | None = None,
    went_over: Callable[[int], None] = lambda _: None,
) -> tuple[dict[int, Findings], Cursor]:
    """Verify every log: all of it, or what is new since the cursor. Returns findings by log, and the new cursor.

    A log with faults stays in the cursor as it was. `trust_keys`: somebody vouches for the keys as they are.
    `surroundings`: what checkpoints may state. `went_over` hears of progress, in events.
    """
    shared = Findings()
    newest: dict[int, int] = {}
    keys: list[PublicKey] = []
    seal_keys: list[SealKey] = []
    restores: list[Restore] = []
    ledger_id = cursor.ledger_id or ""
    with shared.instead_of_an_end("what belongs to all logs"):
        # Before the keys: whatever is signed by then is signed with a key that is published by then.
        for log_id in every_log(logs):
            latest = await StoredTree(database, log_id).latest()
            newest[log_id] = latest.size if latest else 0
        ledger_id = await ledger_id_of(database)
        if trust_keys:
            notes, seals = await published(database), await seals_published(database)
            cursor = replace(cursor, keys=tuple(note for _, note in notes), seals=tuple(seals))
        keys, faults = await _keys(database, ledger_id, cursor)
        shared.faults += faults
        restores = await _restores(database, ledger_id, keys, shared)
        seal_keys = await _seal_keys(database, ledger_id, cursor, keys, shared)
        if full or not cursor.logs:
            shared.faults += _strays(await database.rows(_COUNTS), logs)
        if cursor.ledger_id not in {None, ledger_id}:
            shared.fault(f"this is ledger {ledger_id}; {cursor.ledger_id} was verified before")
    findings: dict[int, Findings] = {}
    after = dict(cursor.logs)
    for log_id in every_log(logs):
        epochs = SignedEpochs(ledger_id, log_id, restores)
        before, notices = _still_there(cursor.logs.get(log_id, Verified()), epochs)
        name, size = origin(ledger_id, log_id), newest.get(log_id, 0)
        log = StoredLog(database, log_id, name, size, surroundings, seal_keys, epochs)
        if await _has_gone_back(database, log_id, before):
            findings[log_id] = Findings(before.size, faults=[*shared.faults, f"{WENT_BACK}."], log_is_sound=False)
            continue
        verification = LogVerification(log, keys, before, from_start=full)
        reached = await verification.run(went_over)
        findings[log_id] = verification.findings
        findings[log_id].notices += notices
        findings[log_id].faults[:0] = shared.faults
        findings[log_id].log_is_sound = not findings[log_id].faults
        if findings[log_id].log_is_sound:
            after[log_id] = reached
        findings[log_id].faults += verification.names[:FAULTS_MAX]
    trusted = tuple(key.note for key in keys) if not shared.faults else cursor.keys
    seals = tuple(key.note for key in seal_keys) if not shared.faults else cursor.seals
    return findings, replace(cursor, ledger_id=cursor.ledger_id or ledger_id, keys=trusted, seals=seals, logs=after)


async def _restores(database: Database, ledger_id: str, keys: Sequence[PublicKey], shared: Findings) -> list[Restore]:
    """Those that are recorded, each signed."""
    try:
        return await signed_restores(database, ledger_id, keys)
    except ValueError as unsigned:
        shared.fault(f"a record of a restore cannot be read: {unsigned}")
        return []


async def _has_gone_back(database: Database, log_id: int, before: Verified) -> bool:
    """Whether the log ends before what was verified of it; nobody appends then. What cannot be read has not."""
    ends_before = False
    with Findings().instead_of_an_end(f"the end of log {log_id}"):
        ends_before = before.size > 0 and not await StoredTree(database, log_id).reaches(before.size)
        if ends_before:
            await notice_lost(database, epoch_in(_said(before).origin), log_id, before.size)
    return ends_before


def _still_there(before: Verified, epochs: SignedEpochs) -> tuple[Verified, list[str]]:
    """What was verified before, unless a signed record says that it was lost in a restore; and what to tell of that."""
    if not before.size or epochs.may_have((said := _said(before)).origin, before.size):
        return before, []
    restore = epochs.gave_up(said.origin, said.size, said.root)
    if restore is None or (loss := restore.losses.get(log_name(epochs.log_id))) is None:
        return before, []
    at = rfc3339(restore.restored_at)
    return Verified(), [f"the ledger was restored to {loss.kept} at {at}; {loss.lost} events were lost"]


def _said(before: Verified) -> Checkpoint:
    return Checkpoint.read(Note.parse(before.note))


async def _seal_keys(
    database: Database, ledger_id: str, cursor: Cursor, keys: Sequence[PublicKey], shared: Findings
) -> list[SealKey]:
    """Those that are published; without those that were before, everything after would look as if it needed no seal."""
    notes = await seals_published(database)
    if tuple(notes[: len(cursor.seals)]) != cursor.seals:
        shared.fault("the published keys of seals are not those that were published before")
    try:
        return read_all(notes, ledger_id, keys)
    except ValueError as unreadable:
        shared.fault(f"a published key of seals cannot be read: {unreadable}")
        return []


async def _keys(database: Database, ledger_id: str, cursor: Cursor) -> tuple[list[PublicKey], list[str]]:
    """The published keys, and what is wrong with them: each has to be signed by the one before it."""
    rows = await published(database)
    notes = tuple(note for _, note in rows)
    faults: list[str] = []
    if notes[: len(cursor.keys)] != cursor.keys:
        faults.append("the published keys are not those that were published before")
    try:
        keys = [PublicKey.read(note, ledger_id) for note in notes]
    except ValueError as unreadable:
        return [], [*faults, f"a published key cannot be read: {unreadable}"]
    if [(number, key.number) for (number, _), key in zip(rows, keys, strict=True)] != [
        (number, number) for number in range(1, len(keys) + 1)
    ]:
        faults.append("the published keys are not numbered from 1 without gaps")
    faults += [
        f"key {after.number} is not signed by key {before.number}: ask the operator, by another way, whether it is his"
        for before, after in pairwise(keys)
        if after.note not in cursor.keys and not after.follows(before, ledger_id)
    ]
    return keys, faults


def _strays(counts: Sequence[asyncpg.Record], logs: int) -> list[str]:
    """Rows that no walk from position to position comes across."""
    nowhere = [
        f"there are events in log {row['log_id']}, and no such log"
        for row in counts
        if row["log_id"] not in every_log(logs)
    ]
    return nowhere + [
        f"log {row['log_id']} has {row['events']} events at positions {row['first']} to {row['last']}"
        for row in counts
        if (row["first"], row["events"]) != (1, row["last"])
    ]
