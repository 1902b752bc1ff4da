"""The course of one command: the events so far, and the account that they lead to."""

from collections.abc import Iterable
from datetime import datetime

from contracts.events import Event, Reversal, TaskCorrected
from services.ledger.domain.evolution import evolve
from services.ledger.domain.expiry import gone_on, next_expiry
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

    def goes_on(self, taken_back: Reversal) -> bool:
        """Whether anything that it returns to a forfeiture would go on to a successor (rule 8.1)."""
        return bool(gone_on(self.account, taken_back.returned))

    def take_back(self, fact: Reversal | TaskCorrected) -> None:
        """The fact happens; what it returns goes on, and expires once more where its end has come (rule 8.1)."""
        self.record([fact])
        self.record(gone_on(self.account, fact.returned))
        self.expire()

    def settle(self, triggered_at: datetime) -> None:
        """Debt is paid, the oldest first, as far as there are hours that may pay it (rule 6.4)."""
        while facts := settle_oldest(self.account, triggered_at):
            self.record(facts)
