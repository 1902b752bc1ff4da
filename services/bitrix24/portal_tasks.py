"""What the portal knows of tasks: the task itself, its entries of time, the changes of its status, the people.

The portal writes numbers as strings, an empty object as a list, and every instant with the offset of whoever asks.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import (
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from services.bitrix24.portal import Call, Portal, WrongAnswer

PAGE = 50

FIELDS = [
    *("ID", "TITLE", "STATUS", "GROUP_ID", "CREATED_BY", "RESPONSIBLE_ID", "CREATED_DATE", "CHANGED_DATE"),
    *("CLOSED_DATE", "DEADLINE", "TIME_ESTIMATE", "TIME_SPENT_IN_LOGS", "TAGS"),
]


def _number(given: Any) -> Any:
    """A whole number, also where it comes as a string; never a truth value, which Python takes for one."""
    if isinstance(given, str) and given.isascii() and given.isdecimal():
        return int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError("is no whole number")  # noqa: TRY004  pydantic wants this one
    return given


def _absent(given: Any) -> Any:
    """Nothing, where the portal writes an empty text."""
    return None if given in ("", None) else given


def _tags(given: Any) -> Any:
    """The titles of tags: an object by id, or an empty list."""
    if isinstance(given, dict):
        return tuple(each.get("title") if isinstance(each, dict) else each for each in given.values())
    return given or ()


Number = Annotated[int, BeforeValidator(_number), Field(ge=0)]
Given = TypeVar("Given")
OrAbsent = Annotated[Given | None, BeforeValidator(_absent)]


class Told(BaseModel):
    """A part of an answer; what is not asked for is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class PortalTask(BaseModel):
    """A task as a list of the portal has it; fields of the portal's own are kept as they come."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    id: Number
    title: str
    status: Number
    group_id: Annotated[Number, Field(alias="groupId")]
    created_by: Annotated[Number, Field(alias="createdBy")]
    responsible_id: Annotated[Number, Field(alias="responsibleId")]
    created_at: Annotated[AwareDatetime, Field(alias="createdDate")]
    changed_at: Annotated[AwareDatetime, Field(alias="changedDate")]
    closed_at: Annotated[OrAbsent[AwareDatetime], Field(alias="closedDate")] = None
    deadline: OrAbsent[AwareDatetime] = None
    estimate_seconds: Annotated[OrAbsent[Number], Field(alias="timeEstimate")] = None
    logged_seconds: Annotated[OrAbsent[Number], Field(alias="timeSpentInLogs")] = None
    tags: Annotated[tuple[str, ...], BeforeValidator(_tags)] = ()

    def own(self, field: str) -> Any:
        """The value of a field of the portal's own, by the name that settings use: UF_AUTO_17."""
        return (self.model_extra or {}).get(camel(field))


class Elapsed(Told):
    """An entry of time. Where it was written later, its beginning stands in CREATED_DATE, the writing in DATE_START."""

    id: Annotated[Number, Field(alias="ID")]
    user_id: Annotated[Number, Field(alias="USER_ID")]
    seconds: Annotated[Number, Field(alias="SECONDS")]
    start: Annotated[AwareDatetime, Field(alias="CREATED_DATE")]
    written_at: Annotated[OrAbsent[AwareDatetime], Field(alias="DATE_START")] = None

    @property
    def written_late_seconds(self) -> int:
        """How long after its end it was written; 0 for one that was measured."""
        late = (self.written_at - self.start).total_seconds() - self.seconds if self.written_at else 0
        return max(0, round(late))


class Change(Told):
    """A change of a task's status: from which to which, by whom."""

    id: Number
    at: Annotated[AwareDatetime, Field(alias="createdDate")]
    field: str
    before: Annotated[OrAbsent[str], Field(validation_alias=AliasPath("value", "from"))] = None
    after: Annotated[OrAbsent[str], Field(validation_alias=AliasPath("value", "to"))] = None
    user_id: Annotated[Number, Field(validation_alias=AliasPath("user", "id"))]


