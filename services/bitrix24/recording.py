"""Round by round, what the portal's customers have confirmed is charged in the ledger, each closing once.

The connector remembers nothing that it could not read again: the portal says what is confirmed, the ledger what is
charged. So it can be stopped at any time, and started anywhere.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, NoReturn

import httpx

from contracts.quantities import AccountId, TaskId
from services.bitrix24.confirmed_work import judgements
from services.bitrix24.judgement import DONE, Counted, Judgement, Undecided
from services.bitrix24.ledger_tasks import LedgerTasks, close, refusal, tasks_of
from services.bitrix24.portal import Portal, PortalFault
from services.bitrix24.portal_tasks import PortalTask, tasks_changed
from services.bitrix24.settings import Connector
from services.process.operator_error import OperatorError


class Outcome(NamedTuple):
    """What became of a task: `recorded`, `refused` with the ledger's reason, or `undecided` with the remedy."""

    account_id: AccountId
    task_id: TaskId
    outcome: str
    reason: str = ""


async def keep_recording(
    rounds: "Rounds", every_seconds: float, say: Callable[[Iterable[Outcome]], None], complain: Callable[[str], None]
) -> NoReturn:
    """Round after round, until cancelled; each outcome and each hindrance is said when it is new."""
    said: list[Outcome] = []
    hindered = ""
    while True:
        try:
            outcomes = await rounds.next()
            say(outcome for outcome in outcomes if outcome not in said)
            said, hindrance = outcomes, ""
        except (PortalFault, httpx.HTTPError, OperatorError) as fault:
            hindrance = f"Nothing is charged now: {fault or type(fault).__name__}"
        if hindrance and hindrance != hindered:
            complain(hindrance)
        hindered = hindrance
        await asyncio.sleep(every_seconds)


@dataclass
class Rounds:
    """The rounds of one process; `_judged` spares the portal what it has said already."""

    portal: Portal
    hourbook: httpx.AsyncClient
    connector: Connector
    _judged: dict[int, tuple[tuple[datetime, int | None], Judgement | None]] = field(default_factory=dict)

    async def next(self) -> list[Outcome]:
        """Charge what is confirmed and not charged yet; nothing, but a PortalFault, where the reading is not whole."""
        tasks = await tasks_changed(
            self.portal, self.connector.accounts.keys(), self.connector.began_at, self.connector.own_fields
        )
        await self._judge([task for task in tasks if task.status == DONE])
        there = {account: await tasks_of(self.hourbook, account) for account in self.connector.account_ids}
        outcomes = [await self._outcome(judgement, there) for _, judgement in self._judged.values()]
        return [outcome for outcome in outcomes if outcome]

    async def _judge(self, done: list[PortalTask]) -> None:
        """Read entries and history of those that are new or have changed, and judge them; forget all others."""
        marks = {task.id: (task.changed_at, task.logged_seconds) for task in done}
        self._judged = {number: known for number, known in self._judged.items() if marks.get(number) == known[0]}
        fresh = [task for task in done if task.id not in self._judged]
        for number, judgement in (await judgements(self.portal, self.hourbook, self.connector, fresh)).items():
            self._judged[number] = (marks[number], judgement)

    async def _outcome(self, judgement: Judgement | None, there: LedgerTasks) -> Outcome | None:
        """Nothing where the task is charged already: whether as it should be, `check` says."""
        if judgement is None:
            return None
        account_id, task_id = judgement.account_id, judgement.task_id
        known = [tasks[task_id] for tasks in there.values() if task_id in tasks]
        if any(task.state != "open" for task in known):
            return None
        match judgement:
            case Undecided():
                return Outcome(account_id, task_id, "undecided", f"{judgement.reason}: {judgement.remedy}")
            case Counted():
                answer = await close(self.hourbook, judgement, sum(task.closings for task in known) + 1)
                refused = "" if answer.is_success else refusal(answer)
                return Outcome(account_id, task_id, "refused" if refused else "recorded", refused)
        return None
