"""An event of the log as a projection takes it: where it stands, and what it says."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

from pydantic import BaseModel, ValidationError

from contracts.envelope import RecordedEvent
from contracts.events import Event
from services.process.event_reading import READERS
from services.projections.following.lines import NOT_AS_WRITTEN, Line, read_line

FAULTS_MAX = 3


class CannotApply(Exception):
    """This event cannot be applied."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for an event of a known type whose data do not fit it: its account alone cannot go on."""

    reason: str


class Logged(NamedTuple):
    """An event and its place in the log."""

    recorded: Line | RecordedEvent
    event: Event | Unreadable

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """The event on a line of the log; CannotApply, with its place, for one of a type that is not known here."""
        try:
            written = read_line(line)
            return cls(written, READERS[written.type](written.data))
        except NOT_AS_WRITTEN:
            recorded = recorded_on(line)
            try:
                return cls(written_on(line), cls.read(recorded).event)
            except CannotApply as failure:
                raise CannotApply(f"event {recorded.event_id} at {recorded.position}: {failure}") from failure

    @classmethod
    def read(cls, recorded: RecordedEvent) -> Self:
        """Raises CannotApply for a type that this version does not know; data that do not fit are Unreadable."""
        try:
            return cls(recorded, recorded.event())
        except KeyError as unknown:
            raise CannotApply(f"this version knows no event {recorded.type}") from unknown
        except ValidationError as misfit:
            return cls(recorded, Unreadable(f"its data do not fit {recorded.type}: {_faults(misfit)}"))

    @property
    def position(self) -> int:
        """Where it stands in the log; only a dry run's events stand nowhere."""
        assert self.recorded.position is not None
        return self.recorded.position

    @property
    def data(self) -> str:
        """What the event says, as the log has it: no defaults of this version stand in it."""
        if isinstance(self.recorded, RecordedEvent):
            return json.dumps(self.recorded.data, ensure_ascii=False, separators=(",", ":"))
        return bytes(self.recorded.data).decode()

    def hash(self, log: str) -> str | None:
        """Its leaf hash in that log; None where its line says too little to work it out."""
        return hash_of(self.recorded, log)


def written_on(line: bytes) -> Line | RecordedEvent:
    """The line without its event, as quickly as that can be read; CannotApply if it is none of the log."""
    try:
        return read_line(line)
    except NOT_AS_WRITTEN:
        return recorded_on(line)


def hash_of(recorded: Line | RecordedEvent, log: str) -> str | None:
    """The leaf hash of that line's event in that log; None where the line says too little to work it out."""
    return recorded.hash(log) if isinstance(recorded, Line) else None


def recorded_on(line: bytes) -> RecordedEvent:
    """The line, whatever its event; CannotApply if it is none of the log."""
    try:
        return RecordedEvent.model_validate_json(line)
    except ValidationError as misfit:
        raise CannotApply(f"a line of the log cannot be read: {_faults(misfit)}") from misfit


def _faults(misfit: ValidationError) -> str:
    """In one line, and without values, which may name people."""
    faults = misfit.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:FAULTS_MAX])


def as_said(part: BaseModel | None) -> str | None:
    """What an event says of a part of it, as JSON: no defaults of this version stand in it."""
    return part and part.model_dump_json(exclude_unset=True, exclude_none=True)


def of_types(batch: Iterable[Logged], *types: type[Event]) -> list[Logged]:
    """Those of these very types; faster than isinstance, which pydantic's models make slow where it is not so."""
    return [logged for logged in batch if type(logged.event) in types]
