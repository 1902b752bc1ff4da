"""Events as the handler drafts them."""

from datetime import UTC, datetime
from uuid import uuid4

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
