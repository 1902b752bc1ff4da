"""What is shown or erased and is itself remembered: names that auditors read, events they take away, erasures."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from contracts.access import Right
from contracts.access_events import ExportMade, NamesErased, NamesRead
from services.access.principals import Principal
from services.ledger.access.log import AccessLog
from services.ledger.event_store.database import LedgerUnavailable
from services.process import erasure_journal


async def note_names_read(log: AccessLog, reader: Principal, account_id: str | None) -> None:
    """Before names are shown, of an account or of a log: LedgerUnavailable where it cannot be recorded."""
    if reader.is_on_record(Right.PERSONAL):
        await log.record(reader.id, NamesRead(account_id=account_id), reader.id)


async def note_export(log: AccessLog, reader: Principal, account_id: str | None) -> None:
    """Before events are handed out as they stand, those of an account or of a log.

    Whether a reader keeps what it reads cannot be known, so that every such reading of an auditor counts.
    """
    if reader.is_on_record(Right.LOG):
        await log.record(reader.id, ExportMade(account_id=account_id), reader.id)


async def note_outside_database(journal: Path | None, erasures: Iterable[str]) -> None:
    """Write an account's erasures into the journal, for restores to make them again; LedgerUnavailable where it cannot.

    All of them: one that a crash has kept from it is written when it is asked for again.
    """
    try:
        await asyncio.to_thread(erasure_journal.keep, journal, erasures)
    except OSError as failure:
        raise LedgerUnavailable(f"the journal of erasures cannot be written: {failure.strerror}") from failure


async def note_names_erased(log: AccessLog, eraser: Principal, account_id: str, erased: int, reason: str) -> None:
    """After names are erased, by anybody: how many there were is known only then. Repeated, it is noted again."""
    await log.record(eraser.id, NamesErased(account_id=account_id, erased=erased, reason=reason), eraser.id)
