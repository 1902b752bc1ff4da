"""Why a task cost what it cost: its closings, and what became of each. Minutes and kopecks are integers.

Hours are strings for people ("12.50"), and so are the explanations: a few plain sentences in the language asked for.
"""

from typing import Literal

from contracts.events import Category, Evidence, WorkKind
from contracts.quantities import AccountId, Instant, Kopecks, LotId, Minutes, Month, SignedMinutes, TaskId
from contracts.read_models import ReadModel


class TaskDraw(ReadModel):
    """What one lot gave (rule 6.1), and why in its turn: its package's end, then the lot's start and id (6.2).

    `agreed_minutes`: the lot's size where it is not that of its plan. `package_id` held the lot at the time and ends at
    `package_ends_at`. `released`: from hours that were forfeited.
    """

    lot_id: LotId
    plan: str | None
    agreed_minutes: Minutes | None
    compensates_task_id: str | None
    lot_starts_at: Instant
    package_id: LotId
    package_ends_at: Instant
    minutes: Minutes
    hours: str
    amount_kopecks: Kopecks
    released: bool


class SettlementCause(ReadModel):
    """What brought the hours that paid a debt: a package bought, a task taken back, or the late closing itself."""

    kind: Literal["purchase", "reversal", "closing"]
    package_id: LotId | None
    task_id: str | None
    effective_at: Instant


class TaskSettlement(TaskDraw):
    """Debt of the closing paid by the first hours that were there after it arose (rule 6.4)."""

    effective_at: Instant
    booking_month: Month
    cause: SettlementCause


class TaskPayment(ReadModel):
    """Debt of the closing paid with money (rule 6.5)."""

    minutes: Minutes
    hours: str
    amount_kopecks: Kopecks
    hour_price_kopecks: Kopecks
    payment_reference: str
    paid_at: Instant
    effective_at: Instant
    booking_month: Month


class TaskTakenOver(ReadModel):
    """What a closing took over from the one that it corrects: hours of a lot, or (without one) debt paid in money.

    It stays where it was, as it stands since: `settlement` tells hours that paid debt from those that were drawn.
    """

    lot_id: LotId | None
    compensates_task_id: str | None
    minutes: Minutes
    hours: str
    amount_kopecks: Kopecks
    effective_at: Instant
    settlement: bool
    released: bool


class TaskReturn(ReadModel):
    """A draw or settlement that went back to its lot, or was `forfeited` again with it (rule 8.1)."""

    lot_id: LotId
    minutes: Minutes
    hours: str
    amount_kopecks: Kopecks
    effective_at: Instant
    settlement: bool
    forfeited: bool


class TaskCompensation(ReadModel):
    """What could not go back, as hours of their own in [starts_at, ends_at) (rule 8.2)."""

    package_id: LotId
    minutes: Minutes
    hours: str
    amount_kopecks: Kopecks
    starts_at: Instant
    ends_at: Instant


ReversalKind = Literal["warranty", "reopening", "correction"]
"""What took a closing back; a correction may have taken back a part of it, or nothing but its place (rule 8.6)."""


class TaskReversal(ReadModel):
    """A closing taken back, why, and where everything went (rule 8); `corrected_by_closure` has the rest of it."""

    kind: ReversalKind
    corrected_by_closure: int | None
    reason: str
    recorded_at: Instant
    actor: str | None
    effective_at: Instant
    booking_month: Month
    returned: tuple[TaskReturn, ...]
    cancelled_owed_minutes: Minutes
    compensation: TaskCompensation | None


class TaskCoefficient(ReadModel):
    """K and why: the category, or a warranty mark; with consents given in time (rules 5.2, 5.3, 5.6)."""

    coefficient: str
    category: Category
    warranty_mark: bool
    started_at: Instant | None
    urgency_agreed_at: Instant | None
    off_hours_requested_at: Instant | None
    terms_version: str


class TaskPlan(ReadModel):
    """What an open task is expected to take: the estimate, and the estimate times K (rule 15.2)."""

    category: Category
    estimated_minutes: Minutes
    planned_minutes: Minutes
    planned_start_at: Instant | None
    recorded_at: Instant
    actor: str | None


class TaskClosing(ReadModel):
    """One closing: what it charged when it happened, and what is left of that now.

    taken over + draws + owed = charged; what was taken over is there only where it corrects another closing. It counts
    when it was confirmed, or when it was closed if that was the same moment (5.1).
    """

    closure: int
    title: str
    kind: WorkKind
    package_use_agreed_at: Instant | None
    evidence: Evidence | None
    estimated_minutes: Minutes | None
    coefficient: TaskCoefficient
    worked_minutes: Minutes
    worked_hours: str
    charged_minutes: Minutes
    charged_hours: str
    closed_at: Instant
    confirmed_at: Instant
    confirmed_by: str | None
    effective_at: Instant
    effective_when: Literal["closed", "confirmed"]
    recorded_at: Instant
    actor: str | None
    booking_month: Month
    corrects_closure: int | None
    taken_over: tuple[TaskTakenOver, ...]
    draws: tuple[TaskDraw, ...]
    released_minutes: Minutes
    owed_minutes: Minutes
    settlements: tuple[TaskSettlement, ...]
    payments: tuple[TaskPayment, ...]
    reversals: tuple[TaskReversal, ...]
    charged_minutes_now: SignedMinutes
    owed_minutes_now: SignedMinutes
    amount_kopecks_now: Kopecks
    explanation: str


class TaskMark(ReadModel):
    """The warranty mark on a task; it stays through reopenings (rule 8.5)."""

    reason: str
    recorded_at: Instant
    actor: str | None


class TaskExplanation(ReadModel):
    """Everything about a task's cost, as known at `known_at`; the sums are of all its closings, as they stand now.

    `plan`: the one that stands; a closing ends it.
    """

    account_id: AccountId
    task_id: str
    known_at: Instant | int | None
    position: int
    closed: bool
    warranty_mark: TaskMark | None
    plan: TaskPlan | None
    closings: tuple[TaskClosing, ...]
    charged_minutes_now: SignedMinutes
    charged_hours_now: str
    owed_minutes_now: SignedMinutes
    amount_kopecks_now: Kopecks
    explanation: str


TaskState = Literal["open", "closed", "warranty"]


class TaskSummary(ReadModel):
    """A task as of now. `open`: planned, marked or reopened, to be closed yet; `warranty`: closed, and charged nothing.

    Title and category are those of its plan or last closing, times those of the closing; absent where there was none.
    `estimated_minutes` and what follows are those of the plan that stands (rule 15); absent without any.
    """

    task_id: TaskId
    title: str | None
    category: Category | None
    state: TaskState
    under_warranty: bool
    closings: int
    worked_minutes: Minutes
    charged_minutes: Minutes
    charged_hours: str
    last_closed_at: Instant | None
    estimated_minutes: Minutes | None = None
    planned_minutes: Minutes | None = None
    planned_start_at: Instant | None = None


class TaskPage(ReadModel):
    """A page of an account's tasks."""

    account_id: AccountId
    tasks: tuple[TaskSummary, ...]
    next_cursor: str | None
