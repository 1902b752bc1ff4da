"""Lines of a log, read without validating again what the ledger validated before it wrote them."""

from datetime import datetime

import msgspec

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
    """A line of the log, its event unread."""

    data: msgspec.Raw


read_line = msgspec.json.Decoder(Line).decode
