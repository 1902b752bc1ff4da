"""What the ledger knows of the connector's tasks, and how it is told of a closing."""

from collections.abc import Mapping
from typing import Any

import httpx

from contracts.problems import Problem
from contracts.quantities import AccountId, TaskId
from contracts.tasks import TaskPage, TaskSummary
from services.bitrix24.judgement import Counted
from services.process.address import document

LedgerTasks = Mapping[AccountId, Mapping[TaskId, TaskSummary]]


async def tasks_of(hourbook: httpx.AsyncClient, account_id: AccountId) -> dict[TaskId, TaskSummary]:
    """The tasks that the ledger knows of an account, by id."""
    found: dict[TaskId, TaskSummary] = {}
    asked: dict[str, Any] = {"limit": 100}
    while True:
        answer = await hourbook.get(f"/v1/accounts/{account_id}/tasks", params=asked)
        page = TaskPage.model_validate(document(answer))
        found |= {task.task_id: task for task in page.tasks}
        if page.next_cursor is None:
            return found
        asked["cursor"] = page.next_cursor


async def close(
    hourbook: httpx.AsyncClient, counted: Counted, closing: int, *, dry_run: bool = False
) -> httpx.Response:
    """The ledger's answer to a closing, recorded or refused.

    Its key says which task, which closing and which entries: sent again, it charges nothing again.
    """
    key = f"bitrix24-{counted.task_id}-{closing}-{counted.work.fingerprint[:16]}"
    answer = await hourbook.post(
        f"/v1/accounts/{counted.account_id}/tasks/{counted.task_id}/close",
        params={"dry_run": str(dry_run).lower()},
        headers={"Idempotency-Key": key},
        json=counted.closing.model_dump(mode="json", exclude_none=True),
    )
    if "problem+json" not in answer.headers.get("Content-Type", ""):
        answer.raise_for_status()
    return answer


def refusal(answer: httpx.Response) -> str:
    """What stands against a command, in the ledger's words."""
    problem = Problem.model_validate_json(answer.content)
    return f"{problem.slug}, {problem.detail or problem.title}"
