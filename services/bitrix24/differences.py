"""Where the portal and the ledger differ, each kind by name, and what would make them agree. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from contracts.drift import DriftKind
from contracts.quantities import AccountId, Month, TaskId, month_of
from services.bitrix24.deeds import (
    DELETED,
    MOVED,
    REOPENED,
    Deed,
    LedgerTasks,
    away,
    charged_in,
    differs,
    effective_at,
    is_charged,
    toward,
)
from services.bitrix24.judgement import Counted, Judgement, Undecided, Unfinished
from services.bitrix24.portal_records import PortalTask


@dataclass(frozen=True)
class Difference:
    """One task on which they differ, in a sentence, and the commands that would make them agree, if any are known.

    `month`: in which the task takes effect, or took effect where the ledger has charged it. `counted`: what the portal
    would charge. `refused_as`, `booked_in`: what a dry run of the commands has said, where one was made.
    """

    kind: DriftKind
    month: Month
    account_id: AccountId
    task_id: TaskId
    sentence: str
    proposal: tuple[Deed, ...] = ()
    counted: Counted | None = None
    refused_as: str | None = None
    booked_in: Month | None = None


def differences(
    judgements: Mapping[TaskId, Judgement], missing: Mapping[TaskId, PortalTask | None], there: LedgerTasks
) -> Iterator[Difference]:
    """Every difference, at most one for a task: the gravest.

    `missing`: tasks that the ledger has charged and that are in none of the settings' groups; as they are in another
    group, or nothing where the portal has them no more.
    """
    for judgement in judgements.values():
        yield from _of_judged(judgement, there)
    for task_id, task in missing.items():
        for account_id in charged_in(there, task_id):
            month = _charged_month(there, account_id, task_id)
            if task is None:
                sentence, kind, reason = "is charged, but the portal does not have it", DriftKind.DELETED, DELETED
            else:
                sentence = f"is charged, but is in group {task.group_id} now, which is no account's"
                kind, reason = DriftKind.MOVED, MOVED
            yield Difference(kind, month, account_id, task_id, sentence, away(task_id, there, reason))


def _of_judged(judgement: Judgement, there: LedgerTasks) -> Iterator[Difference]:
    account_id, task_id = judgement.account_id, judgement.task_id
    charged = charged_in(there, task_id)
    match judgement:
        case Undecided():
            month = _charged_month(there, charged[0], task_id) if charged else month_of(judgement.work.task.changed_at)
            sentence = f"{judgement.reason}: {judgement.remedy}"
            yield Difference(DriftKind.UNDECIDED, month, account_id, task_id, sentence)
        case Unfinished() if charged:
            month = _charged_month(there, charged[0], task_id)
            sentence = "is charged, but is not done and confirmed now"
            proposal = away(task_id, there, REOPENED)
            yield Difference(DriftKind.REOPENED, month, charged[0], task_id, sentence, proposal)
        case Counted() if proposal := toward(judgement, there):
            yield _of_counted(judgement, there, proposal)


def _of_counted(counted: Counted, there: LedgerTasks, proposal: tuple[Deed, ...]) -> Difference:
    account_id, task_id, closing = counted.account_id, counted.task_id, counted.closing
    own = there.get(account_id, {}).get(task_id)
    others = [account for account in charged_in(there, task_id) if account != account_id]
    month = month_of(effective_at(counted))
    if others:
        month = _charged_month(there, others[0], task_id)
        sentence = f"is charged to {' and '.join(others)}, but its group is {account_id}'s"
        return Difference(DriftKind.MOVED, month, account_id, task_id, sentence, proposal, counted)
    if own is None or not is_charged(own):
        sentence = f"is confirmed, but not charged: {closing.worked_minutes} min, {closing.category}"
        return Difference(DriftKind.NOT_CHARGED, month, account_id, task_id, sentence, proposal, counted)
    month = _charged_month(there, account_id, task_id)
    if own.worked_minutes != closing.worked_minutes:
        sentence = f"is charged for {own.worked_minutes} min, but {closing.worked_minutes} min are written"
        return Difference(DriftKind.MINUTES, month, account_id, task_id, sentence, proposal, counted)
    assert differs(counted, own)
    sentence = f"is charged as {own.category}, but is {closing.category}"
    if own.category == closing.category:
        sentence = f"was confirmed anew at {effective_at(counted).isoformat(timespec='minutes')}"
    return Difference(DriftKind.CHANGED, month, account_id, task_id, sentence, proposal, counted)


def _charged_month(there: LedgerTasks, account_id: AccountId, task_id: TaskId) -> Month:
    at = there[account_id][task_id].last_closed_at
    assert at is not None, "a closing took effect at some time"
    return month_of(at)
