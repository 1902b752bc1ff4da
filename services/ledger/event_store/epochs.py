"""The ledger's epoch: it begins with 1, and each restore of the database begins another (`hourbook restored`).

That it has begun is recorded in the log of access, so it is hashed, signed and exported like all that is recorded.
"""

from contextlib import suppress

import asyncpg

from contracts.placement import ACCESS_LOG
from services.ledger.event_store.database import Database, LedgerUnavailable, LogWentBack

LEDGER_SUBJECT = "ledger"
"""What the log of access calls the ledger itself."""

_EPOCH = "SELECT coalesce(max(number), 1) FROM ledger.epoch"
_BEGIN = "INSERT INTO ledger.epoch VALUES ($1)"
_NOTES = """
    SELECT data->>'note' AS note FROM ledger.event WHERE log_id = $1 AND account_id = $2 ORDER BY version
"""
_NOTICE = "INSERT INTO ledger.lost_past VALUES ($1, $2, $3)"
_LOST = "SELECT log_id, max(position) AS position FROM ledger.lost_past WHERE epoch >= $1 GROUP BY log_id"
_FORGET = "DELETE FROM ledger.lost_past"


async def epoch_of(database: Database) -> int:
    """Which epoch it is now."""
    return await database.value(_EPOCH)


async def restore_notes(database: Database) -> list[str]:
    """The signed records of all restores, in order, none of them checked."""
    return [row["note"] for row in await database.rows(_NOTES, ACCESS_LOG, LEDGER_SUBJECT)]


async def notice_lost(database: Database, epoch: int, log_id: int, position: int) -> LogWentBack:
    """Something outside of the database knows the log up to that position: nobody appends in this epoch any more.

    Where that cannot be written, as on a standby, only the part that noticed it stops. Returns what is to be raised.
    """
    with suppress(LedgerUnavailable, asyncpg.PostgresError):
        await database.value(_NOTICE, log_id, epoch, position)
    return LogWentBack()


async def lost_positions(database: Database) -> dict[int, int]:
    """Of each log that has gone back in this epoch, the furthest position that somebody has noticed to be lost."""
    rows = await database.rows(_LOST, await epoch_of(database))
    return {row["log_id"]: row["position"] for row in rows}


async def begin(database: Database, epoch: int) -> None:
    """The epoch whose record stands in the log of access begins; what was noticed before is in that record."""
    with suppress(asyncpg.UniqueViolationError):
        await database.value(_BEGIN, epoch)
    await forget_notices(database)


async def forget_notices(database: Database) -> None:
    """Nobody is known to hold something later; whoever does notices it again."""
    await database.value(_FORGET)
