"""A task as of now, from what happened to it: pure, event by event."""

from datetime import datetime
from typing import NamedTuple

from contracts.events import Category, ClosingFacts, Event, TaskReopened, WarrantyMarked
from contracts.tasks import TaskState


class Summary(NamedTuple):
    """A task's row; its minutes are those of the closing in force."""

    title: str | None = None
    category: Category | None = None
    state: TaskState = "open"
    under_warranty: bool = False
    closings: int = 0
    worked_minutes: int = 0
    charged_minutes: int = 0
    last_closed_at: datetime | None = None

    def after(self, event: Event) -> "Summary":
        """As it stands once this has happened to it too (rules 5, 8)."""
        match event:
            case ClosingFacts():
                return Summary(
                    title=event.title,
                    category=event.category,
                    state="warranty" if event.warranty else "closed",
                    under_warranty=self.under_warranty or event.warranty,
                    closings=event.closure,
                    worked_minutes=event.worked_minutes,
                    charged_minutes=event.charged_minutes,
                    last_closed_at=event.effective_at,
                )
            case WarrantyMarked():
                state: TaskState = "open" if self.state == "open" else "warranty"
                return self._replace(state=state, under_warranty=True, charged_minutes=0)
            case TaskReopened():
                return self._replace(state="open", worked_minutes=0, charged_minutes=0)
            case _:
                return self
