"""Where the portal that the work comes from and the ledger differ, task by task; without names of people."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts.commands import Body
from contracts.events import Category
from contracts.quantities import AccountId, Instant, Minutes, Month, TaskId
from contracts.read_models import ReadModel

ITEMS_MAX = 10_000
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,64}$")]
Positions = Annotated[dict[AccountId, Annotated[int, Field(ge=0)]], Field(max_length=10_000)]


class DriftKind(StrEnum):
    """What the difference is."""

    NOT_CHARGED = "confirmed-not-charged"
    REFUSED = "confirmed-refused"
    UNDECIDED = "undecided"
    REOPENED = "charged-reopened"
    MOVED = "charged-moved"
    CHANGED = "charged-changed"
    DELETED = "charged-deleted"
    MINUTES = "minutes-differ"
    LATE = "written-into-closed-month"


class TaskSide(Body):
    """What one side says of the task: whose it is, what was worked, and when it counts."""

    account_id: AccountId
    worked_minutes: Minutes
    category: Category
    effective_at: Instant


class ProposedCommand(Body):
    """A command that would bring both sides together; the connector has the rest of it."""

    command: Literal["CloseTask", "CorrectTask", "ReopenTask"]
    account_id: AccountId
    task_id: TaskId


class DriftItem(Body):
    """One task on which they differ.

    `detail`: in a sentence. `portal`, `ledger`: absent where that side charges nothing. `proposal`: what would make
    them agree, as tried by a dry run: `refused_as` is the ledger's refusal, `booked_in` the month in which it would
    stand, where the task's own is closed.
    """

    kind: DriftKind
    account_id: AccountId
    task_id: TaskId
    detail: Annotated[str, Field(max_length=1000)]
    portal: TaskSide | None = None
    ledger: TaskSide | None = None
    proposal: Annotated[tuple[ProposedCommand, ...], Field(max_length=100)] = ()
    refused_as: Slug | None = None
    booked_in: Month | None = None


class DriftBody(Body):
    """A month as the connector has compared it.

    `agreed`: on how many tasks both sides agree. `positions`: how far each account's log was read.
    `portal_hash`, `ledger_hash`: SHA-256 of each side's list of tasks, as hex; where nothing differs they are equal.
    """

    compared_at: Instant
    agreed: Annotated[int, Field(ge=0)]
    positions: Positions
    portal_hash: Hash
    ledger_hash: Hash
    items: Annotated[tuple[DriftItem, ...], Field(max_length=ITEMS_MAX)]


class Agreement(ReadModel):
    """The portal and the ledger agreed on so many tasks, as of these positions."""

    compared_at: Instant
    positions: dict[AccountId, int]
    agreed: int
    hash: Hash


class Drift(ReadModel):
    """The last comparison of a month, and the last one in which nothing differed; absent where there was none."""

    month: Month
    compared_at: Instant | None
    agreed: int
    items: tuple[DriftItem, ...]
    last_agreement: Agreement | None
