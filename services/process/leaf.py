"""The leaf of an event: what its hash covers, byte by byte (FORMAT.md).

PostgreSQL can work the same out when the event is appended (`ledger.leaf_hash`).
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import orjson

FORM = "hourbook event 1"
FORM_WITH_ACTOR = "hourbook event 2 {}"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
USUAL_BYTES = 4096
SEAL_BYTES = 32 + 64
"""Of a seal without a place: what it follows, and its signature."""
PLACE_BYTES = 8


class Lengths(dict[int, bytes]):
    """Each length in four bytes, big-endian; the usual ones are worked out once, for every event has nine of them."""

    def __missing__(self, length: int) -> bytes:
        written = length.to_bytes(4, "big")
        if length < USUAL_BYTES:
            self[length] = written
        return written


LENGTHS = Lengths()


class Leaf(NamedTuple):
    """All that matters of an event that stands in a log, but for its position: what comes before it, and what after.

    Each field stands after its length, so that none can lend to another.
    """

    before: bytes
    after: bytes

    @classmethod
    def of(
        cls,
        log: int | str,
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
    ) -> "Leaf":
        """`data`: its very bytes. `fingerprint`: in hexadecimal, empty where it has none. `actor` is in the form's
        field, and absent of events that were recorded before actors were.
        """
        account, event, command = account_id.encode(), event_id.encode(), command_id.encode()
        printed = fingerprint.encode()
        after = b"".join((
            LENGTHS[len(account)], account, _number(version), LENGTHS[len(event)], event,
            LENGTHS[len(command)], command, _alike(kind, schema_version, recorded_at),
            LENGTHS[len(data)], data, LENGTHS[len(printed)], printed,
        ))  # fmt: skip
        return cls(_before(log, actor), after)

    @classmethod
    def of_line(cls, log: int | str, line: bytes) -> "Leaf":
        """Of a line of the log."""
        said = orjson.loads(line)
        names = ("account_id", "version", "event_id", "command_id", "type", "schema_version")
        recorded_at, data = datetime.fromisoformat(said["recorded_at"]), line.partition(b'"data":')[2][:-1]
        named = (said[name] for name in names)
        return cls.of(log, *named, recorded_at, data, said["fingerprint"] or "", said.get("actor"))

    def data(self, position: int) -> bytes:
        """What is hashed of the event at that position."""
        return self.before + joined(b"%d" % position) + self.after

    def hash(self, position: int) -> bytes:
        """The hash of the leaf at that position."""
        before, after = self
        place = b"%d" % position
        return sha256(b"".join((b"\x00", before, LENGTHS[len(place)], place, after))).digest()

    def content_hash(self) -> bytes:
        """What the event is wherever it stands in its log."""
        return sha256(self.before + self.after).digest()

    def sealed(self, seal: bytes, offset: int) -> bytes:
        """What that seal covers of the event that comes so many behind the first one of its append.

        Its hash where it was expected to stand, or, by a seal without a place, what it is wherever it stands.
        """
        place = seal[SEAL_BYTES : SEAL_BYTES + PLACE_BYTES]
        return self.hash(int.from_bytes(place) + offset) if place else self.content_hash()


@lru_cache(256)
def _before(log: int | str, actor: str | None) -> bytes:
    form = FORM if actor is None else FORM_WITH_ACTOR.format(actor)
    return joined(form.encode(), str(log).encode())


@lru_cache(1024)
def _number(number: int) -> bytes:
    return joined(b"%d" % number)


@lru_cache(16)
def _alike(kind: str, schema_version: int, at: datetime) -> bytes:
    """The events of a command, and of a batch of them, are recorded at one instant, and many are of one kind."""
    return joined(kind.encode(), b"%d" % schema_version, b"%d" % ((at - EPOCH) // MICROSECOND))


def joined(*parts: bytes) -> bytes:
    """Each after its length in bytes, four bytes, big-endian."""
    return b"".join([LENGTHS[len(part)] + part for part in parts])


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf (RFC 6962)."""
    return sha256(b"\x00" + data).digest()
