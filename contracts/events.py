"""What happened, in outcomes: an event states K, draws and money, so that no reader works them out again (rule 3.1).

Every event carries `effective_at` (when it counts) and `booking_month` (the month in whose report it stands);
`recorded_at` stands in its envelope (rule 2.1). Minutes and kopecks are whole numbers.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from contracts.quantities import (
    MINUTES_MAX,
    AgreedKopecks,
    AgreedMinutes,
    GivenDay,
    Instant,
    Kopecks,
    LotId,
    Minutes,
    Month,
    Name,
    PackageId,
    Reason,
    Reference,
    SignedMinutes,
    TaskId,
    Title,
)
from contracts.requisites import Requisites

RULES_EDITION = 2
"""The edition of the rulebook by which events are decided today."""

Category = Literal["regular", "urgent", "off_hours", "urgent_off_hours", "warranty"]

WorkKind = Literal["work", "specification"]
"""Preparing a specification is work that the package pays for only where the customer agreed to that (rule 5.8)."""


Rounding = Literal["task", "entry", "nearest"]
"""How the seconds that were written become quanta of worked time."""


class Part(BaseModel):
    """A piece of an event or command."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeEntry(Part):
    """A stretch of work by one performer."""

    start: Instant
    minutes: Annotated[int, Strict(), Field(gt=0, le=MINUTES_MAX)]
    performer: Name


class Evidence(Part):
    """What the worked time of a closing was made of, for whoever holds the closing to its source later (rule 5.9).

    `raw_seconds`: of all entries together, before they were rounded. `entries_hash`: SHA-256 of the entries as the
    source tells them. `rounding`: the whole up to the quantum (`task`), each entry up, or the whole to the nearest.
    """

    source: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    raw_seconds: Annotated[int, Strict(), Field(ge=0, le=60 * MINUTES_MAX)]
    entries: Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
    entries_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    rounding: Annotated[Rounding | None, Field(exclude_if=lambda value: value is None)] = None


class Agreed(Part):
    """What was agreed for one purchase alone; what it does not name is the plan's (rule 3.3)."""

    minutes: AgreedMinutes | None = None
    price_kopecks: AgreedKopecks | None = None
    ends_on: GivenDay | None = None
    reason: Reason


class Draw(Part):
    """Minutes a lot gave, and their money (rules 4.4, 6). `released`: from hours it had forfeited (6.1).

    `effective_at`: of a draw on what made up for an earlier closing of the task (6.2), whose lot may have begun later
    than the closing takes effect; other draws count when their closing does.
    """

    lot_id: LotId
    minutes: Minutes
    amount_kopecks: Kopecks
    released: bool = False
    effective_at: Annotated[Instant | None, Field(exclude_if=lambda value: value is None)] = None


class LotShare(Part):
    """Minutes of one lot that were carried or forfeited, and the money not yet booked for them."""

    lot_id: LotId
    minutes: Minutes
    amount_kopecks: Kopecks


class Payment(Part):
    """Owed minutes of one closing that were paid with money."""

    task_id: TaskId
    closure: int
    minutes: Minutes
    amount_kopecks: Kopecks


class Returned(Part):
    """A draw or settlement that went back: to its lot, or to what the lot had forfeited (rule 8.1).

    `effective_at` is that of the draw or settlement undone; `settlement` tells the two apart: for a settlement the
    debt is undone too, at `effective_at` and at the event's own.
    """

    lot_id: LotId
    minutes: Minutes
    amount_kopecks: Kopecks
    effective_at: Instant
    settlement: bool = False
    forfeited: bool = False


class TakenOver(Part):
    """What a closing that corrects another one takes over from it: a draw, a settlement, or (without a lot) a payment.

    `hour_price_kopecks` is that of a payment.
    As it stands now: where a piece of it was given back, minutes and money are the rest's (rule 8.6).
    """

    lot_id: LotId | None = None
    minutes: Minutes
    amount_kopecks: Kopecks
    effective_at: Instant
    settlement: bool = False
    released: bool = False
    hour_price_kopecks: Kopecks | None = None


class Succession(Part):
    """Who takes over what a package leaves, from now on (rule 7.2)."""

    package_id: LotId
    successor_package_id: PackageId | None


class Compensation(Part):
    """The lot and package made of what could not go back (rule 8.2)."""

    package_id: LotId
    minutes: Minutes
    amount_kopecks: Kopecks
    starts_at: Instant
    ends_at: Instant


