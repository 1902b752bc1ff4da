"""How an event travels: in the log feed, in answers and on JetStream."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.events import EVENT_TYPES, Event, EventType
from contracts.quantities import AccountId, Instant, Minutes, SignedMinutes


class RecordedEvent(BaseModel):
    """One line of the log: an event with its place in it (rule 2.1).

    `position` counts the log from 1 without gaps, `version` the account's own events; both are absent in a dry run's
    answer. `data` holds the fields of the event type named by `type`. `command_id` is the key of the command that led
    to it and `fingerprint`, on the command's first event, a hash of the command. `actor` is the opaque id of who gave
    the command (rule 17.1); events that were recorded before actors were have none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    position: int | None
    event_id: str | None
    account_id: AccountId
    version: int
    command_id: str | None = None
    fingerprint: str | None = None
    type: EventType
    schema_version: int
    recorded_at: Instant
    actor: str | None = None
    data: dict[str, Any]

    def event(self) -> Event:
        """The event itself; KeyError for a type this reader does not know, ValidationError for data that do not fit."""
        return EVENT_TYPES[self.type].model_validate(self.data)


class BalanceAfter(BaseModel):
    """The balance after a command: balance = held - owed, available = balance - planned (rules 4.2, 15.2)."""

    model_config = ConfigDict(frozen=True)

    balance_minutes: SignedMinutes
    held_minutes: Minutes
    owed_minutes: Minutes
    planned_minutes: Minutes
    available_minutes: SignedMinutes
    suspended: bool


class Recorded(BaseModel):
    """The answer to a command: its events as recorded, and the balance after them.

    `version` and `position` are those of the last event; hand `position` on as `Hourbook-Min-Position` to read it.
    """

    model_config = ConfigDict(frozen=True)

    account_id: AccountId
    version: int
    position: int | None
    events: tuple[RecordedEvent, ...]
    balance: BalanceAfter
