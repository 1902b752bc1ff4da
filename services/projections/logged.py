"""An event of the log as a projection takes it: where it stands, and what it says."""

from typing import NamedTuple, Self

from pydantic import ValidationError

from contracts.envelope import RecordedEvent
from contracts.events import Event


class CannotApply(Exception):
    """This event cannot be applied."""


class Logged(NamedTuple):
    """An event and its place in the log."""

    recorded: RecordedEvent
    event: Event

    @classmethod
    def read(cls, recorded: RecordedEvent) -> Self:
        """Raises CannotApply for a type this version does not know and for data that do not fit."""
        try:
            return cls(recorded, recorded.event())
        except KeyError as unknown:
            raise CannotApply(f"this version knows no event {recorded.type}") from unknown
        except ValidationError as misfit:
            raise CannotApply(f"its data do not fit {recorded.type}: {misfit}") from misfit

    @property
    def position(self) -> int:
        """Where it stands in the log; only a dry run's events stand nowhere."""
        assert self.recorded.position is not None
        return self.recorded.position
