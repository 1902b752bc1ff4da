"""What open tasks of the portal are expected to take, as plans of the ledger (rule 15). Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from contracts.quantities import AccountId, TaskId
from contracts.tasks import TaskSummary
from contracts.terms import TermsVersion
from services.bitrix24.deeds import Deed, LedgerTasks, charged_in, deed
from services.bitrix24.judgement import DONE, TITLE_CHARACTERS_MAX, NotClear, category_of, quantum_at
from services.bitrix24.portal_records import PortalTask
from services.bitrix24.settings import Connector

DROPPED = "has no estimate in the portal any more"


def plans(
    tasks: Mapping[TaskId, PortalTask],
    there: LedgerTasks,
    connector: Connector,
    terms: Sequence[TermsVersion],
    now: datetime,
) -> Iterator[Deed]:
    """What makes the ledger's plans those of the portal's open tasks; a closing ends a plan by itself.

    An estimate is rounded up to the quantum; the deadline stands as the planned start.
    """
    quantum = quantum_at(now, terms)
    for task_id, task in tasks.items():
        account_id = connector.accounts[task.group_id]
        own = there.get(account_id, {}).get(task_id)
        if task.status != DONE and task.estimate_seconds and not charged_in(there, task_id):
            yield from _planning(task, account_id, task_id, own, connector, quantum)
        elif task.status != DONE and own and own.planned_minutes is not None:
            yield _dropping(account_id, own, task.changed_at)
    for account_id, of_account in there.items():
        for task_id, own in of_account.items():
            if own.planned_minutes is None or connector.number(task_id) is None:
                continue
            task = tasks.get(task_id)
            if task is None or connector.accounts[task.group_id] != account_id:
                yield _dropping(account_id, own, task.changed_at if task else None)


def _planning(
    task: PortalTask,
    account_id: AccountId,
    task_id: TaskId,
    own: TaskSummary | None,
    connector: Connector,
    quantum_minutes: int,
) -> Iterator[Deed]:
    """The plan, where another one stands or none; nothing while it is not clear what work it is."""
    try:
        category = category_of(task, connector)
    except NotClear:
        return
    minutes = -(-(task.estimate_seconds or 0) // (60 * quantum_minutes)) * quantum_minutes
    if own and (own.estimated_minutes, own.category, own.planned_start_at) == (minutes, category, task.deadline):
        return
    body = {
        "title": " ".join(task.title.split())[:TITLE_CHARACTERS_MAX],
        "category": category,
        "estimated_minutes": minutes,
        "planned_start_at": task.deadline.isoformat() if task.deadline else None,
    }
    yield deed("PlanTask", account_id, task_id, task.changed_at, body)


def _dropping(account_id: AccountId, own: TaskSummary, state: object) -> Deed:
    told = [state, own.estimated_minutes, own.planned_start_at]
    return deed("DropPlan", account_id, own.task_id, told, {"reason": DROPPED})
