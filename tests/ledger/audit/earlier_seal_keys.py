"""Keys of seals as they were published before seals had a place."""

from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.ledger.audit.notes import Note, signed
from services.ledger.audit.seal_notes import seals_of, written


def written_as_before(
    ledger_id: str,
    number: int,
    seal_key: Ed25519PrivateKey,
    heads: Mapping[int, int],
    made_at: datetime,
    audit_key: Ed25519PrivateKey,
) -> str:
    """The note of such a key, instead of `seal_notes.written`."""
    newest = Note.parse(written(ledger_id, number, seal_key, heads, made_at, audit_key))
    return signed(newest.text.replace("\nform 2\n", "\n"), seals_of(ledger_id), audit_key)
