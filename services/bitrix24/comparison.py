"""A month of the portal beside the ledger's: read whole, judged, compared, each proposal tried. Records nothing."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import httpx
import orjson

from contracts.drift import DriftKind
from contracts.problems import Problem
from contracts.quantities import AccountId, Month, TaskId, month_of
from services.bitrix24.deeds import LedgerTasks, effective_at, is_charged
from services.bitrix24.differences import Difference, differences
from services.bitrix24.judgement import Counted
from services.bitrix24.ledger_tasks import Ledger, said
from services.bitrix24.portal import Portal
from services.bitrix24.portal_records import PortalTask
from services.bitrix24.reading import Reader, Reading
from services.bitrix24.settings import Connector

Line = tuple[AccountId, TaskId, int, str]
"""A task as a side charges it: account, task, worked minutes, category."""


@dataclass(frozen=True)
class Comparison:
    """A month: what each side charges, and each difference, its proposal tried.

    `there`, `positions`: the ledger's tasks, and how far each account was read.
    """

    month: Month
    portal: tuple[Line, ...]
    ledger: tuple[Line, ...]
    differences: tuple[Difference, ...]
    there: LedgerTasks
    positions: Mapping[AccountId, int]

    @property
    def agreed(self) -> int:
        """On how many tasks both sides agree."""
        return len(set(self.portal) & set(self.ledger) - self._differing())

    def _differing(self) -> set[Line]:
        differing = {difference.task_id for difference in self.differences}
        return {line for line in self.portal if line[1] in differing}


async def compared(portal: Portal, hourbook: httpx.AsyncClient, connector: Connector, month: Month) -> Comparison:
    """A month of all groups of the settings; PortalFault where anything of the portal could not be read."""
    ledger = Ledger(hourbook)
    there = await ledger.tasks(connector.account_ids)

    def wanted(task: PortalTask) -> bool:
        return month_of(task.changed_at) >= month or _charged_in(there, connector.task_id(task.id), month)

    reading = await Reader(portal, hourbook, connector).next(there, wanted)
    found = [each for each in differences(reading.judgements, reading.missing, there) if each.month == month]
    return await of_month(month, reading, there, found, ledger)


async def every_month(reading: Reading, there: LedgerTasks, ledger: Ledger) -> list[Comparison]:
    """Each month in which either side has a task, from what was read of all."""
    found = list(differences(reading.judgements, reading.missing, there))
    counted = (each for each in reading.judgements.values() if isinstance(each, Counted))
    closed = (task.last_closed_at for tasks in there.values() for task in tasks.values() if is_charged(task))
    months = {month_of(effective_at(each)) for each in counted} | {month_of(at) for at in closed if at}
    months |= {each.month for each in found}
    return [
        await of_month(month, reading, there, [each for each in found if each.month == month], ledger)
        for month in sorted(months)
    ]


async def of_month(
    month: Month,
    reading: Reading,
    there: LedgerTasks,
    found: Iterable[Difference],
    ledger: Ledger,
) -> Comparison:
    """The comparison of a month, from what was read and from the differences of that month."""
    tried = [await _tried(ledger, each) for each in found]
    lines = tuple(sorted(_portal_lines(reading, month)))
    charged = tuple(sorted(_ledger_lines(there, reading, month)))
    return Comparison(month, lines, charged, tuple(tried), there, dict(ledger.positions))


def list_hash(lines: Sequence[Line]) -> str:
    """SHA-256 of a side's list, as hex."""
    return hashlib.sha256(orjson.dumps(lines)).hexdigest()


def _charged_in(there: LedgerTasks, task_id: TaskId, month: Month) -> bool:
    known = (tasks[task_id] for tasks in there.values() if task_id in tasks)
    return any(is_charged(task) and task.last_closed_at and month_of(task.last_closed_at) == month for task in known)


def _portal_lines(reading: Reading, month: Month) -> Iterator[Line]:
    for judgement in reading.judgements.values():
        if isinstance(judgement, Counted) and month_of(effective_at(judgement)) == month:
            closing = judgement.closing
            yield judgement.account_id, judgement.task_id, closing.worked_minutes, closing.category


def _ledger_lines(there: LedgerTasks, reading: Reading, month: Month) -> Iterator[Line]:
    """Without what is not the connector's: recorded by others, or confirmed before it began."""
    for account_id, tasks in there.items():
        for task_id, task in tasks.items():
            ours = task_id in reading.judgements or task_id in reading.missing
            at = task.last_closed_at
            if ours and is_charged(task) and task.category and at and month_of(at) == month:
                yield account_id, task_id, task.worked_minutes, task.category


async def _tried(ledger: Ledger, difference: Difference) -> Difference:
    """With what the ledger says to the proposal: a refusal, or another month because the task's own is closed."""
    for deed in difference.proposal:
        answer = await ledger.give(deed, dry_run=True)
        if isinstance(answer, Problem):
            kind = DriftKind.REFUSED if difference.kind == DriftKind.NOT_CHARGED else difference.kind
            sentence = f"{difference.sentence}; it would be refused: {said(answer)}"
            return replace(difference, kind=kind, sentence=sentence, refused_as=answer.slug)
        booked_in = next((each.event().booking_month for each in answer.events if _is_of_task(each.type)), None)
        if booked_in and booked_in != difference.month and deed.command != "ReopenTask":
            kind = DriftKind.LATE if difference.kind == DriftKind.MINUTES else difference.kind
            sentence = f"{difference.sentence}; {difference.month} is closed, it would be booked in {booked_in}"
            difference = replace(difference, kind=kind, sentence=sentence, booked_in=booked_in)
    return difference


def _is_of_task(event_type: str) -> bool:
    return event_type in {"TaskClosed", "TaskCorrected"}
