"""Work that is planned but not done: it touches no lot and no balance (rule 15)."""

from datetime import datetime

from contracts.commands import DropPlan, PlanTask
from contracts.events import PlanDropped, TaskPlanned
from services.ledger.domain.refusals import TaskAlreadyClosed, TaskNotPlanned, WorkedTimeNotInQuantum
from services.ledger.domain.state import Account
from services.ledger.domain.terms import Terms


def require_estimate(command: PlanTask, terms: Terms, now: datetime) -> None:
    """Refuse an estimate that is not in quanta (rule 15.1)."""
    if command.estimated_minutes <= 0 or command.estimated_minutes % terms.at(now).quantum_minutes:
        raise WorkedTimeNotInQuantum(command.estimated_minutes, "estimated_minutes")


def plan_task(command: PlanTask, account: Account, terms: Terms, now: datetime) -> TaskPlanned:
    """Planned time is the estimate times K, by the terms in force now; a plan before is replaced (rule 15.2)."""
    task = account.task(command.task_id)
    if task.closing is not None:
        raise TaskAlreadyClosed(command.task_id)
    in_force = terms.at(now)
    coefficient = in_force.coefficients["warranty" if task.warranty else command.category]
    planned = coefficient * command.estimated_minutes
    assert planned == int(planned), "planned time is whole in any quantum the terms allow"
    return TaskPlanned(
        **account.times(now),
        task_id=command.task_id,
        title=command.title,
        category=command.category,
        warranty=task.warranty,
        estimated_minutes=command.estimated_minutes,
        coefficient=coefficient,
        terms_version=in_force.name,
        planned_minutes=int(planned),
        planned_start_at=command.planned_start_at,
    )


def drop_plan(command: DropPlan, account: Account, now: datetime) -> PlanDropped:
    """A plan is taken back; a closing has ended it already (rule 15.1)."""
    if command.task_id not in account.plans:
        raise TaskNotPlanned(command.task_id)
    return PlanDropped(**account.times(now), task_id=command.task_id, reason=command.reason)
