"""A portal that behaves as the vendor's documentation says: methods, pages of 50, limits, and the ways it fails.

Whoever acts on it does so as a person, at an instant; each change of a status and each entry leaves what a real portal
would keep of it. Every request is held to the vendor's specifications where they are at hand, and so is every answer.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bitrix24.specifications import AT_HAND, unlike_answer, unlike_request

PAGE = 50
SECRET = "1/thewebhooksecret"
WEBHOOK_USER = 1
WORK_SECONDS_MAX = 480.0
_CONDITION = re.compile(r"^(>=|<=|>|<|!)?(\w+)$")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_PARTS = re.compile(r"[^\[\]]+")


@dataclass
class Task:
    """A task as the portal keeps it."""

    id: int
    group: int
    title: str
    author: int
    created: datetime
    changed: datetime
    status: int = 2
    closed: datetime | None = None
    tags: tuple[str, ...] = ()
    estimate: int = 0
    deadline: datetime | None = None
    own: dict[str, Any] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)


class FakePortal:
    """The portal; `seconds` is its clock for limits. `faults` come before it answers again as it should.

    `before`: what a method answers instead of its own answer, by its parameters, where that is anything.
    `zone`: of the person who asks; without it each instant has the offset that it was told with.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.tasks: dict[int, Task] = {}
        self.people: dict[int, dict[str, Any]] = {}
        self.faults: list[Response | Exception] = []
        self.before: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {}
        self.zone: tzinfo | None = None
        self.requests = 0
        self.calls: Counter[str] = Counter()
        self.refusals = 0
        self.misfits: list[str] = []
        self.revoked = False
        self.seconds_a_call = 0.1
        self._seconds = seconds
        self._filled, self._seen_at = 0.0, seconds()
        self._work: dict[str, list[tuple[float, float]]] = {}
        self._ids = iter(range(1, 10**9))
        self.app = Starlette(routes=[Route("/rest/{user}/{secret}/{method}", self._answer, methods=["POST"])])

    # What people do there.

    def person(self, user: int, name: str, *, extranet: bool = False, departments: tuple[int, ...] = (1,)) -> int:
        """Somebody; of another company, or of these departments."""
        first, last = name.split(" ")
        kind = "extranet" if extranet else "employee"
        self.people[user] = {
            "ID": str(user), "ACTIVE": True, "NAME": first, "LAST_NAME": last, "USER_TYPE": kind,
            "UF_DEPARTMENT": [] if extranet else list(departments),
        }  # fmt: skip
        return user

    def create(self, group: int, at: datetime, title: str = "Настроить отчёт", author: int = 1, **more: Any) -> int:
        """A new task, by its id."""
        task = Task(next(self._ids), group, title, author, at, at, **more)
        self.tasks[task.id] = task
        return task.id

    def work(self, task_id: int, user: int, start: datetime, seconds: int, written: datetime | None = None) -> int:
        """An entry of time; where it is written later, its beginning stands in CREATED_DATE. Leaves no event."""
        stop, entry_id = start + timedelta(seconds=seconds), next(self._ids)
        entry = {
            "ID": str(entry_id), "TASK_ID": str(task_id), "USER_ID": str(user), "COMMENT_TEXT": "", "SOURCE": "2",
            "SECONDS": str(seconds), "MINUTES": str(seconds // 60), "CREATED_DATE": start.isoformat(),
            "DATE_START": (written or stop).isoformat(), "DATE_STOP": (written or stop).isoformat(),
        }  # fmt: skip
        self.tasks[task_id].entries.append(entry)
        return entry_id

    def unwork(self, task_id: int, entry_id: int) -> None:
        """An entry is deleted. Leaves no event."""
        task = self.tasks[task_id]
        task.entries = [entry for entry in task.entries if entry["ID"] != str(entry_id)]

    def set_status(self, task_id: int, status: int, user: int, at: datetime) -> None:
        """Somebody changes the status: 4 hands a task over, 5 accepts it, 2 opens it again."""
        task = self.tasks[task_id]
        value = {"from": str(task.status), "to": str(status)}
        self._remember(task, "STATUS", value, user, at)
        task.status, task.closed = status, at if status == 5 else None

    def edit(self, task_id: int, at: datetime, **more: Any) -> None:
        """Somebody changes what a task says: its tags, its estimate, its deadline."""
        task = self.tasks[task_id]
        for name, value in more.items():
            setattr(task, name, value)
        task.changed = at

    def write(self, task_id: int, user: int, text: str, at: datetime) -> int:
        """Somebody comments a task."""
        comment_id = next(self._ids)
        name = " ".join(self.people.get(user, {}).get(part, "") for part in ("NAME", "LAST_NAME"))
        self.tasks[task_id].comments.append(
            {
                "POST_MESSAGE_HTML": None, "ID": str(comment_id), "AUTHOR_ID": str(user), "AUTHOR_NAME": name,
                "AUTHOR_EMAIL": "", "POST_DATE": at.isoformat(), "POST_MESSAGE": text, "ATTACHED_OBJECTS": {},
            }
        )  # fmt: skip
        return comment_id

    def delete(self, task_id: int) -> None:
        """Somebody deletes a task."""
        del self.tasks[task_id]

    def move(self, task_id: int, group: int, user: int, at: datetime) -> None:
        """Somebody moves a task to another group."""
        task = self.tasks[task_id]
        self._remember(task, "GROUP_ID", {"from": str(task.group), "to": str(group)}, user, at)
        task.group = group

    def _remember(self, task: Task, what: str, value: dict[str, str], user: int, at: datetime) -> None:
        name = self.people.get(user, {})
        who = {
            "id": user,
            "name": name.get("NAME"),
            "lastName": name.get("LAST_NAME"),
            "secondName": "",
            "login": f"u{user}",
        }
        task.history.append(
            {"id": next(self._ids), "createdDate": at.isoformat(), "field": what, "value": value, "user": who}
        )
        task.changed = at

    # What a program is answered.

    async def _answer(self, request: Request) -> Response:
        self.requests += 1
        if self.revoked or f"{request.path_params['user']}/{request.path_params['secret']}" != SECRET:
            return problem(401, "INVALID_CREDENTIALS")
        if self._full():
            self.refusals += 1
            return problem(503, "QUERY_LIMIT_EXCEEDED")
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        method, params = request.path_params["method"], await request.json()
        if method != "batch":
            told = self._called(method, params)
            return JSONResponse(
                told, 429 if told.get("error") == "OPERATION_TIME_LIMIT" else 400 if "error" in told else 200
            )
        if len(params["cmd"]) > 50:
            return problem(400, "ERROR_BATCH_LENGTH_EXCEEDED")
        return JSONResponse({"result": self._batch(params["cmd"]), "time": {}})

    def _full(self) -> bool:
        now = self._seconds()
        self._filled = max(0.0, self._filled - 2 * (now - self._seen_at)) + 1
        self._seen_at = now
        return self._filled > 50

    def _batch(self, lines: dict[str, str]) -> dict[str, Any]:
        parts: dict[str, Any] = {name: {} for name in ("result", "result_error", "result_total", "result_time")}
        for name, line in lines.items():
            method, _, query = line.partition("?")
            told = self._called(method, _from_query(query))
            if "error" in told:
                parts["result_error"][name] = told
            else:
                parts["result"][name], parts["result_time"][name] = told["result"], told["time"]
                if "total" in told:
                    parts["result_total"][name] = told["total"]
        return {name: part or [] for name, part in parts.items()}

    def _in_zone(self, told: Any) -> Any:
        """Every instant with the offset of whoever asks."""
        match told:
            case dict():
                return {name: self._in_zone(each) for name, each in told.items()}
            case list():
                return [self._in_zone(each) for each in told]
            case str() if _INSTANT.fullmatch(told):
                return datetime.fromisoformat(told).astimezone(self.zone).isoformat()
            case _:
                return told

    def _called(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """The answer of one method, held to its specification."""
        self.calls[method] += 1
        work = self._work.setdefault(method, [])
        now = self._seconds()
        work[:] = [(at, took) for at, took in work if now - at < 600]
        if sum(took for _, took in work) > WORK_SECONDS_MAX:
            self.refusals += 1
            return {
                "error": "OPERATION_TIME_LIMIT",
                "error_description": "Method is blocked due to operation time limit.",
            }
        work.append((now, self.seconds_a_call))
        if AT_HAND:
            self.misfits += unlike_request(method, params)
        told = self.before.get(method, _nothing)(params) or METHODS[method](self, params)
        if AT_HAND and "error" not in told:
            self.misfits += unlike_answer(method, told["result"])
        if self.zone and "result" in told:
            told |= {"result": self._in_zone(told["result"])}
        took = sum(each for _, each in work)
        return told | {"time": {"finish": now, "operating": took, "operating_reset_at": work[0][0] + 600}}

    def _list_tasks(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params.get("filter", {})
        after = int(wanted.get(">ID", 0))
        fitting = (task for task in self.tasks.values() if task.id > after and _fits(task, wanted))
        if params.get("start") == -1 and params.get("order") == {"ID": "asc"}:
            return {"result": {"tasks": [_shown(task) for task in islice(fitting, PAGE)]}}  # ids grow
        found = list(fitting)
        found.sort(key=lambda task: task.id, reverse=params.get("order") != {"ID": "asc"})
        start = max(0, int(params.get("start", 0)))
        told = {"result": {"tasks": [_shown(task) for task in found[start : start + PAGE]]}}
        return told if params.get("start") == -1 else told | {"total": len(found)}

    def _history(self, params: dict[str, Any]) -> dict[str, Any]:
        task = self.tasks.get(int(params["taskId"]))
        lines = task.history if task else []
        wanted = [line for line in lines if line["field"] == params.get("filter", {}).get("FIELD", line["field"])]
        return {"result": {"list": wanted[::-1]}}

    def _entries(self, params: dict[str, Any]) -> dict[str, Any]:
        task = self.tasks.get(int(params["TASKID"]))
        if task is None:
            return {"error": "ERROR_CORE", "error_description": "ACTION_NOT_ALLOWED"}
        page = params.get("PARAMS", {}).get("NAV_PARAMS", {})
        size, number = int(page.get("nPageSize", PAGE)), int(page.get("iNumPage", 1))
        return {"result": task.entries[size * (number - 1) : size * number], "total": len(task.entries)}

    def _comments(self, params: dict[str, Any]) -> dict[str, Any]:
        """As the portal has them; a filter by id is what pages are made of."""
        task = self.tasks.get(int(params["TASKID"]))
        if task is None:
            return {"error": "ERROR_CORE", "error_description": "ACTION_NOT_ALLOWED"}
        after = int(params.get("FILTER", {}).get(">ID", 0))
        return {"result": [each for each in task.comments if int(each["ID"]) > after][:PAGE]}

    def _comment(self, params: dict[str, Any]) -> dict[str, Any]:
        """Written by the person of the webhook."""
        at = self.tasks[int(params["TASKID"])].changed
        return {"result": self.write(int(params["TASKID"]), WEBHOOK_USER, params["FIELDS"]["POST_MESSAGE"], at)}

    def _edit_comment(self, params: dict[str, Any]) -> dict[str, Any]:
        for comment in self.tasks[int(params["TASKID"])].comments:
            if comment["ID"] == str(params["ITEMID"]):
                comment["POST_MESSAGE"] = params["FIELDS"]["POST_MESSAGE"]
                return {"result": True}
        return {"error": "ERROR_CORE", "error_description": "ACTION_FAILED_TO_BE_PROCESSED"}

    def _people(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params["FILTER"]["ID"]
        ids = wanted.values() if isinstance(wanted, dict) else wanted
        found = [self.people[int(user)] for user in ids if int(user) in self.people]
        return {"result": found[:PAGE], "total": len(found)}


METHODS: dict[str, Callable[[FakePortal, dict[str, Any]], dict[str, Any]]] = {
    "tasks.task.list": FakePortal._list_tasks,
    "tasks.task.history.list": FakePortal._history,
    "task.elapseditem.getlist": FakePortal._entries,
    "task.commentitem.getlist": FakePortal._comments,
    "task.commentitem.add": FakePortal._comment,
    "task.commentitem.update": FakePortal._edit_comment,
    "user.get": FakePortal._people,
}


def _nothing(_: dict[str, Any]) -> None:
    """No other answer than the method's own."""


def problem(status: int, code: str, **headers: str) -> Response:
    """An answer that is a refusal."""
    return JSONResponse({"error": code, "error_description": code}, status, headers)


def _shown(task: Task) -> dict[str, Any]:
    """As lists have it: numbers as strings, names in camel case, an empty object as a list."""
    return {
        "id": str(task.id), "title": task.title, "status": str(task.status), "groupId": str(task.group),
        "createdBy": str(task.author), "responsibleId": "1", "createdDate": task.created.isoformat(),
        "changedDate": task.changed.isoformat(), "closedDate": task.closed.isoformat() if task.closed else None,
        "deadline": task.deadline.isoformat() if task.deadline else None, "timeEstimate": str(task.estimate),
        "timeSpentInLogs": str(sum(int(entry["SECONDS"]) for entry in task.entries)) if task.entries else None,
        "tags": {str(n): {"id": n, "title": tag} for n, tag in enumerate(task.tags, 1)} or [],
        **task.own,
    }  # fmt: skip


def _fits(task: Task, conditions: dict[str, Any]) -> bool:
    return all(_holds(task, name, wanted) for name, wanted in conditions.items())


def _holds(task: Task, name: str, wanted: Any) -> bool:
    operator, column = _CONDITION.match(name).groups()
    told = {"ID": task.id, "GROUP_ID": task.group, "CHANGED_DATE": task.changed}[column]
    if column == "CHANGED_DATE":
        wanted = datetime.fromisoformat(wanted)
    match operator:
        case ">":
            return told > wanted
        case ">=":
            return told >= wanted
        case _:
            return told in (wanted if isinstance(wanted, list) else [wanted])


def _from_query(query: str) -> dict[str, Any]:
    """Parameters of a batch's line, as PHP reads them: `a[b][0]=c`. Objects whose names are 0, 1, … are lists."""
    read: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        *path, last = _PARTS.findall(name)
        inner = read
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return {name: _lists(value) for name, value in read.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if list(value) == [str(number) for number in range(len(value))]:
        return [_lists(each) for each in value.values()]
    return {name: _lists(each) for name, each in value.items()}
