"""Round by round, what the portal's customers have confirmed is charged in the ledger, each closing once.

The connector remembers nothing that it could not read again: the portal says what is confirmed, the ledger what is
charged. So it can be stopped at any time, and started anywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import httpx

from contracts.drift import DriftKind
from contracts.envelope import Recorded
from contracts.problems import Problem
from contracts.quantities import AccountId, TaskId
from services.bitrix24.answers import Answers
from services.bitrix24.comparison import Comparison, every_month
from services.bitrix24.deeds import Deed, LedgerTasks
from services.bitrix24.differences import Difference, differences
from services.bitrix24.ledger_tasks import Ledger, said
from services.bitrix24.plans import plans
from services.bitrix24.portal import Portal
from services.bitrix24.reading import Reader, Reading
from services.bitrix24.settings import Change, Connector

CHANGE_OF: dict[DriftKind, Change] = {
    DriftKind.MINUTES: "correct",
    DriftKind.CHANGED: "correct",
    DriftKind.REOPENED: "reopen",
    DriftKind.MOVED: "move",
    DriftKind.DELETED: "delete",
}
"""What has to be among the settings' `apply`, so that the connector puts such a difference right by itself."""


class Outcome(NamedTuple):
    """What became of a task: `recorded`, `refused` with the ledger's reason, `undecided` or `proposed`."""

    account_id: AccountId
    task_id: TaskId
    outcome: str
    reason: str = ""


@dataclass
class Rounds:
    """The rounds of one process."""

    portal: Portal
    hourbook: httpx.AsyncClient
    connector: Connector
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ledger: Ledger = field(init=False)
    reader: Reader = field(init=False)
    answers: Answers = field(init=False)
    _reading: Reading | None = None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.hourbook)
        self.reader = Reader(self.portal, self.hourbook, self.connector)
        self.answers = Answers(self.portal, self.ledger, self.connector)

    async def next(self) -> list[Outcome]:
        """Charge what is confirmed and not charged yet; nothing, but a PortalFault, where the reading is not whole."""
        there = await self.ledger.tasks(self.connector.account_ids)
        known = dict(self.ledger.positions)
        reading = self._reading = await self.reader.next(there)
        found = list(differences(reading.judgements, reading.missing, there))
        outcomes = [await self._outcome(difference) for difference in found]
        outcomes += await self._planned(reading, there)
        if self.connector.answers and self.ledger.positions != known:
            there = await self.ledger.tasks(self.connector.account_ids)
        return [*outcomes, *await self._answered(reading, there)]

    async def comparisons(self) -> list[Comparison]:
        """How the portal, as it was read, compares with the ledger as it is now: every month that has any task."""
        if self._reading is None:
            return []
        there = await self.ledger.tasks(self.connector.account_ids)
        return await every_month(self._reading, there, self.ledger)

    async def _outcome(self, difference: Difference) -> Outcome:
        """What is confirmed is charged; what was charged and has changed since is put right where that is allowed."""
        account_id, task_id = difference.account_id, difference.task_id
        if difference.kind == DriftKind.UNDECIDED:
            return Outcome(account_id, task_id, "undecided", difference.sentence)
        if difference.kind != DriftKind.NOT_CHARGED and CHANGE_OF[difference.kind] not in self.connector.apply:
            return Outcome(account_id, task_id, "proposed", f"{difference.sentence}: {_named(difference.proposal)}")
        for deed in difference.proposal:
            answer = await self.ledger.give(deed)
            if isinstance(answer, Problem):
                return Outcome(account_id, task_id, "refused", said(answer))
        return Outcome(account_id, task_id, "recorded")

    async def _answered(self, reading: Reading, there: LedgerTasks) -> list[Outcome]:
        """The tasks in which it could not be said what they cost."""
        if (said := self.connector.answers) is None:
            return []
        return [Outcome(*each[:2], "refused", each.reason) for each in await self.answers.next(reading, there, said)]

    async def _planned(self, reading: Reading, there: LedgerTasks) -> list[Outcome]:
        """The refusals of plans; a plan that is recorded is nothing to speak of."""
        if not self.connector.plans:
            return []
        found: list[Outcome] = []
        for deed in plans(reading.tasks, there, self.connector, reading.terms, self.now()):
            match await self.ledger.give(deed):
                case Problem() as problem:
                    found.append(Outcome(deed.account_id, deed.task_id, "refused", said(problem)))
                case Recorded():
                    pass
        return found


def _named(proposal: Sequence[Deed]) -> str:
    return ", ".join(f"{each.command} in {each.account_id}" for each in proposal)
