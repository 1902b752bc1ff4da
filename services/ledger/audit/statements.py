"""What a checkpoint states beside its tree: how many logs the ledger has, which of them have begun, the price lists."""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from contracts.placement import ACCESS_LOG, log_name
from services.ledger.audit.merkle import HASH_BYTES
from services.ledger.domain.terms import Terms

_LINES = re.compile(
    r"logs (?P<logs>[1-9]\d{0,3})\nbegun(?P<begun>(?: (?:access|0|[1-9]\d{0,3}))*)\n"
    r"terms (?P<versions>[1-9]\d{0,5}) (?P<hash>[0-9a-f]{64})",
    re.ASCII,
)
_BEGINNINGS = ("logs ", "begun", "terms ")


@dataclass(frozen=True)
class Statement:
    """How many logs of accounts there are, the logs that have begun, and the hash of so many versions of the terms."""

    logs: int
    begun: tuple[int, ...]
    versions: int
    terms_hash: bytes

    @classmethod
    def read(cls, further: Sequence[str]) -> Self | None:
        """From the further lines of a checkpoint; None where they state nothing, ValueError for another form."""
        lines = [line for line in further if line.startswith(_BEGINNINGS)]
        if not lines:
            return None
        if not (found := _LINES.fullmatch("\n".join(lines))):
            raise ValueError(f"not a number of logs, those that have begun, and a hash of terms: {lines}")
        names = found["begun"].split()
        begun = tuple(ACCESS_LOG if name == log_name(ACCESS_LOG) else int(name) for name in names)
        return cls(int(found["logs"]), begun, int(found["versions"]), bytes.fromhex(found["hash"]))

    def lines(self) -> str:
        """As they stand in the note."""
        begun = "".join(f" {log_name(log_id)}" for log_id in self.begun)
        return f"logs {self.logs}\nbegun{begun}\nterms {self.versions} {self.terms_hash.hex()}"


class Surroundings:
    """Of every log of a ledger: how many there are, and a hash for each version of the terms and all before it."""

    def __init__(self, logs: int, terms: Callable[[], Awaitable[Terms]]) -> None:
        self.logs = logs
        self._terms = terms
        self._hashes: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, logs: int, terms: Terms) -> Self:
        """By terms to which none is added."""

        async def given() -> Terms:
            return terms

        return cls(logs, given)

    async def stated(self, begun: Sequence[int]) -> Statement:
        """What is signed now."""
        self._hashes = terms_hashes(await self._terms())
        return Statement(self.logs, tuple(begun), len(self._hashes), self._hashes[-1])

    async def contradiction(self, signed: Statement) -> str | None:
        """What a checkpoint states that is not so, if anything; versions may have been added since."""
        if signed.logs != self.logs:
            return f"states {signed.logs} logs, and there are {self.logs}"
        if not self._knows(signed):
            self._hashes = terms_hashes(await self._terms())
        if self._knows(signed):
            return None
        return f"states other terms than the log of access in its first {signed.versions} versions"

    def _knows(self, signed: Statement) -> bool:
        return self._hashes[signed.versions - 1 : signed.versions] == (signed.terms_hash,)


def terms_hashes(terms: Terms) -> tuple[bytes, ...]:
    """A hash for each version, over the hash of those before it and its JSON in one form.

    A field that a later program adds is to be left out of versions that do not have it, or their hashes would change.
    """
    hashes = [bytes(HASH_BYTES)]
    for version in terms.versions:
        said = version.model_dump(mode="json")
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        hashes.append(sha256(hashes[-1] + text.encode()).digest())
    return tuple(hashes[1:])
