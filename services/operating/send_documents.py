"""Sending a month's documents by hand: by the public routes, watched until every message is sent or stopped."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from contracts.sending import MonthSending, SendingRequested
from services.access.caller import Caller, detail_of
from services.process.operator_error import OperatorError

ANSWER_SECONDS_MAX = 120
POLL_SECONDS = 0.5
PAGE_ROWS = 1000
STOPPED = frozenset({"sent", "refused", "failed"})


@dataclass
class Outcomes:
    """What came of each account and message: lines for people, and whether everything is sent."""

    lines: list[tuple[str, ...]] = field(default_factory=list)
    whole: bool = True

    def add(self, account_id: str, outcome: str, *more: str | None, whole: bool = True) -> None:
        """One line more; `whole`: nothing is left to do about it."""
        self.lines.append((account_id, outcome, *filter(None, more)))
        self.whole &= whole

    @property
    def summary(self) -> str:
        """How many lines there are of each outcome."""
        count = Counter(outcome for _, outcome, *_ in self.lines)
        return ", ".join(f"{times} {outcome}" for outcome, times in sorted(count.items())) or "nothing to send"


async def planned(month: str, caller: Caller, accounts: Collection[str], console: Console) -> Outcomes:
    """What would be sent to whom."""
    outcomes = Outcomes()
    async with caller.async_client(ANSWER_SECONDS_MAX) as client:
        for each in (await _request(client, month, accounts, dry_run=True)).planned:
            for message in each.messages:
                kinds = " and ".join(message.kinds)
                outcomes.add(each.account_id, "would be sent", message.address, kinds, "again" * message.again)
            if not each.messages or each.reason:
                outcomes.add(each.account_id, each.state, each.reason, whole=each.state == "nothing-new")
    return outcomes


async def sent(month: str, caller: Caller, accounts: Collection[str], console: Console) -> Outcomes:
    """Request it, and watch it until nothing is on its way any more."""
    async with caller.async_client(ANSWER_SECONDS_MAX) as client:
        asked = (await _request(client, month, accounts, dry_run=False)).accounts
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(f"sending {month}", total=len(asked))
            while True:
                state = [each for each in await _state(client, month) if each["account_id"] in set(asked)]
                progress.update(task, completed=sum(map(_is_over, state)))
                if all(map(_is_over, state)):
                    return _outcomes(state)
                await asyncio.sleep(POLL_SECONDS)


async def _request(client: httpx.AsyncClient, month: str, accounts: Collection[str], *, dry_run: bool) -> Any:
    body = {"accounts": sorted(set(accounts))} if accounts else {}
    answer = await client.post(f"/v1/months/{month}/sending", params={"dry_run": dry_run}, json=body)
    if answer.is_client_error:
        raise OperatorError(detail_of(answer))
    return SendingRequested.model_validate(answer.raise_for_status().json())


async def _state(client: httpx.AsyncClient, month: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"limit": PAGE_ROWS}
    while True:
        answer = await client.get(f"/v1/months/{month}/sending", params=asked)
        page = MonthSending.model_validate(answer.raise_for_status().json())
        found += [each.model_dump() for each in page.accounts]
        if page.next_cursor is None:
            return found
        asked["cursor"] = page.next_cursor


def _is_over(account: dict[str, Any]) -> bool:
    return account["state"] != "requested" and all(message["state"] in STOPPED for message in account["messages"])


def _outcomes(state: Iterable[dict[str, Any]]) -> Outcomes:
    outcomes = Outcomes()
    for account in state:
        for message in account["messages"]:
            to = message["address"] or str(message["message_id"])
            done = message["state"] == "sent"
            outcomes.add(account["account_id"], message["state"], to, None if done else message["answer"], whole=done)
        if account["state"] not in ("prepared", "nothing-new") or account["reason"]:
            outcomes.add(account["account_id"], account["state"], account["reason"], whole=False)
    return outcomes
