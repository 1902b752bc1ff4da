"""The routes of tasks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from contracts.quantities import TaskId
from contracts.tasks import TaskExplanation
from services.projections.parameters import AccountPath, AskedDocument
from services.projections.readings import Reading, ReadingOf
from services.projections.tasks import TASKS
from services.projections.tasks.queries import task

router = APIRouter(prefix="/v1/accounts/{account_id}/tasks", tags=["projections"])

Read = Annotated[Reading, Depends(ReadingOf(TASKS))]


@router.get("/{task_id}")
async def get_task(
    read: Read,
    account_id: AccountPath,
    task_id: Annotated[TaskId, Path()],
    asked: Annotated[AskedDocument, Query()],
) -> TaskExplanation:
    """Why a task cost what it cost: K, draws in their order, debt, what was taken back; also in plain sentences."""
    return await task(read.connection, account_id, task_id, asked.known_at, asked.lang, read.position)
