"""Where the portal that the work comes from and the ledger differ, task by task; without names of people."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

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

    @model_validator(mode="after")
    def _agrees_where_nothing_differs(self) -> Self:
        if not self.items and self.portal_hash != self.ledger_hash:
            raise ValueError("name what differs: without items both hashes are the same")
        return self


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


PortalCondition = Literal["read", "unavailable", "wrong-answer", "webhook-refused"]
"""What came of the last round: the portal was read whole, or what stood against it."""


class PortalStateBody(Body):
    """What a connector says of its portal after each round.

    `read_at`: when the portal was read whole last. `waited_seconds`: for how long in all the last round waited for the
    portal's limits. `undecided`, `proposed`, `refused`: tasks that wait for somebody.
    """

    condition: PortalCondition
    sentence: Annotated[str, Field(max_length=1000)] = ""
    read_at: Instant | None = None
    every_seconds: Annotated[int, Field(ge=1, le=86_400)]
    waited_seconds: Annotated[int, Field(ge=0)] = 0
    undecided: Annotated[int, Field(ge=0)] = 0
    proposed: Annotated[int, Field(ge=0)] = 0
    refused: Annotated[int, Field(ge=0)] = 0


class PortalState(PortalStateBody):
    """The same, with who said it and when."""

    actor: str
    reported_at: Instant


class PortalStates(ReadModel):
    """What each connector has said last."""

    portals: tuple[PortalState, ...]
