"""Lines of a log, read without validating again what the ledger validated before it wrote them."""

from datetime import datetime

import msgspec

from services.process.leaf import Leaf

NOT_AS_WRITTEN = (msgspec.MsgspecError, KeyError, ValueError)
"""What reading raises for a line that no ledger wrote; the contracts then say what is wrong with it."""


class Envelope(msgspec.Struct, frozen=True):
    """What projections need of a line, apart from its event."""

    position: int
    event_id: str
    account_id: str
    type: str
    recorded_at: datetime


class Line(Envelope, frozen=True):
    """A line of the log, its event unread; a message on NATS has the `traceparent` of its command, too."""

    data: msgspec.Raw
    version: int
    schema_version: int
    command_id: str | None = None
    fingerprint: str | None = None
    actor: str | None = None
    traceparent: str | None = None

    def hash(self, log: str) -> str | None:
        """Its event's leaf hash in that log, in hexadecimal; None for a line of a version that had none."""
        if self.command_id is None:
            return None
        names = (self.account_id, self.version, self.event_id, self.command_id, self.type, self.schema_version)
        said = (self.recorded_at, bytes(self.data), self.fingerprint or "", self.actor)
        return Leaf.of(log, *names, *said).hash(self.position).hex()


read_line = msgspec.json.Decoder(Line).decode
