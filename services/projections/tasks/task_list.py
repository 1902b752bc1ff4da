"""The list of an account's tasks: by their last closing or by id, filtered by what they are, page by page."""

from datetime import datetime
from typing import Any, Literal

from asyncpg import Connection, Record
from pydantic import TypeAdapter

from contracts.events import Category
from contracts.quantities import Instant, TaskId, decimal_hours
from contracts.tasks import TaskPage, TaskState, TaskSummary
from services.projections.lookups import UnknownAccount
from services.projections.paging import Order, cursor_after, key_of

Sort = Literal["-last_closed_at", "last_closed_at", "task_id"]

_CLOSED = ("last_closed_at", "task_id")
_CLOSED_VALUE = "coalesce(${}::timestamptz, '-infinity')"

ORDERS: dict[Sort, Order] = {
    "-last_closed_at": Order(
        _CLOSED,
        _CLOSED_VALUE,
        TypeAdapter(tuple[Literal["-last_closed_at"], Instant | None, TaskId]),
        descending=True,
    ),
    "last_closed_at": Order(
        _CLOSED, _CLOSED_VALUE, TypeAdapter(tuple[Literal["last_closed_at"], Instant | None, TaskId])
    ),
    "task_id": Order(("task_id",), None, TypeAdapter(tuple[Literal["task_id"], TaskId])),
}
"""Each with its index; tasks that were never closed count as closed before all others."""

PAGE = """
    SELECT task_id, title, category, state, under_warranty, closings, worked_minutes, charged_minutes,
           nullif(last_closed_at, '-infinity') AS closed_at, estimated_minutes, planned_minutes, planned_start_at
    FROM task WHERE account_id = $1 {filters} {after} ORDER BY {by} LIMIT $2
"""

EXISTS = "SELECT FROM task_event WHERE account_id = $1 AND task_id IS NULL LIMIT 1"

FILTERS = {
    "state": "AND state = ${}",
    "planned": "AND (planned_minutes IS NOT NULL) = ${}",
    "category": "AND category = ${}",
    "since": "AND last_closed_at >= ${}",
    "before": "AND last_closed_at < ${} AND last_closed_at > '-infinity'",
}


async def tasks(
    connection: Connection,
    account_id: str,
    *,
    sort: Sort,
    state: TaskState | None,
    planned: bool | None,
    category: Category | None,
    since: datetime | None,
    before: datetime | None,
    cursor: str | None,
    limit: int,
) -> TaskPage:
    """A page of the tasks last closed in [since, before), of that state and category, with a plan that stands or not.

    Any of these may be left open.
    """
    if await connection.fetchrow(EXISTS, account_id) is None:
        raise UnknownAccount(account_id)
    order = ORDERS[sort]
    asked: list[Any] = [account_id, limit + 1]
    filters: list[str] = []
    named = {"state": state, "planned": planned, "category": category, "since": since, "before": before}
    for name, value in named.items():
        if value is not None:
            asked.append(value)
            filters.append(FILTERS[name].format(len(asked)))
    after = ""
    if cursor is not None:
        after = order.after(len(asked) + 1)
        asked += key_of(cursor, order.key)[1:]
    rows = await connection.fetch(PAGE.format(filters=" ".join(filters), after=after, by=order.by), *asked)
    found = tuple(map(_summary, rows[:limit]))
    next_cursor = (
        cursor_after(sort, *(getattr(found[-1], column) for column in order.columns)) if rows[limit:] else None
    )
    return TaskPage(account_id=account_id, tasks=found, next_cursor=next_cursor)


def _summary(row: Record) -> TaskSummary:
    return TaskSummary(charged_hours=decimal_hours(row["charged_minutes"]), last_closed_at=row["closed_at"], **row)
