"""An event as a step of a story."""

from dataclasses import dataclass
from datetime import datetime

from contracts.events import Event
from services.documents.story.prices import Agreed


@dataclass(frozen=True)
class Step:
    """An event, the prices agreed for its account's lots, and the balance after it, in minutes.

    Without `position` and `recorded_at` it is not recorded yet, but due by the instant that is asked for (rule 7.5).
    `actor`: the id of who gave the command; absent of what is due, and of events of before there were actors.
    """

    position: int | None
    recorded_at: datetime | None
    event: Event
    prices: Agreed
    change_minutes: int
    balance_minutes: int
    actor: str | None = None
