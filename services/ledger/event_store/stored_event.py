"""An event as it stands in the log."""

from collections.abc import Iterable
from datetime import datetime
from json.encoder import encode_basestring
from typing import NamedTuple

import msgspec

from contracts.envelope import RecordedEvent
from contracts.events import EVENT_TYPES, Event
from services.process.event_reading import READERS


class Personal(NamedTuple):
    """A text about a person that an event holds a commitment to; kept apart from the log, erased on demand."""

    commitment: str
    salt: bytes
    text: str


class StoredEvent(NamedTuple):
    """One row of the log; without a position until it is appended. `data` is JSON text, never written anew.

    `fingerprint` is the command's, on its first event only; `actor` is who gave it (rule 17.1), unknown of old events.
    `personal` is what is to be kept beside it when it is appended, `follows` the id of the event that it follows in its
    account; an event that was read has neither.
    """

    position: int | None
    account_id: str
    version: int
    event_id: str
    command_id: str
    fingerprint: bytes | None
    type: str
    schema_version: int
    recorded_at: datetime
    data: str
    actor: str | None = None
    personal: tuple[Personal, ...] = ()
    follows: str | None = None

    def event(self) -> Event:
        """The event itself; KeyError for a type this program does not know, ValidationError for data that do not fit.

        Data that no ledger wrote are read by the contracts, whose error says what is wrong with them.
        """
        try:
            return READERS[self.type](self.data)
        except msgspec.MsgspecError:
            return EVENT_TYPES[self.type].model_validate_json(self.data)

    def recorded(self) -> RecordedEvent:
        """The event as a line of the log, for programs that fold it."""
        return RecordedEvent.model_validate_json(self.line(self.position))

    def line(self, position: int | None) -> str:
        """The published form at that position, `data` as stored and last, so that an auditor finds its bytes.

        Ids, types and actors need no escaping (see contracts), keys do. Without a position, in a dry run, the event has
        no id and no command either.
        """
        event_id, command_id, fingerprint = "null", "null", "null"
        actor = f'"actor":"{self.actor}",' if self.actor else ""
        if position:
            event_id, command_id = f'"{self.event_id}"', encode_basestring(self.command_id)
            fingerprint = f'"{self.fingerprint.hex()}"' if self.fingerprint else "null"
        return (
            f'{{"position":{position or "null"},"event_id":{event_id},"account_id":"{self.account_id}",'
            f'"version":{self.version},"command_id":{command_id},"fingerprint":{fingerprint},'
            f'"type":"{self.type}","schema_version":{self.schema_version},'
            f'"recorded_at":"{rfc3339(self.recorded_at)}",{actor}"data":{self.data}}}'
        )


def as_lines(events: Iterable[StoredEvent]) -> bytes:
    """A line of the log for each event."""
    return "".join(f"{event.line(event.position)}\n" for event in events).encode()


def rfc3339(instant: datetime) -> str:
    """An instant in UTC as it is published."""
    return instant.isoformat().replace("+00:00", "Z")
