"""Whether every append to a log was sealed by the ledger, and none is left out of the chain that its process made."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.ledger.audit.seal_notes import SealKey
from services.ledger.event_store.seals import APPEND_EVENTS_MAX, BEGINNING, digest_of, seal_bytes
from services.process.leaf import SEAL_BYTES, Leaf

Fault = Callable[[str], None]


class Sealed(NamedTuple):
    """An append that no other has followed yet: its signature, by that key, vouches for all before it in its chain."""

    first: int
    last: int
    key: SealKey
    signature: bytes

    def __str__(self) -> str:
        return _between(self.first, self.last)


def _between(first: int, last: int) -> str:
    return f"event {last}" if first == last else f"events {first} to {last}"


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
        self._covered: list[tuple[bytes, Leaf | None]] = []
        self._last = after
        self._open: dict[bytes, Sealed] = {}

    def sealed_from(self) -> int | None:
        """After which position everything has to be sealed; None where nothing is."""
        return self._begins

    def follow(self, position: int, leaf: Leaf, leaf_hash: bytes, seal: bytes | None) -> None:
        """One event more, its hash at its position, and the seal that stands with it."""
        if self._begins is None or position <= self._begins:
            if seal is not None:
                self._fault(f"event {position} has a seal, and none was made then")
            return
        self._last = position
        key = [key for after, key in self._keys if after < position][-1]
        self._covered.append((leaf.content_hash(), None) if key.form == 1 else (leaf_hash, leaf))
        if seal is not None:
            self._follow_append(position, key, seal)
        elif key.form > 1 and len(self._covered) == APPEND_EVENTS_MAX:
            self._unsealed()

    def _follow_append(self, last: int, key: SealKey, seal: bytes) -> None:
        covered, self._covered = self._covered, []
        first = last - len(covered) + 1
        previous, signature = seal[: len(BEGINNING)], seal[len(BEGINNING) : SEAL_BYTES]
        sealed = Sealed(first, last, key, signature)
        if len(seal) != seal_bytes(key.form):
            self._fault(f"the seal of {sealed} has {len(seal)} bytes")
        elif previous != BEGINNING and self._open.pop(previous, None) is None and self._all_known:
            self._fault(f"{sealed} were sealed behind an append that does not stand before them")
        contents = [here for here, _ in covered]
        if int.from_bytes(seal[SEAL_BYTES:]) != first:
            contents = [leaf.sealed(seal, offset) if leaf else here for offset, (here, leaf) in enumerate(covered)]
        self._open[digest_of(key.form, self._log, previous, b"".join(contents))] = sealed

    def _unsealed(self) -> None:
        self._fault(f"no seal covers {_between(self._last - len(self._covered) + 1, self._last)}")
        self._covered.clear()

    def end(self) -> None:
        """Nothing follows: the last append of each chain has to be signed by the key that sealed then."""
        if self._covered:
            self._unsealed()
        for digest, sealed in self._open.items():
            try:
                Ed25519PublicKey.from_public_bytes(sealed.key.raw).verify(sealed.signature, digest)
            except InvalidSignature:
                self._fault(f"the seal of {sealed} is not the ledger's")
