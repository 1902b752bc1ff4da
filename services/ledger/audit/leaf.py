"""The leaf of an event as it is stored."""

from services.ledger.event_store.stored_event import StoredEvent
from services.process import leaf


def leaf_data(log_id: int, event: StoredEvent) -> bytes:
    """All that the event's hash covers."""
    return leaf.leaf_data(
        log_id,
        event.position or 0,
        event.account_id,
        event.version,
        event.event_id,
        event.command_id,
        event.type,
        event.schema_version,
        event.recorded_at,
        event.data.encode(),
        event.fingerprint.hex() if event.fingerprint else "",
        event.actor,
    )


def hash_of(log_id: int, event: StoredEvent) -> bytes:
    """The event's leaf hash, worked out anew."""
    return leaf.leaf_hash(leaf_data(log_id, event))