class FrozenReport(Part):
    """The figures with which a month was closed; `report_hash` is that of contracts.report_hash over all of them."""

    month: Month
    opening_balance_minutes: SignedMinutes
    closing_balance_minutes: SignedMinutes
    report_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Event(BaseModel):
    """A fact about one account.

    `rules_edition`: by which text of the rulebook it was decided, so that each is judged by the rules of its time;
    absent in events of before there was a second one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    schema_version: ClassVar[int] = 1

    effective_at: Instant
    booking_month: Month
    rules_edition: Annotated[int, Strict(), Field(ge=1)] = 1


class AccountOpened(Event):
    """The account of one customer contract was opened."""

    customer_name: Name
    contract_number: Reference
    contract_date: date
    customer_requisites: Requisites | None = None


class CustomerChanged(Event):
    """The customer's data are others from `effective_on` on; what is absent stays as it was (rule 16.1)."""

    effective_on: date
    customer_name: Name | None = None
    contract_number: Reference | None = None
    contract_date: date | None = None
    customer_requisites: Requisites | None = None


class PackagePurchased(Event):
    """A package was bought: its lot opens at `effective_at` and ends, unless carried over, at `ends_at` (rule 3.2).

    `succeeds`: packages whose hours it takes when they end (rule 7.2), as of now; `successor_package_id`: the
    package, known already, that takes its own. `low_balance_minutes` and `expiring_days`: from when on the customer is
    warned, by the terms of the purchase (rules 3.1, 13); absent in version 1, which meant 10 % and 14 days.
    `agreed`: what was agreed for this purchase alone (rule 3.3), absent before version 3; minutes, price and end are
    its outcome, while `hour_price_kopecks` is that of the plan.
    """

    schema_version: ClassVar[int] = 3

    package_id: PackageId
    plan: str
    minutes: Minutes
    price_kopecks: Kopecks
    hour_price_kopecks: Kopecks
    terms_version: str
    carry_over: bool
    ends_at: Instant
    succeeds: tuple[LotId, ...] = ()
    successor_package_id: PackageId | None = None
    low_balance_minutes: Minutes | None = None
    expiring_days: Annotated[int, Strict(), Field(gt=0)] | None = None
    agreed: Agreed | None = None


class TaskPlanned(Event):
    """What an open task is expected to take, in place of any plan before (rule 15.1).

    `planned_minutes`: the estimate times K by the terms in force when it was planned; 0 for a task marked as `warranty`
    by then, and from a later mark on (rule 15.2).
    """

    task_id: TaskId
    title: Title
    category: Category
    warranty: bool
    estimated_minutes: Minutes
    coefficient: Annotated[Decimal, Field(ge=0, le=100)]
    terms_version: str
    planned_minutes: Minutes
    planned_start_at: Instant | None = None


class PlanDropped(Event):
    """A task's plan was taken back (rule 15.1)."""

    task_id: TaskId
    reason: Reason


class PackageRefunded(Event):
    """Money was given back for what was left in a lot, whose minutes leave it (rule 14).

    `package_id` holds the lot now. Refunded and retained money are together what was not booked on the lot.
    `succeeded`: the packages that lose their successor by it, and who takes over from them now (rule 14.3).
    """

    lot_id: LotId
    package_id: LotId
    refunded_minutes: Minutes
    refunded_kopecks: Kopecks
    retained_kopecks: Kopecks
    reason: Reason
    refund_reference: Reference
    succeeded: tuple[Succession, ...] = ()


class ClosingFacts(Event):
    """What a closing states, also one that corrects another.

    As recorded, `confirmed_by` and performers are commitments to names that stand apart and can be erased.
    """

    task_id: TaskId
    closure: int
    title: Title
    category: Category
    warranty: bool
    worked_minutes: Minutes
    coefficient: Annotated[Decimal, Field(ge=0, le=100)]
    terms_version: str
    charged_minutes: Minutes
    draws: tuple[Draw, ...]
    owed_minutes: Minutes
    started_at: Instant | None = None
    closed_at: Instant
    confirmed_at: Instant
    confirmed_by: Name | None = None
    urgency_agreed_at: Instant | None = None
    off_hours_requested_at: Instant | None = None
    time_entries: tuple[TimeEntry, ...] | None = None
    kind: WorkKind = "work"
    package_use_agreed_at: Instant | None = None
    evidence: Annotated[Evidence | None, Field(exclude_if=lambda value: value is None)] = None


class TaskClosed(ClosingFacts):
    """A confirmed task was charged: drawn from lots as far as they reach, the rest owed (rules 5, 6).

    `kind` and `package_use_agreed_at` (rule 5.8) are absent in version 1, in which every closing was work; `evidence`
    (rule 5.9) is absent before version 3.
    """

    schema_version: ClassVar[int] = 3


