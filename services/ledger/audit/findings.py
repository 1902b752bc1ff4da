"""What a verification came to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import asyncpg

from services.ledger.event_store.database import UNAVAILABLE, LedgerUnavailable

FAULTS_MAX = 50


@dataclass
class Findings:
    """What a verification came to: how many events it went over, and what is wrong, a sentence each."""

    size: int = 0
    events: int = 0
    faults: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What is right, and to be known by those who read that nothing is wrong."""
    accounts: set[str] = field(default_factory=set)
    """Those that the events belong to."""
    log_is_sound: bool = True
    """Whether the faults, if any, are of what is made of the log, and not of the log."""

    def fault(self, sentence: str) -> None:
        """Of very many, the first ones are named."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(sentence)

    @contextmanager
    def instead_of_an_end(self, what: str) -> Iterator[None]:
        """Whatever somebody has put there, it must not end the audit: it is a fault like others.

        Only while PostgreSQL is unavailable nothing can be said.
        """
        try:
            yield
        except LedgerUnavailable:
            raise
        except Exception as unreadable:
            if isinstance(unreadable, UNAVAILABLE) and not isinstance(unreadable, asyncpg.DataError):
                raise
            self.fault(f"{what} cannot be read: {unreadable!r}")