class Person(Told):
    """Somebody of the portal; an extranet user is of another company."""

    id: Annotated[Number, Field(alias="ID")]
    first_name: Annotated[str | None, Field(alias="NAME")] = None
    last_name: Annotated[str | None, Field(alias="LAST_NAME")] = None
    type: Annotated[str | None, Field(alias="USER_TYPE")] = None
    departments: Annotated[tuple[Number, ...] | Literal[False], Field(alias="UF_DEPARTMENT")] = ()

    @property
    def name(self) -> str:
        """The name as people write it; the number where there is none."""
        return " ".join(filter(None, (self.first_name, self.last_name))) or f"№ {self.id}"


class Work(BaseModel):
    """A task with what was worked on it, and how its status has changed, the last change first."""

    model_config = ConfigDict(frozen=True)

    task: PortalTask
    entries: tuple[Elapsed, ...]
    changes: tuple[Change, ...]

    @property
    def seconds(self) -> int:
        """All that was worked."""
        return sum(entry.seconds for entry in self.entries)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the entries in order of their ids, as hex: another one means other entries."""
        told = [[e.id, e.user_id, e.seconds, e.start.timestamp()] for e in sorted(self.entries, key=lambda e: e.id)]
        return hashlib.sha256(orjson.dumps(told)).hexdigest()


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
        page = _read("tasks.task.list", tuple[PortalTask, ...], _part("tasks.task.list", answer.result, "tasks"))
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
        found += _read("tasks.task.list", tuple[PortalTask, ...], _part("tasks.task.list", answer.result, "tasks"))
    return found


async def work_on(portal: Portal, tasks: Sequence[PortalTask]) -> list[Work]:
    """The tasks with their entries and changes of status; all or, with a PortalFault, none."""
    changes = await portal.batch([_changes_of(task.id) for task in tasks])
    entries = await _entries(portal, [task.id for task in tasks])
    return [
        Work(
            task=task,
            entries=entries[task.id],
            changes=_read(_HISTORY, tuple[Change, ...], _part(_HISTORY, answer.result, "list")),
        )
        for task, answer in zip(tasks, changes, strict=True)
    ]


async def people(portal: Portal, ids: Collection[int]) -> dict[int, Person]:
    """Those of these people whom the portal knows, by id."""
    wanted = sorted(ids)
    pages = [wanted[first : first + PAGE] for first in range(0, len(wanted), PAGE)]
    answers = await portal.batch([Call("user.get", {"FILTER": {"ID": page}}) for page in pages])
    found = (person for answer in answers for person in _read("user.get", tuple[Person, ...], answer.result))
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
    """All entries of each task; WrongAnswer where the portal gives fewer than it counts."""
    found: dict[int, list[Elapsed]] = {task_id: [] for task_id in task_ids}
    waiting, number = list(task_ids), 1
    while waiting:
        answers = await portal.batch([_page_of_entries(task_id, number) for task_id in waiting])
        more = []
        for task_id, answer in zip(waiting, answers, strict=True):
            page = _read(_ENTRIES, tuple[Elapsed, ...], answer.result)
            found[task_id] += page
            if answer.total is not None and len(found[task_id]) < answer.total:
                if not page:
                    raise WrongAnswer(f"{_ENTRIES}: entries of task {task_id} are missing")
                more.append(task_id)
            elif answer.total is None and len(page) == PAGE:
                more.append(task_id)
        waiting, number = more, number + 1
    return {task_id: tuple({entry.id: entry for entry in entries}.values()) for task_id, entries in found.items()}


def camel(field: str) -> str:
    """The name of a field in answers: UF_AUTO_17 is ufAuto17 there."""
    first, *others = field.lower().split("_")
    return first + "".join(part.capitalize() for part in others)


def _part(method: str, result: Any, name: str) -> Any:
    if isinstance(result, dict) and name in result:
        return result[name]
    raise WrongAnswer(f"{method}: the result has no {name}")


def _read(method: str, shape: type[Given], told: Any) -> Given:
    try:
        return TypeAdapter(shape).validate_python(told)
    except ValidationError as misfit:
        wrong = misfit.errors()[0]
        raise WrongAnswer(f"{method}: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None
