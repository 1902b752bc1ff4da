"""Histories of customers whose work has seasons and grows or shrinks, played through the domain."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from math import exp, log, pi, sin
from random import Random

from contracts.commands import CloseTask, Command, OpenAccount, PurchasePackage
from contracts.envelope import RecordedEvent
from contracts.events import Event
from services.ledger.domain.account import Account, decide, fold
from tests.ledger.vocabulary import TERMS

BEGINS_AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
WEEKS = 78
DAY = timedelta(days=1)
PLANS = (("hours-20", 1500), ("hours-30", 2500), ("hours-50", 5000))
"""The plan that a customer buys, while it needs less in the months for which it is valid."""


def customer(seed: int) -> list[RecordedEvent]:
    """One customer's eighteen months."""
    chance = Random(seed)
    tasks_a_week, minutes = chance.choice((0.7, 1.5, 3, 5)), chance.choice((60, 120, 240))
    season, phase, growth = chance.uniform(0, 0.5), chance.uniform(0, 2 * pi), chance.uniform(-0.3, 0.6)
    plan = next((name for name, most in PLANS if tasks_a_week * minutes * 13 < most), "hours-100")
    history = _History(f"customer-{seed}")
    history.open()
    for day in range(WEEKS * 7):
        at, years = BEGINS_AT + day * DAY, day / 365
        history.buy_if_needed(plan, at, chance)
        pace = tasks_a_week / 5 * (1 + season * sin(2 * pi * years + phase)) * exp(growth * years)
        for _ in range(_poisson(pace, chance) if at.weekday() < 5 else 0):
            worked = max(10, round(chance.lognormvariate(log(minutes), 0.8) / 10) * 10)
            history.close(worked, at + timedelta(hours=6))
    return history.recorded


def _poisson(mean: float, chance: Random) -> int:
    found, left = 0, chance.random()
    likely = exp(-mean)
    while left > likely:
        left -= likely
        found += 1
        likely *= mean / found
    return found


class _History:
    def __init__(self, account_id: str) -> None:
        self.account = Account(account_id)
        self.recorded: list[RecordedEvent] = []
        self._number = count()

    def open(self) -> None:
        self._do(OpenAccount, BEGINS_AT, customer_name="n", contract_number="1", contract_date="2026-01-01")

    def buy_if_needed(self, plan: str, at: datetime, chance: Random) -> None:
        """When little is left; or, by some, before the last hours end."""
        due_at = self.account.next_due_at
        ends_soon = due_at and due_at - at < timedelta(days=chance.choice((3, 5, 30))) and chance.random() < 0.1
        if ends_soon or self.account.balance_minutes <= chance.choice((0, 60, 300)):
            self._do(PurchasePackage, at, package_id=f"p{next(self._number)}", plan=plan, purchased_at=at)

    def close(self, worked: int, at: datetime) -> None:
        self._do(
            CloseTask, at, task_id=f"t{next(self._number)}", title="t", category="regular", worked_minutes=worked,
            closed_at=at, confirmed_at=at, confirmed_by="c",
        )  # fmt: skip

    def _do(self, command: Callable[..., Command], at: datetime, **given: object) -> None:
        events = decide(command(account_id=self.account.account_id, **given), self.account, TERMS, at)
        for event in events:
            self._record(event, at)

    def _record(self, event: Event, at: datetime) -> None:
        self.account = fold(self.account, [event])
        self.recorded.append(
            RecordedEvent(
                position=len(self.recorded) + 1,
                event_id=None,
                account_id=self.account.account_id,
                version=self.account.version,
                type=type(event).__name__,
                schema_version=event.schema_version,
                recorded_at=at,
                data=event.model_dump(mode="json"),
            )
        )
