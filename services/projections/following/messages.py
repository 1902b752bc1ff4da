"""A message of a log's stream, read as the event that it says it is; whether the log has it is for the feed to say."""

import logging

import msgspec
from nats.aio.msg import Msg

from contracts.quantities import parse_instant
from services.process import tracing
from services.process.event_reading import READERS
from services.projections.following.lines import NOT_AS_WRITTEN, Line
from services.projections.following.logged import Logged

logger = logging.getLogger(__name__)

POSITION_DIGITS_MAX = 18


def position_of(message: Msg) -> int:
    """Where the event stands in the log; 0 for a message that does not say."""
    said = (message.headers or {}).get("Hourbook-Position", "")
    return int(said) if said.isdecimal() and len(said) <= POSITION_DIGITS_MAX else 0


def event_of(message: Msg) -> Logged | None:
    """The event as it stands in the feed; None if it cannot be read, so that the feed decides."""
    headers = message.headers or {}
    try:
        kind = headers["ce-type"]
        line = Line(
            position=position_of(message),
            event_id=headers["ce-id"],
            account_id=headers["ce-subject"],
            type=kind,
            recorded_at=parse_instant(headers["ce-time"]),
            data=msgspec.Raw(message.data),
            version=int(headers["Hourbook-Version"]),
            schema_version=int(headers["Hourbook-Schema-Version"]),
            command_id=headers["Hourbook-Command"],
            fingerprint=headers.get("Hourbook-Fingerprint"),
            actor=headers.get("ce-actor"),
            traceparent=headers.get(tracing.HEADER),
        )
        return Logged(line, READERS[kind](message.data))
    except NOT_AS_WRITTEN as unreadable:
        logger.warning("message %s of %s cannot be read: %r", position_of(message), message.subject, unreadable)
        return None
