"""Random histories of one account, decided by the ledger's own domain: late facts, debts, carry-overs, reversals."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import services.ledger
from contracts.commands import (
    ChangeCustomer,
    CloseTask,
    Command,
    CorrectTask,
    DropPlan,
    MarkWarranty,
    OpenAccount,
    PayDebt,
    PlanTask,
    PurchasePackage,
    RefundPackage,
    ReopenTask,
    ResumeWork,
    SuspendWork,
)
from contracts.events import Agreed, Event
from contracts.quantities import SELLER_ZONE
from services.ledger.domain.account import Account, decide, due, fold
from services.ledger.domain.refusals import Refusal
from services.ledger.domain.terms import Terms
from tests.projections.vocabulary import Log, moment

TERMS = Terms.parse(tomllib.loads((Path(services.ledger.__file__).parent / "terms.toml").read_text(encoding="utf-8")))
PLANS = ("hours-20", "hours-20", "hours-30", "hours-50")
KINDS = (
    "buy", "buy", "agreed", "close", "close", "close", "close", "correct", "correct", "refund", "warranty", "reopen",
    "plan", "plan", "drop", "pay", "suspend", "resume", "customer", "wait",
)  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """What is tried next: so many hours after the turn before, about something that was so many hours ago."""

    kind: str
    hours_later: int
    hours_late: int
    number: int
    minutes: int


TURNS = st.lists(
    st.builds(
        Turn,
        kind=st.sampled_from(KINDS),
        hours_later=st.sampled_from((0, 1, 24, 300, 1500)),
        hours_late=st.sampled_from((0, 0, 1, 100, 1000, 4000)),
        number=st.integers(0, 3),
        minutes=st.sampled_from((10, 60, 900, 2000)),
    ),
    min_size=3,
    max_size=25,
)


def play(log: Log, account_id: str, turns: list[Turn]) -> list[datetime]:
    """Record what comes of the turns, refusals left out; the instants at which something happened or took effect."""
    account, now = Account(account_id), moment("2026-01-01")
    instants = {now}
    opened = OpenAccount(
        account_id=account_id, customer_name="ООО «Ромашка»", contract_number="17/26", contract_date="2026-01-01"
    )
    for order, command in enumerate([opened, *turns]):
        if isinstance(command, Turn):
            now += timedelta(hours=command.hours_later, minutes=1)
        events = _events(command, order, account, now)
        account = fold(account, events)
        instants |= {now, *(event.effective_at for event in events)}
        instants |= {package.ends_at for package in account.packages.values()}
        if events:
            log.record_at(now, account_id, *events)
    return sorted(instants)


def _events(tried: Turn | Command, order: int, account: Account, now: datetime) -> tuple[Event, ...]:
    if isinstance(tried, Turn) and tried.kind == "wait":
        return due(account, now)
    command = _command(tried, order, account, now) if isinstance(tried, Turn) else tried
    try:
        return decide(command, account, TERMS, now)
    except Refusal:
        return ()


def _command(turn: Turn, order: int, account: Account, now: datetime) -> Command:
    then, account_id = now - timedelta(hours=turn.hours_late), account.account_id
    task_id = f"T-{turn.number}"
    match turn.kind:
        case "correct":
            closing = account.task(task_id).closing
            at = closing.given_at if closing and turn.hours_late else then
            given = _closing(account_id, task_id, turn.minutes, at)
            return CorrectTask(**given, reason="время исправлено")
        case "refund":
            lots = sorted(account.lots)
            lot_id = lots[-1 - turn.number % len(lots)] if lots else "none"
            amount = turn.minutes if turn.number else None
            return RefundPackage(
                account_id=account_id,
                package_id=lot_id,
                reason="по заявлению",
                refund_reference="п/п 17",
                amount_kopecks=amount,
            )
        case "buy":
            plan = PLANS[turn.number]
            return PurchasePackage(account_id=account_id, package_id=f"P-{order}", plan=plan, purchased_at=then)
        case "agreed":
            terms = Agreed(minutes=turn.minutes + 1, price_kopecks=turn.number, reason="договорились")
            return PurchasePackage(
                account_id=account_id, package_id=f"P-{order}", plan="hours-20", purchased_at=then, agreed=terms
            )
        case "plan":
            return PlanTask(
                account_id=account_id,
                task_id=task_id,
                title="Перенос портала",
                category="urgent",
                estimated_minutes=turn.minutes,
            )
        case "drop":
            return DropPlan(account_id=account_id, task_id=task_id, reason="отложено")
        case "customer":
            day = then.astimezone(SELLER_ZONE).date()
            return ChangeCustomer(account_id=account_id, effective_on=day, contract_number=f"{order}/26")
        case "close":
            return CloseTask(**_closing(account_id, task_id, turn.minutes, then))
        case "warranty":
            return MarkWarranty(account_id=account_id, task_id=task_id, reason="ошибка наша")
        case "reopen":
            return ReopenTask(account_id=account_id, task_id=task_id, reason="не доделано")
        case "pay":
            return PayDebt(account_id=account_id, minutes=turn.minutes, paid_at=then, payment_reference="п/п 42")
        case "suspend":
            return SuspendWork(account_id=account_id, reason="задолженность")
        case _:
            return ResumeWork(account_id=account_id, reason="договорились")


def _closing(account_id: str, task_id: str, minutes: int, at: datetime) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "task_id": task_id,
        "title": "Перенос портала",
        "category": "regular",
        "worked_minutes": minutes,
        "closed_at": at,
        "confirmed_at": at,
    }
