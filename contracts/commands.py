"""What other services may ask of an account. A body is the command without what stands in the path."""

from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    model_validator,
)

from contracts.events import Agreed, Category, Evidence, TimeEntry, WorkKind
from contracts.quantities import (
    EXACT_MAX,
    AccountId,
    CalendarDate,
    GivenDay,
    GivenInstant,
    GivenMinutes,
    GivenName,
    GivenReason,
    GivenReference,
    GivenTitle,
    IdempotencyKey,
    LotId,
    Month,
    PackageId,
    PaidMinutes,
    TaskId,
    require_seen,
)
from contracts.requisites import Requisites

RESERVED_PACKAGE_PREFIX = "compensation-"


def _not_reserved(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(RESERVED_PACKAGE_PREFIX):
        raise ValueError(f"choose an id that does not start with {RESERVED_PACKAGE_PREFIX}: those are the ledger's own")
    return value


Texts = TypeVar("Texts", bound=BaseModel)


def _texts_seen(part: Texts) -> Texts:
    """Of each text in it something can be seen; events have the same parts, and older ones say what they say."""
    for field, text in part:
        if isinstance(text, str):
            try:
                require_seen(text)
            except ValueError as invisible:
                raise ValueError(f"{field}: {invisible}") from None
    return part


def _something_agreed(agreed: Agreed) -> Agreed:
    if agreed.minutes is None and agreed.price_kopecks is None and agreed.ends_on is None:
        raise ValueError("name what was agreed: minutes, price_kopecks or ends_on")
    return agreed


GivenPackageId = Annotated[PackageId, BeforeValidator(_not_reserved)]
GivenPlan = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
GivenAgreed = Annotated[Agreed, AfterValidator(_texts_seen), AfterValidator(_something_agreed)]
"""A purchase as a caller names it, in a command or in an invoice for it."""

LEFT_OUT_WHEN_ABSENT = Field(exclude_if=lambda value: value is None)
"""For a field that older commands had not: without it a command is the same text as ever, whose key is known by it."""


LEFT_OUT_WHEN_WORK = Field(exclude_if=lambda value: value == "work")
"""The same, for the kind of a closing: what older commands closed was work."""


class Body(BaseModel):
    """The part of a command that travels in a request's body."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class OpenAccount(Body):
    """Open the account of one customer contract (rule 4.1)."""

    command: Literal["OpenAccount"] = "OpenAccount"
    account_id: AccountId
    customer_name: GivenName
    contract_number: GivenReference
    contract_date: CalendarDate
    customer_requisites: Annotated[Annotated[Requisites, AfterValidator(_texts_seen)] | None, LEFT_OUT_WHEN_ABSENT] = (
        None
    )


class PurchasePackageBody(Body):
    """Buy a package of hours; `carry_over` lets it take over what its predecessor leaves (rule 7.2).

    `agreed`: what was agreed for this purchase alone, and why (rule 3.3).
    """

    package_id: GivenPackageId
    plan: GivenPlan
    purchased_at: GivenInstant
    carry_over: Annotated[bool, Strict()] = True
    agreed: Annotated[GivenAgreed | None, LEFT_OUT_WHEN_ABSENT] = None


class CloseTaskBody(Body):
    """Charge a task that is closed and that the customer confirmed (rule 5.1)."""

    title: GivenTitle
    category: Category
    worked_minutes: GivenMinutes
    started_at: GivenInstant | None = None
    closed_at: GivenInstant
    confirmed_at: GivenInstant | None = None
    confirmed_by: GivenName | None = None
    urgency_agreed_at: GivenInstant | None = None
    off_hours_requested_at: GivenInstant | None = None
    time_entries: (
        Annotated[tuple[Annotated[TimeEntry, AfterValidator(_texts_seen)], ...], Field(max_length=1000)] | None
    ) = None
    kind: Annotated[WorkKind, LEFT_OUT_WHEN_WORK] = "work"
    package_use_agreed_at: Annotated[GivenInstant | None, LEFT_OUT_WHEN_ABSENT] = None
    evidence: Annotated[Evidence | None, LEFT_OUT_WHEN_ABSENT] = None


class PlanTaskBody(Body):
    """What a task is expected to take (rule 15.1)."""

    title: GivenTitle
    category: Category
    estimated_minutes: GivenMinutes
    planned_start_at: GivenInstant | None = None


class ChangeCustomerBody(Body):
    """What is another from a day on: at least one of the customer's data (rule 16.1)."""

    effective_on: GivenDay
    customer_name: GivenName | None = None
    contract_number: GivenReference | None = None
    contract_date: CalendarDate | None = None
    customer_requisites: Annotated[Requisites, AfterValidator(_texts_seen)] | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not any((self.customer_name, self.contract_number, self.contract_date, self.customer_requisites)):
            raise ValueError("name what changes: customer_name, contract_number, contract_date or customer_requisites")
        return self


class RefundPackageBody(Body):
    """Give back money for what is left in a lot (rule 14); without an amount, all that is not booked on it."""

    reason: GivenReason
    refund_reference: GivenReference
    amount_kopecks: Annotated[int, Strict(), Field(ge=0, le=EXACT_MAX)] | None = None


class ReasonBody(Body):
    """Why it is done, in the caller's words."""

    reason: GivenReason


class CorrectTaskBody(CloseTaskBody, ReasonBody):
    """What a closing should have been, and why it is corrected (rule 8.6)."""


class NoBody(Body):
    """A command that is all in its path; an empty object may stand for it."""


class PayDebtBody(Body):
    """Pay owed minutes with money (rule 6.5)."""

    minutes: PaidMinutes
    paid_at: GivenInstant
    payment_reference: GivenReference


class OfAccount(Body):
    """A command to an account that is open already."""

    account_id: AccountId


class OfTask(OfAccount):
    """A command about one task of an account."""

    task_id: TaskId


class PurchasePackage(OfAccount, PurchasePackageBody):
    """Buy a package of hours (rules 3, 4.2)."""

    command: Literal["PurchasePackage"] = "PurchasePackage"


class RefundPackage(OfAccount, RefundPackageBody):
    """Give back money for what is left in a lot, a package's or a compensation's (rule 14)."""

    command: Literal["RefundPackage"] = "RefundPackage"
    package_id: LotId


class CloseTask(OfTask, CloseTaskBody):
    """Charge a confirmed task (rule 5)."""

    command: Literal["CloseTask"] = "CloseTask"


class CorrectTask(OfTask, CorrectTaskBody):
    """Say what a task's closing should have been: only the difference moves, if it took effect then (rule 8.6)."""

    command: Literal["CorrectTask"] = "CorrectTask"


class MarkWarranty(OfTask, ReasonBody):
    """Mark a task as warranty: its closing is taken back, later ones cost nothing (rules 5.6, 8)."""

    command: Literal["MarkWarranty"] = "MarkWarranty"


class ReopenTask(OfTask, ReasonBody):
    """Take a task's closing back, so that it can be closed anew (rule 8)."""

    command: Literal["ReopenTask"] = "ReopenTask"


class PlanTask(OfTask, PlanTaskBody):
    """Say what an open task is expected to take, in place of what was said before (rule 15.1)."""

    command: Literal["PlanTask"] = "PlanTask"


class DropPlan(OfTask, ReasonBody):
    """Take a task's plan back (rule 15.1)."""

    command: Literal["DropPlan"] = "DropPlan"


class ChangeCustomer(OfAccount, ChangeCustomerBody):
    """Change the customer's name, contract or requisites from a day on (rule 16.1)."""

    command: Literal["ChangeCustomer"] = "ChangeCustomer"


class PayDebt(OfAccount, PayDebtBody):
    """Pay owed minutes with money (rule 6.5)."""

    command: Literal["PayDebt"] = "PayDebt"


class SuspendWork(OfAccount, ReasonBody):
    """Suspend work while the balance is negative (rule 9.1)."""

    command: Literal["SuspendWork"] = "SuspendWork"


class ResumeWork(OfAccount, ReasonBody):
    """Resume work at the seller's will (rule 9.2)."""

    command: Literal["ResumeWork"] = "ResumeWork"


class CloseMonth(OfAccount):
    """Close a month that is over, and every earlier one (rule 10.1)."""

    command: Literal["CloseMonth"] = "CloseMonth"
    month: Month


class ReopenMonth(OfAccount, ReasonBody):
    """Reopen the month closed last (rule 10.2)."""

    command: Literal["ReopenMonth"] = "ReopenMonth"
    month: Month


Command = (
    OpenAccount
    | PurchasePackage
    | RefundPackage
    | CloseTask
    | CorrectTask
    | MarkWarranty
    | ReopenTask
    | PlanTask
    | DropPlan
    | ChangeCustomer
    | PayDebt
    | SuspendWork
    | ResumeWork
    | CloseMonth
    | ReopenMonth
)


class CommandLine(BaseModel):
    """The part of an NDJSON line that is not the command itself."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="allow")

    idempotency_key: IdempotencyKey


COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="command")])
"""Reads any command by its `command` field."""
