"""What a batch of events changes, found out once for all tables."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from contracts.events import Event
from services.projections.balances.holders import Tenure, tenures
from services.projections.balances.movements import Movement, movements
from services.projections.following.lines import Envelope
from services.projections.following.logged import Logged


class Change(NamedTuple):
    """An event, what it moves, and what it says about who holds what."""

    recorded: Envelope
    event: Event
    moved: list[Movement]
    held: list[Tenure]

    @classmethod
    def of(cls, batch: Sequence[Logged]) -> list[Self]:
        """In the order of recording; events that change nothing are left out."""
        changes = (cls(recorded, event, movements(event), tenures(event)) for recorded, event in batch)
        return [change for change in changes if change.moved or change.held]
