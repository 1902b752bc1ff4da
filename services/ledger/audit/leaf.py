"""The leaf of an event: what its hash covers, byte by byte (FORMAT.md)."""

from datetime import UTC, datetime, timedelta

from services.ledger.audit.merkle import leaf_hash
from services.ledger.event_store.stored_event import StoredEvent

FORM = b"hourbook event 1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def leaf_data(log_id: int, event: StoredEvent) -> bytes:
    """All that matters of an event that stands in a log: each field after its length, so that none can lend to another.

    PostgreSQL works the same out when it appends (`ledger.leaf_hash`).
    """
    fields = (
        FORM,
        b"%d" % log_id,
        b"%d" % (event.position or 0),
        event.account_id.encode(),
        b"%d" % event.version,
        event.event_id.encode(),
        event.command_id.encode(),
        event.type.encode(),
        b"%d" % event.schema_version,
        b"%d" % ((event.recorded_at - EPOCH) // MICROSECOND),
        event.data.encode(),
        event.fingerprint.hex().encode() if event.fingerprint else b"",
    )
    return b"".join([len(field).to_bytes(4, "big") + field for field in fields])


def hash_of(log_id: int, event: StoredEvent) -> bytes:
    """The event's leaf hash, worked out anew."""
    return leaf_hash(leaf_data(log_id, event))
