"""One comment in each task that is charged: what it cost, what is left, and where it stands why. Edited, never doubled.

The comment carries a mark that says of which closing it speaks. It is looked for before one is added, so that a
connector that was ended between writing and remembering finds what it has written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.quantities import AccountId, TaskId
from contracts.read_models import BalanceView
from contracts.tasks import TaskClosing, TaskExplanation, TaskSummary
from services.bitrix24.comments import add_comment, comments_of, edit_comment
from services.bitrix24.deeds import LedgerTasks
from services.bitrix24.ledger_tasks import Ledger
from services.bitrix24.portal import Portal, PortalFault, WrongAnswer
from services.bitrix24.portal_records import Comment
from services.bitrix24.reading import Reading
from services.bitrix24.settings import AnswerSettings, Connector
from services.bitrix24.wording import Charge, charged_text, taken_back_text
from services.process.address import document


class Unanswered(NamedTuple):
    """A task in which no comment could be written now, and why."""

    account_id: AccountId
    task_id: TaskId
    reason: str


@dataclass
class Answers:
    """What one connector writes; `_standing`: the marks of comments that are there, as this process knows."""

    portal: Portal
    ledger: Ledger
    connector: Connector
    _standing: set[str] = field(default_factory=set)

    async def next(self, reading: Reading, there: LedgerTasks, said: AnswerSettings) -> list[Unanswered]:
        """Have each charged task say so; what cannot be written now is tried in the next round."""
        waiting = [each for each in self._charged(reading, there) if mark_of(*each) not in self._standing]
        numbers = {own.task_id: reading.tasks[own.task_id].id for _, own in waiting}
        failed: list[Unanswered] = []
        try:
            comments = await comments_of(self.portal, numbers.values())
            for account_id, own in waiting:
                number = numbers[own.task_id]
                try:
                    await self._answer(said, account_id, own, number, comments[number])
                except WrongAnswer as fault:
                    failed.append(Unanswered(account_id, own.task_id, f"no comment is written: {fault}"))
        except PortalFault as fault:
            account_id, own = waiting[0]
            failed.append(Unanswered(account_id, own.task_id, f"no more comments are written now: {fault}"))
        return failed

    def _charged(self, reading: Reading, there: LedgerTasks) -> Iterator[tuple[AccountId, TaskSummary]]:
        for task_id, task in reading.tasks.items():
            account_id = self.connector.accounts[task.group_id]
            own = there.get(account_id, {}).get(task_id)
            if own and own.closings:
                yield account_id, own

    async def _answer(
        self,
        said: AnswerSettings,
        account_id: AccountId,
        own: TaskSummary,
        number: int,
        comments: tuple[Comment, ...],
    ) -> None:
        mark = mark_of(account_id, own)
        before = next((each for each in comments if self._is_own(each, own.task_id)), None)
        if before is None and own.state == "open":
            self._standing.add(mark)
            return
        if before is None or not before.text.endswith(mark):
            text = f"{await self._text(said, account_id, own)}\n{mark}"
            if before:
                await edit_comment(self.portal, number, before.id, text)
            else:
                await add_comment(self.portal, number, text)
        self._standing.add(mark)

    def _is_own(self, comment: Comment, task_id: TaskId) -> bool:
        by_us = self.portal.user_id in (None, comment.author_id)
        return by_us and prefix_of(task_id) in comment.text

    async def _text(self, said: AnswerSettings, account_id: AccountId, own: TaskSummary) -> str:
        task = TaskExplanation.model_validate(document(await self.ledger.read(account_id, f"tasks/{own.task_id}", {})))
        standing = [closing for closing in task.closings if not _is_reopened(closing)]
        link = f"{said.url}/customers/{account_id}/tasks/{own.task_id}"
        if own.state == "open" or not standing:
            return taken_back_text(link, said.language)
        closing = standing[-1]
        known = {"known_at": closing.recorded_at.isoformat(), "as_of": closing.recorded_at.isoformat()}
        balance = BalanceView.model_validate(document(await self.ledger.read(account_id, "balance", known)))
        return charged_text(_charge(closing, balance), link, said.language)


def prefix_of(task_id: TaskId) -> str:
    """What every comment of ours in the task has in it."""
    return f"hourbook:{task_id}:"


def mark_of(account_id: AccountId, own: TaskSummary) -> str:
    """Of which closing in which account a comment speaks, and whether that stands."""
    return f"{prefix_of(own.task_id)}{account_id}:{own.closings}-{own.state}"


def _is_reopened(closing: TaskClosing) -> bool:
    return any(reversal.kind != "warranty" for reversal in closing.reversals)


def _charge(closing: TaskClosing, balance: BalanceView) -> Charge:
    lots = dict.fromkeys(part.lot_id for part in (*closing.taken_over, *closing.draws) if part.lot_id)
    return Charge(
        charged_minutes=closing.charged_minutes_now,
        worked_minutes=closing.worked_minutes,
        coefficient=closing.coefficient.coefficient,
        packages=tuple(lots),
        owed_minutes=closing.owed_minutes,
        balance_minutes=balance.balance_minutes,
    )
