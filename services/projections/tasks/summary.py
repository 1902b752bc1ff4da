"""A task as of now, from what happened to it: pure, event by event."""

from datetime import datetime
from typing import NamedTuple

from contracts.events import Category, ClosingFacts, Event, PlanDropped, TaskPlanned, TaskReopened, WarrantyMarked
from contracts.tasks import TaskState


class Summary(NamedTuple):
    """A task's row; its minutes are those of the closing in force, and of the plan that stands."""

    title: str | None = None
    category: Category | None = None
    state: TaskState = "open"
    under_warranty: bool = False
    closings: int = 0
    worked_minutes: int = 0
    charged_minutes: int = 0
    last_closed_at: datetime | None = None
    estimated_minutes: int | None = None
    planned_minutes: int | None = None
    planned_start_at: datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything is left of it: a plan that was dropped leaves nothing by itself."""
        return self.closings > 0 or self.under_warranty or self.planned_minutes is not None

    def after(self, event: Event) -> "Summary":
        """As it stands once this has happened to it too (rules 5, 8, 15)."""
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
                planned = None if self.planned_minutes is None else 0
                return self._replace(state=state, under_warranty=True, charged_minutes=0, planned_minutes=planned)
            case TaskReopened():
                return self._replace(state="open", worked_minutes=0, charged_minutes=0)
            case TaskPlanned():
                return self._replace(
                    title=event.title,
                    category=event.category,
                    estimated_minutes=event.estimated_minutes,
                    planned_minutes=event.planned_minutes,
                    planned_start_at=event.planned_start_at,
                )
            case PlanDropped():
                return self._replace(estimated_minutes=None, planned_minutes=None, planned_start_at=None)
            case _:
                return self
