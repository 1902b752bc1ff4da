"""The portal's tasks, read in pages and batches: all that was asked for or, with a PortalFault, none."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from services.bitrix24.portal import Call, Portal, WrongAnswer
from services.bitrix24.portal_records import Change, Elapsed, Person, PortalTask, Work, read_as

PAGE = 50

FIELDS = [
    *("ID", "TITLE", "STATUS", "GROUP_ID", "CREATED_BY", "RESPONSIBLE_ID", "CREATED_DATE", "CHANGED_DATE"),
    *("CLOSED_DATE", "DEADLINE", "TIME_ESTIMATE", "TIME_SPENT_IN_LOGS", "TAGS"),
]


async def tasks_changed(
    portal: Portal, groups: Collection[int], since: datetime | None, own_fields: Iterable[str] = ()
) -> list[PortalTask]:
    """All tasks of these groups that have changed since, by id; all or, with a PortalFault, none."""
    found: list[PortalTask] = []
    while groups:
        wanted: dict[str, Any] = {"GROUP_ID": sorted(groups), ">ID": found[-1].id if found else 0}
        if since:
            wanted[">=CHANGED_DATE"] = since.isoformat(timespec="seconds")
        asked = {"order": {"ID": "asc"}, "filter": wanted, "select": [*FIELDS, *own_fields], "start": -1}
        answer = await portal.call("tasks.task.list", asked)
        page = read_as("tasks.task.list", tuple[PortalTask, ...], _part("tasks.task.list", answer.result, "tasks"))
        if any(later.id <= earlier.id for earlier, later in pairwise([*found[-1:], *page])):
            raise WrongAnswer("tasks.task.list: the tasks are not in order of their ids")
        found += page
        if len(page) < PAGE:
            break
    return found


async def tasks_of_ids(portal: Portal, ids: Collection[int]) -> list[PortalTask]:
    """Those of these tasks that the portal has, in whatever group."""
    wanted = sorted(ids)
    found: list[PortalTask] = []
    for first in range(0, len(wanted), PAGE):
        chosen = {"ID": wanted[first : first + PAGE]}
        asked = {"order": {"ID": "asc"}, "filter": chosen, "select": FIELDS, "start": -1}
        answer = await portal.call("tasks.task.list", asked)
        found += read_as("tasks.task.list", tuple[PortalTask, ...], _part("tasks.task.list", answer.result, "tasks"))
    return found


async def work_on(portal: Portal, tasks: Sequence[PortalTask]) -> list[Work]:
    """The tasks with their entries and changes of status; all or, with a PortalFault, none."""
    changes = await portal.batch([_changes_of(task.id) for task in tasks])
    entries = await _entries(portal, [task.id for task in tasks])
    return [
        Work(
            task=task,
            entries=entries[task.id],
            changes=read_as(_HISTORY, tuple[Change, ...], _part(_HISTORY, answer.result, "list")),
        )
        for task, answer in zip(tasks, changes, strict=True)
    ]


async def people(portal: Portal, ids: Collection[int]) -> dict[int, Person]:
    """Those of these people whom the portal knows, by id."""
    wanted = sorted(ids)
    pages = [wanted[first : first + PAGE] for first in range(0, len(wanted), PAGE)]
    answers = await portal.batch([Call("user.get", {"FILTER": {"ID": page}}) for page in pages])
    found = (person for answer in answers for person in read_as("user.get", tuple[Person, ...], answer.result))
    return {person.id: person for person in found}


_HISTORY = "tasks.task.history.list"
_ENTRIES = "task.elapseditem.getlist"


def _changes_of(task_id: int) -> Call:
    return Call(_HISTORY, {"taskId": task_id, "filter": {"FIELD": "STATUS"}, "order": {"createdDate": "desc"}})


def _page_of_entries(task_id: int, number: int) -> Call:
    """The portal reads these by their order, not by their names."""
    page = {"NAV_PARAMS": {"nPageSize": PAGE, "iNumPage": number}}
    return Call(
        _ENTRIES, {"TASKID": task_id, "ORDER": {"ID": "asc"}, "FILTER": {">ID": 0}, "SELECT": ["*"], "PARAMS": page}
    )


async def _entries(portal: Portal, task_ids: Sequence[int]) -> dict[int, tuple[Elapsed, ...]]:
    """All entries of each task; WrongAnswer where the portal gives others than it counts.

    A full page is never taken for the last one, whatever is counted, and one that brings nothing new is the end: behind
    its last page the portal shows that again.
    """
    found: dict[int, dict[int, Elapsed]] = {task_id: {} for task_id in task_ids}
    waiting, number = list(task_ids), 1
    while waiting:
        answers = await portal.batch([_page_of_entries(task_id, number) for task_id in waiting])
        more = []
        for task_id, answer in zip(waiting, answers, strict=True):
            page, entries = read_as(_ENTRIES, tuple[Elapsed, ...], answer.result), found[task_id]
            known = len(entries)
            entries |= {entry.id: entry for entry in page}
            counted = len(entries) if answer.total is None else answer.total
            if len(entries) > known and (len(page) >= PAGE or len(entries) < counted):
                more.append(task_id)
            elif len(entries) != counted:
                raise WrongAnswer(f"{_ENTRIES}: {len(entries)} entries of task {task_id} are told of {counted}")
        waiting, number = more, number + 1
    return {task_id: tuple(entries.values()) for task_id, entries in found.items()}


def _part(method: str, result: Any, name: str) -> Any:
    if isinstance(result, dict) and name in result:
        return result[name]
    raise WrongAnswer(f"{method}: the result has no {name}")
