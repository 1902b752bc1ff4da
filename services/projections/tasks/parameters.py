"""What a list of tasks is asked with."""

from pydantic import ValidationInfo, field_validator

from contracts.events import Category
from contracts.tasks import TaskState
from services.projections.paging import Cursor, require_cursor
from services.projections.parameters import AskedPeriod, Limit
from services.projections.tasks.task_list import ORDERS, Sort


class AskedTasks(AskedPeriod):
    """Which tasks to list, by their last closing, and in which order."""

    sort: Sort = "-last_closed_at"
    state: TaskState | None = None
    planned: bool | None = None
    category: Category | None = None
    cursor: Cursor | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_this_order(cls, cursor: str | None, info: ValidationInfo) -> str | None:
        """A list in one order goes on where a list in that order stopped."""
        sort = info.data.get("sort")
        return cursor and sort and require_cursor(cursor, ORDERS[sort].key)
