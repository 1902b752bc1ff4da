"""What auditors and customers are given as evidence. Hashes are lower-case hexadecimal; see the ledger's FORMAT.md."""

from pydantic import BaseModel, ConfigDict

from contracts.quantities import AccountId, Instant


class Evidence(BaseModel):
    """Something that proves itself."""

    model_config = ConfigDict(frozen=True)


class PublishedKey(Evidence):
    """A key that signs or has signed checkpoints: its bytes in base64, and its note, signed by the key before it."""

    number: int
    public_key: str
    note: str


class PublishedKeys(Evidence):
    """All keys of a ledger, the first one first; and the notes of the keys that seal its appends, if any does."""

    ledger_id: str
    keys: tuple[PublishedKey, ...]
    seals: tuple[str, ...] = ()


class SealLine(Evidence):
    """The seal of one append: the positions of its first and last event, and its 104 or 96 bytes in hexadecimal."""

    log: int
    first: int
    last: int
    seal: str


class LogVerification(BaseModel):
    """What the auditor's process found last in a log: no evidence, but what it says of its own work.

    `size`: how many events it found good. `full_at`: when it went over everything last, from the first event; absent
    where it has not yet. `log_is_sound`: whether the faults, if any, are of what is made of the log
    and not of the log.
    """

    model_config = ConfigDict(frozen=True)

    log: int
    size: int
    verified_at: Instant
    full_at: Instant | None = None
    log_is_sound: bool
    faults: tuple[str, ...]


class CheckpointLine(Evidence):
    """A checkpoint of a log: how many events it covers, and the signed note."""

    log: int
    size: int
    note: str


class InclusionProof(Evidence):
    """That the event at `position` is in the tree over the first `size` events: RFC 6962, 2.1.1."""

    log: int
    position: int
    size: int
    path: tuple[str, ...]


class ConsistencyProof(Evidence):
    """That the tree over the first `to_size` events begins with that over the first `from_size`: RFC 6962, 2.1.2."""

    log: int
    from_size: int
    to_size: int
    path: tuple[str, ...]


class EventProof(Evidence):
    """That one event of a receipt is in the tree of the receipt's checkpoint."""

    position: int
    path: tuple[str, ...]


class Receipt(Evidence):
    """All that proves, without asking anybody, that a command led to these events: lines of the log as they stand."""

    log: int
    account_id: AccountId
    command_id: str
    lines: tuple[str, ...]
    proofs: tuple[EventProof, ...]
    checkpoint: str
    keys: tuple[str, ...]
