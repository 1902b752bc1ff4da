"""The course of one command: the events so far, and the account that they lead to."""

from collections.abc import Iterable
from datetime import datetime

from contracts.events import Event
from services.ledger.domain.evolution import evolve
from services.ledger.domain.expiry import next_expiry
from services.ledger.domain.settlement import settle_oldest
from services.ledger.domain.state import Account


class Course:
    """What one command has led to so far; rules see its account, and only their facts change it."""

    def __init__(self, account: Account, now: datetime) -> None:
        self.account = account
        self.now = now
        self.events: list[Event] = []

    def record(self, events: Iterable[Event]) -> None:
        """The events happen: later decisions see their effect."""
        for event in events:
            self.account = evolve(self.account, event)
            self.events.append(event)

    def expire(self) -> bool:
        """Everything due by now happens, in its order (rule 7.1); true if there was anything."""
        before = len(self.events)
        while facts := next_expiry(self.account, self.now):
            self.record(facts)
        return len(self.events) > before

    def settle(self, triggered_at: datetime) -> None:
        """Debt is paid, the oldest first, as far as there are hours that may pay it (rule 6.4)."""
        while facts := settle_oldest(self.account, triggered_at):
            self.record(facts)
