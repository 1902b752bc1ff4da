"""What the ledger is to be told so that it agrees with the portal: commands, each with a key of its own. Pure.

A key says which task, which of its closings, and what is said of it: sent again, a command counts once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import orjson

from contracts.quantities import AccountId, TaskId
from contracts.tasks import TaskSummary
from services.bitrix24.judgement import Counted

CommandName = Literal["CloseTask", "CorrectTask", "ReopenTask", "PlanTask", "DropPlan"]
LedgerTasks = Mapping[AccountId, Mapping[TaskId, TaskSummary]]

CLOCKS_DIFFER = timedelta(minutes=5)
"""So far a closing may take effect before it was confirmed by the portal's clock (rule 2.1)."""

CHANGED = "changed in the portal since"
MOVED = "is in another group of the portal now"
REOPENED = "is not done and confirmed in the portal any more"
DELETED = "is not in the portal any more"


@dataclass(frozen=True)
class Deed:
    """One command about a task."""

    command: CommandName
    account_id: AccountId
    task_id: TaskId
    key: str
    body: Mapping[str, Any]


def is_charged(task: TaskSummary | None) -> bool:
    """Whether a closing of it stands, charged or under warranty."""
    return task is not None and task.state != "open"


def charged_in(there: LedgerTasks, task_id: TaskId) -> list[AccountId]:
    """The accounts in which a closing of the task stands."""
    return [account for account, tasks in there.items() if is_charged(tasks.get(task_id))]


def effective_at(counted: Counted) -> datetime:
    """When the closing takes effect (rule 5.1)."""
    return max(counted.closing.closed_at, counted.closing.confirmed_at or counted.closing.closed_at)


def has_moved_in_time(counted: Counted, task: TaskSummary) -> bool:
    """Whether the ledger's closing took effect at another instant; up to five minutes are two clocks' difference."""
    return task.last_closed_at is None or abs(effective_at(counted) - task.last_closed_at) > CLOCKS_DIFFER


def toward(counted: Counted, there: LedgerTasks) -> tuple[Deed, ...]:
    """What makes the ledger say of a task that counts what the portal says: in its account, and in no other."""
    own = there.get(counted.account_id, {}).get(counted.task_id)
    others = [account for account in charged_in(there, counted.task_id) if account != counted.account_id]
    return (
        *(_reopening(account, counted.task_id, there, MOVED) for account in others),
        *_closing(counted, own),
    )


def away(task_id: TaskId, there: LedgerTasks, reason: str) -> tuple[Deed, ...]:
    """What takes every closing of a task back."""
    return tuple(_reopening(account, task_id, there, reason) for account in charged_in(there, task_id))


def deed(command: CommandName, account_id: AccountId, task_id: TaskId, state: object, body: Mapping[str, Any]) -> Deed:
    """A command; `state`: of what it is the consequence, so that the same one may be given again after another."""
    said = sha256(orjson.dumps([body, state], default=str)).hexdigest()
    return Deed(command, account_id, task_id, f"bitrix24-{task_id}-{command}-{said[:32]}", body)


def _closing(counted: Counted, own: TaskSummary | None) -> Iterator[Deed]:
    """Close it, or correct its closing where that says something else."""
    body = counted.closing.model_dump(mode="json", exclude_none=True)
    closings = own.closings if own else 0
    state = [closings, counted.work.fingerprint]
    if own is None or not is_charged(own):
        yield deed("CloseTask", counted.account_id, counted.task_id, state, body)
    elif differs(counted, own):
        yield deed("CorrectTask", counted.account_id, counted.task_id, state, body | {"reason": CHANGED})


def differs(counted: Counted, own: TaskSummary) -> bool:
    """Whether a closing says something else than the portal of what it costs, or of when."""
    said = (own.worked_minutes, own.category)
    return said != (counted.closing.worked_minutes, counted.closing.category) or has_moved_in_time(counted, own)


def _reopening(account_id: AccountId, task_id: TaskId, there: LedgerTasks, reason: str) -> Deed:
    return deed("ReopenTask", account_id, task_id, there[account_id][task_id].closings, {"reason": reason})
