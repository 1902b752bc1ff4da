"""The leaf of an event as it is stored."""

from services.ledger.event_store.stored_event import StoredEvent
from services.process.leaf import Leaf


def leaf_of(log_id: int, event: StoredEvent) -> Leaf:
    """All that the event's hash covers but its position, which it may not have yet.

    The fields are taken at once: that is faster than one by one, and every event that is appended comes by here.
    """
    _, account_id, version, event_id, command_id, fingerprint, kind, schema_version, at, text, actor, _, _ = event
    data, printed = text.encode(), fingerprint.hex() if fingerprint else ""
    return Leaf.of(log_id, account_id, version, event_id, command_id, kind, schema_version, at, data, printed, actor)


def hash_of(log_id: int, event: StoredEvent) -> bytes:
    """The event's leaf hash, worked out anew."""
    return leaf_of(log_id, event).hash(event.position or 0)
