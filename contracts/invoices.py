"""Invoices: offers to a customer, before a package is bought or for what is owed. They stand beside the log."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

from contracts.commands import GivenAgreed, GivenPackageId, GivenPlan
from contracts.events import Agreed
from contracts.quantities import AccountId, Instant, Kopecks, Minutes, PackageId, PaidMinutes, Reason, TaskId
from contracts.read_models import ReadModel
from contracts.reports import Party, Vat
from contracts.requisites import Bank

InvoiceState = Literal["issued", "paid", "overdue", "withdrawn"]
"""`overdue`: neither paid nor withdrawn, and its last day is over."""

NUMBER_FORM = r"[0-9]{4}-[1-9][0-9]{0,8}(?:-[1-9][0-9]{0,3})?"
"""Its year and its number in it; a third part tells the sellers of one database apart, from the second one on."""


class Body(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PackageToInvoice(Body):
    """The package that is bought once the invoice is paid (rule 3); without an id it is given one."""

    package_id: GivenPackageId | None = None
    plan: GivenPlan
    carry_over: Annotated[bool, Strict()] = True
    agreed: GivenAgreed | None = None


class DebtToInvoice(Body):
    """Owed minutes that are to be paid with money (rule 6.5); without a number, all of them."""

    minutes: PaidMinutes | None = None


class InvoiceBody(Body):
    """What is invoiced, a package or a debt, and for how many days after today the invoice is valid."""

    package: PackageToInvoice | None = None
    debt: DebtToInvoice | None = None
    valid_days: Annotated[int, Strict(), Field(ge=0, le=366)] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.package is None) == (self.debt is None):
            raise ValueError("name what is invoiced: either package or debt")
        return self


class InvoicedPackage(ReadModel):
    """The package that is bought once the invoice is paid."""

    package_id: PackageId
    plan: str
    carry_over: bool
    agreed: Agreed | None = None


class InvoiceLine(ReadModel):
    """A package, or what is owed for one closing of a task. `hour_price_kopecks` is absent where a price was agreed."""

    task_id: TaskId | None = None
    title: str | None = None
    minutes: Minutes
    hours: str
    hour_price_kopecks: Kopecks | None
    amount_kopecks: Kopecks


class InvoiceContent(ReadModel):
    """What an invoice says, as it was issued: it never changes."""

    account_id: AccountId
    issued_on: date
    valid_through: date
    seller: Party
    seller_bank: Bank
    customer: Party
    contract_number: str
    contract_date: date
    package: InvoicedPackage | None
    debt_minutes: Minutes | None
    lines: tuple[InvoiceLine, ...]
    total_kopecks: Kopecks
    vat: Vat


class InvoiceStep(ReadModel):
    """What became of an invoice, when, by whom, and why; `event_id`: the recorded purchase or payment that paid it."""

    state: InvoiceState
    at: Instant
    actor: str
    reason: Reason | None = None
    event_id: str | None = None


class Invoice(InvoiceContent):
    """An invoice as it stands; a dry run has no number yet."""

    number: str | None
    state: InvoiceState
    history: tuple[InvoiceStep, ...]


class InvoicePage(ReadModel):
    """A page of invoices, the newest first."""

    invoices: tuple[Invoice, ...]
    next_cursor: str | None
