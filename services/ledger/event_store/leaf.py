"""The leaf of an event as it is stored."""

from services.ledger.event_store.stored_event import StoredEvent
from services.process.leaf import Leaf


def leaf_of(log_id: int, event: StoredEvent) -> Leaf:
    """All that the event's hash covers but its position, which it may not have yet."""
    return Leaf.of(
        log_id,
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
    return leaf_of(log_id, event).hash(event.position or 0)
