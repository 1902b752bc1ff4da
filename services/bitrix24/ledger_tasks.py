"""What the ledger knows of the connector's tasks, and how it is given a command about one."""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from contracts.envelope import Recorded
from contracts.problems import Problem
from contracts.quantities import AccountId, TaskId
from contracts.tasks import TaskPage, TaskSummary
from services.bitrix24.deeds import CommandName, Deed, LedgerTasks
from services.bitrix24.patience import BUSY, answered
from services.process import tracing
from services.process.address import document

_ROUTES: dict[CommandName, tuple[str, str]] = {
    "CloseTask": ("POST", "close"),
    "CorrectTask": ("POST", "correct"),
    "ReopenTask": ("POST", "reopen"),
    "PlanTask": ("PUT", "plan"),
    "DropPlan": ("DELETE", "plan"),
}


class Ledger:
    """The ledger as the connector uses it: it reads what it has written.

    `positions`: how far each account is known.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.positions: dict[AccountId, int] = {}

    async def tasks(self, account_ids: Iterable[AccountId]) -> LedgerTasks:
        """The tasks of these accounts, by id."""
        return {account_id: await self._tasks_of(account_id) for account_id in account_ids}

    async def _tasks_of(self, account_id: AccountId) -> dict[TaskId, TaskSummary]:
        found: dict[TaskId, TaskSummary] = {}
        asked: dict[str, Any] = {"limit": 1000, "sort": "task_id"}
        while True:
            answer = await self.read(account_id, "tasks", asked)
            page = TaskPage.model_validate(document(answer))
            found |= {task.task_id: task for task in page.tasks}
            if page.next_cursor is None:
                self._read_up_to(account_id, answer)
                return found
            asked["cursor"] = page.next_cursor

    async def read(self, account_id: AccountId, what: str, asked: Mapping[str, Any]) -> httpx.Response:
        """What a query about the account answers, which has what was recorded here."""
        headers = {"Hourbook-Min-Position": str(self.positions.get(account_id, 0))}
        return await answered(self.client, "GET", f"/v1/accounts/{account_id}/{what}", params=asked, headers=headers)

    async def give(self, deed: Deed, *, dry_run: bool = False) -> Recorded | Problem:
        """What the ledger answers to a command: what is recorded, or would be, or the refusal."""
        method, last = _ROUTES[deed.command]
        asked: dict[str, Any] = {"params": {"dry_run": str(dry_run).lower()}, "json": deed.body}
        if method == "DELETE":
            asked = {"params": asked["params"] | deed.body}
        url = f"/v1/accounts/{deed.account_id}/tasks/{deed.task_id}/{last}"
        with tracing.span(deed.command):
            headers = {"Idempotency-Key": deed.key, **tracing.told_on()}
            answer = await answered(self.client, method, url, headers=headers, **asked)
        is_problem = "problem+json" in answer.headers.get("Content-Type", "")
        if is_problem and answer.status_code not in BUSY and not answer.is_server_error:
            return Problem.model_validate_json(answer.content)
        recorded = Recorded.model_validate_json(answer.raise_for_status().content)
        if not dry_run:
            self._read_up_to(deed.account_id, answer)
        return recorded

    def _read_up_to(self, account_id: AccountId, answer: httpx.Response) -> None:
        position = int(answer.headers.get("Hourbook-Position", 0))
        self.positions[account_id] = max(position, self.positions.get(account_id, 0))


def said(problem: Problem) -> str:
    """What stands against a command, in the ledger's words."""
    return f"{problem.slug}, {problem.detail or problem.title}"
