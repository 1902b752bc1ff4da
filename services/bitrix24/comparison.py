"""A month of the portal beside the same month of the ledger: read whole, judged, compared. Records nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import httpx

from contracts.quantities import Month, TaskId, month_of
from contracts.tasks import TaskSummary
from services.bitrix24.confirmed_work import judgements
from services.bitrix24.differences import Difference, Kind, differences
from services.bitrix24.judgement import DONE, Counted
from services.bitrix24.ledger_tasks import LedgerTasks, close, refusal, tasks_of
from services.bitrix24.portal import Portal
from services.bitrix24.portal_tasks import PortalTask, tasks_changed
from services.bitrix24.settings import Connector


@dataclass(frozen=True)
class Comparison:
    """What came of it: how many tasks agree, and each difference."""

    agreed: int
    differences: tuple[Difference, ...]


async def compared(portal: Portal, hourbook: httpx.AsyncClient, connector: Connector, month: Month) -> Comparison:
    """A month of all groups of the settings; PortalFault where anything of the portal could not be read."""
    there = {account: await tasks_of(hourbook, account) for account in connector.account_ids}
    charged = {account: _charged(tasks) for account, tasks in there.items()}
    tasks = await tasks_changed(portal, connector.accounts.keys(), None, connector.own_fields)
    ids = {f"{connector.task_prefix}{task.id}": task for task in tasks}
    wanted = [task for name, task in ids.items() if _may_be_of(task, month) or _charged_in(charged, name, month)]
    read = [each for each in (await judgements(portal, hourbook, connector, wanted)).values() if each]
    found = [await _with_refusal(hourbook, each) for each in differences(read, charged, ids, month)]
    differing = {difference.task_id for difference in found}
    agreed = [each for each in read if isinstance(each, Counted) and each.task_id in charged[each.account_id]]
    return Comparison(sum(each.task_id not in differing for each in agreed), tuple(found))


def _charged(tasks: Mapping[TaskId, TaskSummary]) -> dict[TaskId, TaskSummary]:
    """Those that are closed, under warranty or not."""
    return {task_id: task for task_id, task in tasks.items() if task.state != "open"}


def _may_be_of(task: PortalTask, month: Month) -> bool:
    """Whether a task can take effect in the month: it is done, and was not touched for the last time before it."""
    return task.status == DONE and month_of(task.changed_at) >= month


def _charged_in(charged: LedgerTasks, task_id: TaskId, month: Month) -> bool:
    closings = (tasks[task_id].last_closed_at for tasks in charged.values() if task_id in tasks)
    return any(at is not None and month_of(at) == month for at in closings)


async def _with_refusal(hourbook: httpx.AsyncClient, difference: Difference) -> Difference:
    """With the ledger's own refusal of what is not charged yet, where it refuses it."""
    if difference.counted is None or difference.kind != Kind.NOT_CHARGED:
        return difference
    answer = await close(hourbook, difference.counted, 1, dry_run=True)
    if answer.is_success:
        return difference
    return replace(difference, sentence=f"{difference.sentence}; it would be refused: {refusal(answer)}")
