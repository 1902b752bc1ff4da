"""A month of the portal beside the same month of the ledger: read whole, judged, compared. Records nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx
from pydantic import TypeAdapter

from contracts.quantities import SELLER_ZONE, AccountId, Month, TaskId, month_of
from contracts.tasks import TaskPage, TaskSummary
from contracts.terms import TermsVersion
from services.bitrix24.differences import Difference, Kind, differences
from services.bitrix24.judgement import DONE, Counted, judged, people_named
from services.bitrix24.portal import Portal
from services.bitrix24.portal_tasks import PortalTask, people, tasks_changed, work_on
from services.bitrix24.settings import Connector
from services.process.address import document

Charged = Mapping[AccountId, Mapping[TaskId, TaskSummary]]

_VERSIONS = TypeAdapter(tuple[TermsVersion, ...])


@dataclass(frozen=True)
class Comparison:
    """What came of it: how many tasks agree, and each difference."""

    agreed: int
    differences: tuple[Difference, ...]


async def compared(portal: Portal, hourbook: httpx.AsyncClient, connector: Connector, month: Month) -> Comparison:
    """A month of all groups of the settings; PortalFault where anything of the portal could not be read."""
    charged = {account: await _charged(hourbook, account) for account in sorted(set(connector.accounts.values()))}
    tasks = await tasks_changed(portal, connector.accounts.keys(), None, connector.own_fields)
    ids = {f"{connector.task_prefix}{task.id}": task for task in tasks}
    wanted = [task for name, task in ids.items() if _may_be_of(task, month) or _charged_in(charged, name, month)]
    works = await work_on(portal, wanted)
    known = await people(portal, {each for work in works for each in people_named(work)})
    terms = _VERSIONS.validate_python(document(await hourbook.get("/v1/terms"))["versions"])
    judgements = [judged(work, connector, known, terms) for work in works]
    found = [await _with_refusal(hourbook, each) for each in differences(judgements, charged, ids, month)]
    differing = {difference.task_id for difference in found}
    counted = [each for each in judgements if isinstance(each, Counted) and each.task_id not in differing]
    return Comparison(len([each for each in counted if each.task_id in charged[each.account_id]]), tuple(found))


def _may_be_of(task: PortalTask, month: Month) -> bool:
    """Whether a task can take effect in the month: it is done, and was not touched for the last time before it."""
    return task.status == DONE and task.changed_at >= _beginning(month)


def _beginning(month: Month) -> datetime:
    return datetime.strptime(month, "%Y-%m").replace(tzinfo=SELLER_ZONE)


def _charged_in(charged: Charged, task_id: TaskId, month: Month) -> bool:
    closings = (tasks[task_id].last_closed_at for tasks in charged.values() if task_id in tasks)
    return any(at is not None and month_of(at) == month for at in closings)


async def _charged(hourbook: httpx.AsyncClient, account_id: AccountId) -> dict[TaskId, TaskSummary]:
    """The tasks that the ledger has closed, under warranty or not, by id."""
    found: dict[TaskId, TaskSummary] = {}
    asked: dict[str, Any] = {"limit": 100}
    while True:
        answer = await hourbook.get(f"/v1/accounts/{account_id}/tasks", params=asked)
        page = TaskPage.model_validate(document(answer))
        found |= {task.task_id: task for task in page.tasks if task.state != "open"}
        if page.next_cursor is None:
            return found
        asked["cursor"] = page.next_cursor


async def _with_refusal(hourbook: httpx.AsyncClient, difference: Difference) -> Difference:
    """With the ledger's own refusal of what is not charged yet, where it refuses it."""
    counted = difference.counted
    if counted is None or difference.kind != Kind.NOT_CHARGED:
        return difference
    answer = await hourbook.post(
        f"/v1/accounts/{counted.account_id}/tasks/{counted.task_id}/close",
        params={"dry_run": "true"},
        headers={"Idempotency-Key": f"bitrix24-{counted.task_id}-{counted.work.fingerprint[:16]}"},
        json=counted.closing.model_dump(mode="json", exclude_none=True),
    )
    if answer.is_success:
        return difference
    return replace(difference, sentence=f"{difference.sentence}; it would be refused: {_refusal(answer)}")


def _refusal(answer: httpx.Response) -> str:
    """What stands against a command, in the ledger's words."""
    problem = answer.json()
    return f"{problem['type'].rpartition(':')[2]}, {problem.get('detail') or problem['title']}"
