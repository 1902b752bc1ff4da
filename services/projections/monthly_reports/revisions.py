"""How often a month was closed: the numbers of its acts, and where an act that was replaced is found again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import Connection

from contracts.events import RULES_EDITION

MONTHS = """
    SELECT position, recorded_at, month, closed, rules_edition, frozen_months FROM report_month
    WHERE account_id = $1 AND position <= $2 AND recorded_at <= $3 ORDER BY position
"""


class Change(NamedTuple):
    """A month was closed, with every earlier one, or the month closed last was reopened (rules 10.1, 10.2)."""

    position: int
    recorded_at: datetime
    month: str
    closed: bool
    rules_edition: int
    frozen_months: Sequence[str]


class ClosedAt(NamedTuple):
    """When a month was closed, by the event at that position: with its own event or with a later month's."""

    position: int
    recorded_at: datetime
    rules_edition: int
    frozen_months: Sequence[str]


class Revisions(NamedTuple):
    """Each time a month was closed, in order; `is_closed`: it has not been reopened since the last."""

    times_closed: tuple[ClosedAt, ...]
    is_closed: bool

    @property
    def number(self) -> int:
        """Of the act that there is, or of the one that there will be once the month is closed again."""
        return len(self.times_closed) + (not self.is_closed)

    @property
    def closed_by(self) -> int | None:
        """The position of the event by which it is closed."""
        return self.times_closed[-1].position if self.is_closed else None

    @property
    def rules_edition(self) -> int:
        """By which its documents are made: that of the event by which it is closed."""
        return self.times_closed[-1].rules_edition if self.is_closed else RULES_EDITION

    def froze(self, month: str) -> bool:
        """Whether the event by which it is closed says with which figures; events of earlier versions say none."""
        return self.is_closed and month in self.times_closed[-1].frozen_months

    @property
    def replaced(self) -> ClosedAt | None:
        """When the act was made that this one replaces, if there was one."""
        earlier = self.times_closed[:-1] if self.is_closed else self.times_closed
        return earlier[-1] if earlier else None


async def changes_of_months(
    connection: Connection, account_id: str, until: int, recorded: datetime
) -> tuple[Change, ...]:
    """What was known by then of the account's months."""
    return tuple(Change(*row) for row in await connection.fetch(MONTHS, account_id, until, recorded))


def revisions(month: str, changes: Iterable[Change]) -> Revisions:
    """How often the month was closed; by any later one too, until it is reopened itself."""
    times_closed: list[ClosedAt] = []
    is_closed = False
    for change in changes:
        if change.closed and month <= change.month and not is_closed:
            times_closed.append(
                ClosedAt(change.position, change.recorded_at, change.rules_edition, change.frozen_months)
            )
            is_closed = True
        elif not change.closed and month == change.month:
            is_closed = False
    return Revisions(tuple(times_closed), is_closed)


def act_number(contract_number: str, month: str, revision: int) -> str:
    """The first act of a month bears its name; those after it a revision too.

    >>> act_number("17/24", "2026-03", 1), act_number("17/24", "2026-03", 2)
    ('17/24-2026-03', '17/24-2026-03/2')
    """
    number = f"{contract_number}-{month}"
    return number if revision == 1 else f"{number}/{revision}"
