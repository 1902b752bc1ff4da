"""Seals of appends (FORMAT.md): that these events were given to PostgreSQL by a process of the ledger, together.

A seal is made before the events have positions. It covers the hashes that they have where they are expected, and says
where that is: where this process has seen the log end, or else at its beginning. (By keys of the first form it covers
what they are, wherever they stand.) It covers the seal before it as well, the last one of the same process in the same
log: an append that is left out, or put before another, breaks that chain, and the last signature of a chain vouches for
all of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from hmac import digest as hmac_digest
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.identity import origin
from services.process.leaf import PLACE_BYTES, SEAL_BYTES, Leaf, joined

FORM = b"hourbook seal %d"
NEWEST_FORM = 2
CODE_FORM = b"hourbook code 1"
CODE_BYTES = 32
BEGINNING = bytes(32)
"""In place of a digest where no seal comes before."""
APPEND_EVENTS_MAX = 20_000
"""Of one append: who goes over a log keeps its events until they come to their seal."""


class NotSealedNow(LedgerUnavailable):
    """Appends to this ledger are sealed, and this process does not have the key that seals now."""


class SealingKey(NamedTuple):
    """The key that seals now, its number among the published ones, and the form of its seals."""

    number: int
    private: Ed25519PrivateKey
    form: int


class Seal(NamedTuple):
    """Of one append: the digest of the seal before it, its own, the signature over that, and its place, if any."""

    previous: bytes
    digest: bytes
    signature: bytes
    place: bytes

    def stored(self) -> bytes:
        """As it stands with the last event of the append, from which the digest follows."""
        return self.previous + self.signature + self.place


def seal_bytes(form: int) -> int:
    """How long a seal of that form is."""
    return SEAL_BYTES if form == 1 else SEAL_BYTES + PLACE_BYTES


def digest_of(form: int, log: str, previous: bytes, contents: bytes) -> bytes:
    """What is signed: the log by its origin, the seal before, and the hashes of the events, one after another."""
    return sha256(joined(FORM % form, log.encode(), previous, contents)).digest()


class Sealer:
    """Seals what one process appends. `renewed` finds the key that seals now, once another has been published."""

    def __init__(self, ledger_id: str, key: SealingKey, renewed: Callable[[], Awaitable[SealingKey]]) -> None:
        self._ledger_id = ledger_id
        self._key = key
        self._renewed = renewed
        self._last: dict[int, bytes] = {}

    @property
    def key_number(self) -> int:
        return self._key.number

    def begin_anew(self) -> None:
        """Follow nothing that was appended before: the log may have lost it."""
        self._last.clear()

    async def renew(self) -> None:
        """Seal with another key from now on, if there is one."""
        self._key = await self._renewed()

    def seal(self, log_id: int, leaves: Sequence[Leaf], first: int, hashes: bytes) -> Seal:
        """For an append that begins now; while it is under way, another begins a chain of its own.

        `hashes` are those that the leaves have from the position `first` on, where they are expected to stand.
        """
        previous, form = self._last.pop(log_id, BEGINNING), self._key.form
        place = first.to_bytes(PLACE_BYTES) if form > 1 else b""
        contents = hashes if place else b"".join([leaf.content_hash() for leaf in leaves])
        digest = digest_of(form, origin(self._ledger_id, log_id), previous, contents)
        return Seal(previous, digest, self._key.private.sign(digest), place)

    def code(self, log_id: int, *parts: bytes) -> bytes:
        """An authentication code over what processes of the ledger keep in the database for themselves."""
        said = joined(CODE_FORM, origin(self._ledger_id, log_id).encode(), *parts)
        return hmac_digest(self._key.private.private_bytes_raw(), said, "sha256")

    def recorded(self, log_id: int, seal: Seal) -> None:
        """The append stands in the log: the next one follows it."""
        self._last[log_id] = seal.digest

    def refused(self, log_id: int, seal: Seal) -> None:
        """Nothing was appended: the next one follows what this one would have."""
        if seal.previous != BEGINNING:
            self._last[log_id] = seal.previous
