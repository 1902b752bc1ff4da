"""Events as the handler drafts them."""

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from services.ledger.event_store.stored_event import StoredEvent


def event(
    account_id: str, version: int, command_id: str, *, first: bool = True, data: str = "{}", event_id: str | None = None
) -> StoredEvent:
    """One event of a command; its first one has the fingerprint."""
    return StoredEvent(
        position=None,
        account_id=account_id,
        version=version,
        event_id=event_id or str(uuid4()),
        command_id=command_id,
        fingerprint=command_id.encode() if first else None,
        type="TaskClosed",
        schema_version=1,
        recorded_at=datetime.now(UTC),
        data=data,
    )


async def append_as_before(database_url: str, log_id: int, *events: StoredEvent) -> None:
    """As a program appends that knows nothing personal to be kept apart; it may still run after the migration."""
    names = [name for name in StoredEvent._fields if name not in {"position", "personal"}]
    columns = [[getattr(each, name) for each in events] for name in names]
    connection = await asyncpg.connect(database_url)
    parameters = ", ".join(f"${number}" for number in range(1, 13))
    await connection.execute(f"SELECT ledger.append({parameters})", log_id, *columns, [], [])
    await connection.close()
