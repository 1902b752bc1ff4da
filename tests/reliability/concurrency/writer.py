"""One writing process of the concurrency campaign; it may be killed at any moment and is then started again.

    python writer.py NUMBER JOURNAL

Needs DATABASE_URL. Closes tasks on hot accounts that all writers share and on accounts of its own, in batches. A line
of the journal says what is about to be sent (`sent`), and another what was answered (`answered`); one that was sent
and not answered is sent again, with its key, by the next incarnation.
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import uvloop

from contracts.commands import CloseTask, Command, OpenAccount, PurchasePackage
from contracts.envelope import Recorded
from services.ledger.domain.refusals import AccountAlreadyOpen, PackageAlreadyPurchased, TaskAlreadyClosed
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings

HOT_ACCOUNTS = 3
OWN_ACCOUNTS = 8
BATCH = 40
RETRY_SECONDS = 0.05
BOUGHT_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
CLOSED_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Writer:
    """Sends batches of closings, and keeps a journal of them."""

    def __init__(self, ledger: Ledger, number: int, journal: TextIO) -> None:
        self._ledger = ledger
        self._number = number
        self._journal = journal

    async def work(self, first: int, unanswered: dict[str, dict[str, str]]) -> None:
        """What nobody answered first, then new tasks until killed."""
        accounts = [f"hot-{hot}" for hot in range(HOT_ACCOUNTS)]
        accounts += [f"own-{self._number}-{own}" for own in range(OWN_ACCOUNTS)]
        await asyncio.gather(*(self._open(account_id) for account_id in accounts))
        await asyncio.gather(*(self._send(key, **sent) for key, sent in unanswered.items()))
        task = first
        while True:
            batch = [self._next(task + offset, accounts) for offset in range(BATCH)]
            self._note([{"sent": key, **sent} for key, sent in batch])
            await asyncio.gather(*(self._send(key, **sent) for key, sent in batch))
            task += BATCH

    def _next(self, task: int, accounts: list[str]) -> tuple[str, dict[str, str]]:
        """On a hot account every writer closes the same tasks: one is first, the others are refused."""
        account_id = accounts[task % len(accounts)]
        return f"w{self._number}-{task}", {"account_id": account_id, "task_id": f"T{task}"}

    async def _open(self, account_id: str) -> None:
        opening = OpenAccount(
            account_id=account_id, customer_name="ООО «Ока»", contract_number="7", contract_date="2026-01-01"
        )
        purchase = PurchasePackage(
            account_id=account_id, package_id="spring", plan="hours-100", purchased_at=BOUGHT_AT.isoformat()
        )
        for command in (opening, purchase):
            key = f"w{self._number}-{account_id}-{command.command}"
            try:
                await self._insist(command, key)
            except (AccountAlreadyOpen, PackageAlreadyPurchased):
                continue

    async def _send(self, key: str, account_id: str, task_id: str) -> None:
        closing = CloseTask(
            account_id=account_id,
            task_id=task_id,
            title="Настройка",
            category="regular",
            worked_minutes=10,
            closed_at=CLOSED_AT.isoformat(),
            confirmed_at=CLOSED_AT.isoformat(),
        )
        try:
            answer = await self._insist(closing, key)
        except TaskAlreadyClosed:
            self._note([{"answered": key, "refused": True}])
        else:
            (event,) = answer.events
            self._note([{"answered": key, "position": event.position, "event_id": event.event_id}])

    async def _insist(self, command: Command, key: str) -> Recorded:
        """Send it until it is answered; Refusal if that is the answer."""
        while True:
            try:
                return Recorded.model_validate_json((await self._ledger.submit(command, key)).body)
            except LedgerUnavailable:
                await asyncio.sleep(RETRY_SECONDS)

    def _note(self, lines: list[dict[str, Any]]) -> None:
        """In the hands of the kernel before it goes on: a killed process loses none."""
        self._journal.write("".join(f"{json.dumps(line)}\n" for line in lines))
        self._journal.flush()


def journal_of(file: Path) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, Any]]]:
    """What was sent, and what of it was answered, by key; a line cut off by a kill counts as not written."""
    sent: dict[str, dict[str, str]] = {}
    answered: dict[str, dict[str, Any]] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            noted = json.loads(line)
        except ValueError:
            continue
        if "sent" in noted:
            sent[noted.pop("sent")] = noted
        else:
            answered[noted.pop("answered")] = noted
    return sent, answered


async def main(number: int, file: Path) -> None:
    sent, answered = journal_of(file)
    unanswered = {key: given for key, given in sent.items() if key not in answered}
    async with running_ledger(Settings(database_url=os.environ["DATABASE_URL"])) as ledger:
        with file.open("a", encoding="utf-8") as journal:
            journal.write("\n")  # ends a line that a kill has cut off
            first = max((int(key.rpartition("-")[2]) + 1 for key in sent), default=0)
            await Writer(ledger, number, journal).work(first, unanswered)


if __name__ == "__main__":
    _, number, journal = sys.argv
    uvloop.run(main(int(number), Path(journal)))
