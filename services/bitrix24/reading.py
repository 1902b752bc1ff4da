"""The portal, read whole: which tasks it has, and what each is to the ledger. All of it, or none with a PortalFault."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from pydantic import TypeAdapter

from contracts.quantities import TaskId
from contracts.terms import TermsVersion
from services.bitrix24.comments import comments_of
from services.bitrix24.deeds import LedgerTasks, charged_in
from services.bitrix24.judgement import DONE, Judgement, Unfinished, judged, may_agree_in_comments, people_named
from services.bitrix24.patience import answered
from services.bitrix24.portal import Portal, WrongAnswer
from services.bitrix24.portal_records import PortalTask, Work
from services.bitrix24.portal_tasks import people, tasks_changed, tasks_of_ids, work_on
from services.bitrix24.settings import Connector
from services.process.address import document

_VERSIONS = TypeAdapter(tuple[TermsVersion, ...])
MISSING_MIN = 20
"""So many charged tasks may be missing from the portal before it is doubted that all of it was shown."""


@dataclass(frozen=True)
class Reading:
    """What one round has read. `judgements` lacks the tasks that were confirmed before the connector began.

    `missing`: charged tasks that are in none of the settings' groups, as they are elsewhere; None: nowhere.
    """

    tasks: Mapping[TaskId, PortalTask]
    judgements: Mapping[TaskId, Judgement]
    missing: Mapping[TaskId, PortalTask | None]
    terms: tuple[TermsVersion, ...]


def every(_: PortalTask) -> bool:
    """For a reader that leaves out no task."""
    return True


@dataclass
class Reader:
    """Reads again and again; `_judged` spares the portal what it has said already."""

    portal: Portal
    hourbook: httpx.AsyncClient
    connector: Connector
    _judged: dict[int, tuple[tuple[datetime, int | None], Judgement | None]] = field(default_factory=dict)

    async def next(self, there: LedgerTasks, wanted: Callable[[PortalTask], bool] = every) -> Reading:
        """Everything; of the tasks that are done, those that are wanted are judged."""
        connector = self.connector
        tasks = await tasks_changed(self.portal, connector.accounts.keys(), connector.began_at, connector.own_fields)
        versions = document(await answered(self.hourbook, "GET", "/v1/terms"))["versions"]
        terms = _VERSIONS.validate_python(versions)
        await self._judge([task for task in tasks if task.status == DONE and wanted(task)], terms)
        named = {connector.task_id(task.id): task for task in tasks}
        return Reading(named, dict(self._judgements(tasks)), await self._missing(named, there), terms)

    async def _judge(self, done: Collection[PortalTask], terms: tuple[TermsVersion, ...]) -> None:
        """Read entries and history of those that are new or have changed, and judge them; forget all others."""
        marks = {task.id: (task.changed_at, task.logged_seconds) for task in done}
        self._judged = {number: known for number, known in self._judged.items() if marks.get(number) == known[0]}
        works = await work_on(self.portal, [task for task in done if task.id not in self._judged])
        works = await with_comments(self.portal, works, self.connector)
        known = await people(self.portal, {each for work in works for each in people_named(work)})
        for work in works:
            judgement = judged(work, self.connector, known, terms)
            self._judged[work.task.id] = (marks[work.task.id], judgement)

    def _judgements(self, tasks: Collection[PortalTask]) -> Mapping[TaskId, Judgement]:
        found: dict[TaskId, Judgement] = {}
        for task in tasks:
            task_id = self.connector.task_id(task.id)
            if task.status != DONE:
                found[task_id] = Unfinished(self.connector.accounts[task.group_id], task_id)
            elif judgement := self._judged.get(task.id, (None, None))[1]:
                found[task_id] = judgement
        return found

    async def _missing(
        self, tasks: Mapping[TaskId, PortalTask], there: LedgerTasks
    ) -> Mapping[TaskId, PortalTask | None]:
        """The charged tasks that are in no group of the settings; none that has not changed for long."""
        known = {task_id for of_account in there.values() for task_id in of_account}
        charged = {task_id for task_id in known if charged_in(there, task_id)}
        numbers = {task_id: number for task_id in charged - tasks.keys() if (number := self.connector.number(task_id))}
        elsewhere = {task.id: task for task in await tasks_of_ids(self.portal, numbers.values())}
        gone = [task_id for task_id, number in numbers.items() if number not in elsewhere]
        if len(gone) > max(MISSING_MIN, len(charged) // 2):
            raise WrongAnswer(
                f"tasks.task.list: {len(gone)} of {len(charged)} charged tasks are missing: let the person of the "
                "webhook see all groups of the settings"
            )
        return {
            task_id: elsewhere.get(number)
            for task_id, number in numbers.items()
            if number not in elsewhere or elsewhere[number].group_id not in self.connector.accounts
        }


async def with_comments(portal: Portal, works: Sequence[Work], connector: Connector) -> list[Work]:
    """With what people wrote in those tasks where a consent may stand in it."""
    asked = [work.task.id for work in works if may_agree_in_comments(work.task, connector)]
    comments = await comments_of(portal, asked)
    return [work.model_copy(update={"comments": comments.get(work.task.id, ())}) for work in works]
