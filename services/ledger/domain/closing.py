"""A task is charged: the minutes that K makes of worked time, and the lots that give them (rules 5, 6)."""

from datetime import datetime
from typing import Any

from contracts.commands import CloseTask, CorrectTask
from contracts.events import TaskClosed
from services.ledger.domain.consents import effect_of, terms_of_work
from services.ledger.domain.lots import draw
from services.ledger.domain.refusals import TaskAlreadyClosed
from services.ledger.domain.state import Account, Task
from services.ledger.domain.terms import Terms


def close_task(command: CloseTask, account: Account, terms: Terms, now: datetime) -> TaskClosed:
    """Work is never refused for want of hours: what the lots cannot cover is owed (rule 4.3)."""
    task = account.task(command.task_id)
    if task.closing is not None:
        raise TaskAlreadyClosed(command.task_id)

    effective_at = effect_of(command, now)
    charge = charged(command, task, terms, effective_at)
    lots, own = account.lots_ending_after(effective_at), account.compensations(task)
    draws, owed = draw(lots, charge["charged_minutes"], effective_at, own)
    return TaskClosed(**account.times(effective_at), **charge, draws=draws, owed_minutes=owed)


def charged(command: CloseTask | CorrectTask, task: Task, terms: Terms, effective_at: datetime) -> dict[str, Any]:
    """What a closing states of the work and its charge: worked time times K (rules 5.2, 5.6)."""
    in_force = terms_of_work(command, terms, effective_at)
    coefficient = in_force.coefficients["warranty" if task.warranty else command.category]
    minutes = coefficient * command.worked_minutes
    assert minutes == int(minutes), "charged time is whole in any quantum the terms allow"
    return {
        "task_id": command.task_id,
        "closure": task.closures + 1,
        "title": command.title,
        "category": command.category,
        "warranty": task.warranty,
        "worked_minutes": command.worked_minutes,
        "coefficient": coefficient,
        "terms_version": in_force.name,
        "charged_minutes": int(minutes),
        "started_at": command.started_at,
        "closed_at": command.closed_at,
        "confirmed_at": command.confirmed_at,
        "confirmed_by": command.confirmed_by,
        "urgency_agreed_at": command.urgency_agreed_at,
        "off_hours_requested_at": command.off_hours_requested_at,
        "time_entries": command.time_entries,
        "kind": command.kind,
        "package_use_agreed_at": command.package_use_agreed_at,
        "evidence": command.evidence,
    }
