"""Whether every append to a log was sealed by the ledger, and none is left out of the chain that its process made."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.ledger.audit.seal_notes import SealKey
from services.ledger.event_store.seals import BEGINNING, SEAL_BYTES, digest_of

Fault = Callable[[str], None]


class Sealed(NamedTuple):
    """An append that no other has followed yet: its signature vouches for all before it in its chain."""

    first: int
    last: int
    signature: bytes

    def __str__(self) -> str:
        return f"event {self.last}" if self.first == self.last else f"events {self.first} to {self.last}"


class SealCheck:
    """Goes over the events of one log in order.

    `log`: its origin; `name`: how notes call it. `after`: where this begins; unless that is the start of the log, what
    was appended before is not known.
    """

    def __init__(self, log: str, name: str, keys: Sequence[SealKey], after: int, fault: Fault) -> None:
        self._log = log
        self._keys = [(key.after.get(name, 0), key) for key in keys]
        self._begins = self._keys[0][0] if keys else None
        self._all_known = after <= (self._begins or 0)
        self._fault = fault
        self._contents: list[bytes] = []
        self._last = after
        self._open: dict[bytes, Sealed] = {}

    def sealed_from(self) -> int | None:
        """After which position everything has to be sealed; None where nothing is."""
        return self._begins

    def follow(self, position: int, content: bytes, seal: bytes | None) -> None:
        """One event more, by its content hash, and the seal that stands with it."""
        if self._begins is None or position <= self._begins:
            if seal is not None:
                self._fault(f"event {position} has a seal, and none was made then")
            return
        self._last = position
        self._contents.append(content)
        if seal is not None:
            self._follow_append(position, seal)

    def _follow_append(self, last: int, seal: bytes) -> None:
        contents, self._contents = self._contents, []
        previous, signature = seal[: len(BEGINNING)], seal[len(BEGINNING) :]
        sealed = Sealed(last - len(contents) + 1, last, signature)
        if len(seal) != SEAL_BYTES:
            self._fault(f"the seal of {sealed} has {len(seal)} bytes")
        elif previous != BEGINNING and self._open.pop(previous, None) is None and self._all_known:
            self._fault(f"{sealed} were sealed behind an append that does not stand before them")
        self._open[digest_of(self._log, previous, contents)] = sealed

    def end(self) -> None:
        """Nothing follows: the last append of each chain has to be signed by the key that sealed then."""
        if self._contents:
            self._fault(f"{Sealed(self._last - len(self._contents) + 1, self._last, b'')} have no seal")
        for digest, sealed in self._open.items():
            key = [key for after, key in self._keys if after < sealed.last][-1]
            try:
                Ed25519PublicKey.from_public_bytes(key.raw).verify(sealed.signature, digest)
            except InvalidSignature:
                self._fault(f"{sealed} do not have the seal of the ledger")