class Reversal(Event):
    """A closing taken back: what can go back is undone, what cannot is compensated from now on (rule 8.1).

    `worked_minutes` and `charged_minutes` leave the report; after a warranty mark the worked time stays (rule 8.5).
    """

    task_id: TaskId
    reason: Reason
    closure: int | None = None
    worked_minutes: Minutes = 0
    charged_minutes: Minutes = 0
    returned: tuple[Returned, ...] = ()
    cancelled_owed_minutes: Minutes = 0
    compensation: Compensation | None = None

    @property
    def undone_at(self) -> datetime:
        """When the closing took effect whose debt is undone."""
        return self.effective_at


class WarrantyMarked(Reversal):
    """A task was marked as warranty; `closure` is absent when it was not closed at the time (rules 5.6, 8.5)."""


class TaskReopened(Reversal):
    """A closed task was reopened and may be closed anew (rule 8.5)."""


class TaskCorrected(ClosingFacts):
    """A closing stands in place of an earlier one, which it says was wrong (rule 8.6).

    `draws` and `owed_minutes` are new, beside `taken_over` and `taken_over_owed_minutes`; `amount_kopecks` is the money
    of all of it. `returned`, `cancelled_owed_minutes` and `compensation` are what was taken back, as in a Reversal.
    `only_difference`: both take effect at the same instant; otherwise the earlier one was taken back whole. It leaves
    the reports with all its worked and charged minutes and money, in `corrected_booking_month`. `evidence` is absent in
    version 1.
    """

    schema_version: ClassVar[int] = 2

    reason: Reason
    only_difference: bool
    taken_over: tuple[TakenOver, ...] = ()
    taken_over_owed_minutes: Minutes = 0
    amount_kopecks: Kopecks
    returned: tuple[Returned, ...] = ()
    cancelled_owed_minutes: Minutes = 0
    compensation: Compensation | None = None
    corrected_closure: int
    corrected_effective_at: Instant
    corrected_booking_month: Month
    corrected_worked_minutes: Minutes
    corrected_charged_minutes: Minutes
    corrected_amount_kopecks: Kopecks

    @property
    def undone_at(self) -> datetime:
        """When the closing took effect whose debt is undone."""
        return self.corrected_effective_at


class HoursCarriedOver(Event):
    """What was left in a package's lots moved to its successor, at the package's end (rules 7.2, 7.4).

    The lots keep origin, price and money and now end at `ends_at`. `reclaimed`: they had been forfeited.
    """

    from_package_id: LotId
    to_package_id: PackageId
    minutes: Minutes
    lots: tuple[LotShare, ...]
    ends_at: Instant
    reclaimed: bool = False


class PackageExpired(Event):
    """A package reached its end; without a successor what was left in its lots is forfeited (rule 7.2)."""

    package_id: LotId
    carried_to: PackageId | None = None
    forfeited_minutes: Minutes = 0
    forfeited_amount_kopecks: Kopecks = 0
    lots: tuple[LotShare, ...] = ()


class DebtSettled(Event):
    """Owed minutes of a closing were paid by hours of a lot (rule 6.4)."""

    task_id: TaskId
    closure: int
    lot_id: LotId
    minutes: Minutes
    amount_kopecks: Kopecks
    released: bool = False


class DebtPaid(Event):
    """Owed minutes were paid with money, the oldest first (rule 6.5)."""

    minutes: Minutes
    amount_kopecks: Kopecks
    hour_price_kopecks: Kopecks
    terms_version: str
    paid_at: Instant
    payment_reference: Reference
    payments: tuple[Payment, ...]


class WorkSuspended(Event):
    """Work was suspended while the balance was negative (rule 9.1)."""

    reason: Reason
    balance_minutes: SignedMinutes


class WorkResumed(Event):
    """Work resumed: by itself when the balance became positive, or at the seller's will (rule 9.2)."""

    reason: Reason | None = None
    automatic: bool
    balance_minutes: SignedMinutes


class MonthClosed(Event):
    """A month was closed, with every earlier one (rule 10.1).

    `reports` are those of the months newly closed: of `month`, and of all others that have booked anything. They rest
    on the account's events up to `account_version`. Both are absent in events of before there were any.
    """

    month: Month
    reports: tuple[FrozenReport, ...] = ()
    account_version: int | None = None


class MonthReopened(Event):
    """The month closed last was reopened (rule 10.2)."""

    month: Month
    reason: Reason


EVENT_TYPES: dict[str, type[Event]] = {
    event.__name__: event
    for event in (
        AccountOpened,
        CustomerChanged,
        PackagePurchased,
        PackageRefunded,
        TaskPlanned,
        PlanDropped,
        TaskClosed,
        WarrantyMarked,
        TaskReopened,
        TaskCorrected,
        HoursCarriedOver,
        PackageExpired,
        DebtSettled,
        DebtPaid,
        WorkSuspended,
        WorkResumed,
        MonthClosed,
        MonthReopened,
    )
}
"""Every type of event by its name in the log."""

EventType = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]{1,63}$")]
