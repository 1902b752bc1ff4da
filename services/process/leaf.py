"""The leaf of an event: what its hash covers, byte by byte (FORMAT.md).

PostgreSQL works the same out when the event is appended (`ledger.leaf_hash`).
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

FORM = "hourbook event 1"
FORM_WITH_ACTOR = "hourbook event 2 {}"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def leaf_data(
    log: int | str,
    position: int,
    account_id: str,
    version: int,
    event_id: str,
    command_id: str,
    kind: str,
    schema_version: int,
    recorded_at: datetime,
    data: bytes,
    fingerprint: str,
    actor: str | None,
) -> bytes:
    """All that matters of an event that stands in a log: each field after its length, so that none can lend to another.

    `data`: its very bytes. `fingerprint`: in hexadecimal, empty where it has none. `actor` is in the form's field, and
    absent of events that were recorded before actors were.
    """
    instant = (recorded_at - EPOCH) // MICROSECOND
    form = FORM if actor is None else FORM_WITH_ACTOR.format(actor)
    fields = (form, log, position, account_id, version, event_id, command_id, kind, schema_version, instant)
    parts = [*(str(field).encode() for field in fields), data, fingerprint.encode()]
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf (RFC 6962)."""
    return sha256(b"\x00" + data).digest()
