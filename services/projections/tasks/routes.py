"""The routes of tasks."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from contracts.access import Right
from contracts.quantities import TaskId
from contracts.tasks import TaskExplanation, TaskPage
from services.access.needs import needs
from services.process.openapi import problems
from services.projections.parameters import AccountPath, AskedDocument
from services.projections.readings import OF_ACCOUNT, UNAVAILABLE, Reading, reading_of
from services.projections.tasks import TASKS
from services.projections.tasks.parameters import AskedTasks
from services.projections.tasks.queries import task
from services.projections.tasks.task_list import tasks

router = APIRouter(prefix="/v1/accounts/{account_id}/tasks", tags=["tasks"])

Read = Annotated[Reading, reading_of(TASKS)]


@router.get("", openapi_extra=OF_ACCOUNT)
@needs(Right.BALANCES)
async def list_tasks(read: Read, account_id: AccountPath, asked: Annotated[AskedTasks, Query()]) -> TaskPage:
    """The account's tasks as of now, the one closed last first unless asked otherwise, a page."""
    return await tasks(read.connection, account_id, **asked.model_dump())


@router.get("/{task_id}", openapi_extra=problems("account-not-found", "task-not-found", "account-halted", *UNAVAILABLE))
@needs(Right.BALANCES)
async def get_task(
    read: Read,
    account_id: AccountPath,
    task_id: Annotated[TaskId, Path()],
    asked: Annotated[AskedDocument, Query()],
) -> TaskExplanation:
    """Why a task cost what it cost: K, draws in their order, debt, what was taken back; also in plain sentences."""
    return await task(read.connection, account_id, task_id, asked.known_at, asked.lang, read.position)
