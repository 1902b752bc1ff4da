"""Where the portal and the ledger differ on a month's tasks, each kind by name. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts.quantities import AccountId, Month, TaskId, month_of
from contracts.tasks import TaskSummary
from services.bitrix24.judgement import Counted, Judgement, Undecided


class Kind(StrEnum):
    """What the difference is."""

    NOT_CHARGED = "not-charged"
    UNDECIDED = "undecided"
    NOT_CONFIRMED = "charged-not-confirmed"
    MOVED = "charged-elsewhere"
    GONE = "charged-gone"
    WORKED_TIME = "worked-time-differs"
    CATEGORY = "category-differs"


@dataclass(frozen=True)
class Difference:
    """One task on which they differ, in a sentence; `counted`: what the portal would have charged, if anything."""

    kind: Kind
    account_id: AccountId
    task_id: TaskId
    sentence: str
    counted: Counted | None = None


def differences(
    judgements: Iterable[Judgement],
    charged: Mapping[AccountId, Mapping[TaskId, TaskSummary]],
    known: Iterable[TaskId],
    month: Month,
) -> Iterator[Difference]:
    """Every difference on tasks that took effect in a month, on either side.

    `judgements`: of the tasks that were read with all their entries. `charged`: the tasks that the ledger has closed,
    by account. `known`: the ids of all tasks that the portal has, whatever their month.
    """
    told = {judgement.task_id: judgement for judgement in judgements}
    for judgement in told.values():
        yield from _of_judged(judgement, charged, month)
    known = frozenset(known)
    for account_id, tasks in charged.items():
        for task_id, task in tasks.items():
            if task_id not in known and task.last_closed_at and month_of(task.last_closed_at) == month:
                yield Difference(Kind.GONE, account_id, task_id, "is charged, but the portal does not have it")


def _of_judged(
    judgement: Judgement, charged: Mapping[AccountId, Mapping[TaskId, TaskSummary]], month: Month
) -> Iterator[Difference]:
    """At most one difference of a task: the gravest."""
    account_id, task_id = judgement.account_id, judgement.task_id
    there = charged.get(account_id, {}).get(task_id)
    elsewhere = next((other for other, tasks in charged.items() if other != account_id and task_id in tasks), None)
    if there is None and elsewhere is not None:
        yield Difference(Kind.MOVED, account_id, task_id, f"is charged to {elsewhere}, but its group is {account_id}'s")
    elif isinstance(judgement, Undecided):
        yield Difference(Kind.UNDECIDED, account_id, task_id, f"{judgement.reason}: {judgement.remedy}")
    elif isinstance(judgement, Counted):
        if _effective_month(judgement) == month or there is not None:
            yield from _of_counted(judgement, there)
    elif there is not None:
        yield Difference(Kind.NOT_CONFIRMED, account_id, task_id, "is charged, but is not done and confirmed now")


def _effective_month(counted: Counted) -> Month:
    closing = counted.closing
    return month_of(max(closing.closed_at, closing.confirmed_at or closing.closed_at))


def _of_counted(counted: Counted, there: TaskSummary | None) -> Iterator[Difference]:
    closing = counted.closing
    if there is None:
        sentence = f"is confirmed, but not charged: {closing.worked_minutes} min, {closing.category}"
        yield Difference(Kind.NOT_CHARGED, counted.account_id, counted.task_id, sentence, counted)
    elif there.worked_minutes != closing.worked_minutes:
        sentence = f"is charged for {there.worked_minutes} min, but {closing.worked_minutes} min are written"
        yield Difference(Kind.WORKED_TIME, counted.account_id, counted.task_id, sentence, counted)
    elif there.category != closing.category:
        sentence = f"is charged as {there.category}, but is {closing.category}"
        yield Difference(Kind.CATEGORY, counted.account_id, counted.task_id, sentence, counted)
