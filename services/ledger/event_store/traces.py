"""Of which trace the command of each event was: kept beside the log, where operators trace."""

from collections.abc import Iterable, Mapping

from services.ledger.event_store.database import Database

_KEEP = """
    INSERT INTO ledger.trace (log_id, event_id, traceparent)
    SELECT $1, event_id, traceparent FROM unnest($2::uuid[], $3::text[]) AS new (event_id, traceparent)
    ON CONFLICT DO NOTHING
"""
_KEPT = "SELECT event_id::text, traceparent FROM ledger.trace WHERE log_id = $1 AND event_id = ANY ($2::uuid[])"


async def keep(database: Database, log_id: int, traceparents: Mapping[str, str]) -> None:
    """Those of events that are about to be appended, by the events' ids."""
    if traceparents:
        await database.rows(_KEEP, log_id, list(traceparents), list(traceparents.values()))


async def kept(database: Database, log_id: int, event_ids: Iterable[str]) -> dict[str, str]:
    """Those of the events that have one."""
    rows = await database.rows(_KEPT, log_id, list(event_ids))
    return {row["event_id"]: row["traceparent"] for row in rows}
