"""What a task was expected to take, from what happened to it (rule 15)."""

from collections.abc import Iterable

from contracts.events import ClosingFacts, PlanDropped, TaskPlanned, WarrantyMarked
from contracts.tasks import TaskPlan
from services.projections.tasks.packages import Fact


def standing_plan(facts: Iterable[Fact]) -> TaskPlan | None:
    """The plan that stands after these: a closing ends it, a warranty mark lets it count nothing."""
    plan: TaskPlan | None = None
    for fact in facts:
        match fact.event:
            case TaskPlanned() as event:
                plan = TaskPlan(
                    category=event.category,
                    estimated_minutes=event.estimated_minutes,
                    planned_minutes=event.planned_minutes,
                    planned_start_at=event.planned_start_at,
                    recorded_at=fact.recorded_at,
                    actor=fact.actor,
                )
            case WarrantyMarked():
                plan = plan and plan.model_copy(update={"planned_minutes": 0})
            case PlanDropped() | ClosingFacts():
                plan = None
            case _:
                pass
    return plan


def estimate(facts: Iterable[Fact]) -> int | None:
    """What it was expected to take by these, as reports show it beside the fact: a plan that a closing ended counts."""
    minutes: int | None = None
    for fact in facts:
        if isinstance(fact.event, TaskPlanned):
            minutes = fact.event.estimated_minutes
        elif isinstance(fact.event, PlanDropped):
            minutes = None
    return minutes
