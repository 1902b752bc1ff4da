"""A comparison as the ledger keeps it, beside its log: without names of people. Pure."""

from datetime import datetime

from contracts.drift import DriftBody, DriftItem, ProposedCommand, TaskSide
from contracts.quantities import AccountId
from contracts.tasks import TaskSummary
from services.bitrix24.comparison import Comparison, list_hash
from services.bitrix24.deeds import LedgerTasks, charged_in, effective_at
from services.bitrix24.differences import Difference
from services.bitrix24.judgement import Counted

DETAIL_CHARACTERS_MAX = 1000


def drift_body(found: Comparison, compared_at: datetime) -> DriftBody:
    """What both sides say of each task on which they differ, and the hash of each side's list."""
    return DriftBody(
        compared_at=compared_at,
        agreed=found.agreed,
        positions=dict(found.positions),
        portal_hash=list_hash(found.portal),
        ledger_hash=list_hash(found.ledger),
        items=tuple(_item(each, found.there) for each in found.differences),
    )


def _item(difference: Difference, there: LedgerTasks) -> DriftItem:
    charged = charged_in(there, difference.task_id)
    return DriftItem(
        kind=difference.kind,
        account_id=difference.account_id,
        task_id=difference.task_id,
        detail=difference.sentence[:DETAIL_CHARACTERS_MAX],
        portal=_of_portal(difference.counted) if difference.counted else None,
        ledger=_of_ledger(charged[0], there[charged[0]][difference.task_id]) if charged else None,
        proposal=tuple(
            ProposedCommand(command=deed.command, account_id=deed.account_id, task_id=deed.task_id)
            for deed in difference.proposal
        ),
        refused_as=difference.refused_as,
        booked_in=difference.booked_in,
    )


def _of_portal(counted: Counted) -> TaskSide:
    closing = counted.closing
    return TaskSide(
        account_id=counted.account_id,
        worked_minutes=closing.worked_minutes,
        category=closing.category,
        effective_at=effective_at(counted),
    )


def _of_ledger(account_id: AccountId, task: TaskSummary) -> TaskSide:
    assert task.category is not None, "a closing has a category"
    assert task.last_closed_at is not None, "a closing took effect at some time"
    return TaskSide(
        account_id=account_id,
        worked_minutes=task.worked_minutes,
        category=task.category,
        effective_at=task.last_closed_at,
    )
