"""Payments in: what the bank says, what each payment may be for, and what became of it."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from contracts.envelope import Recorded
from contracts.invoices import NUMBER_FORM, PackageToInvoice
from contracts.problems import Problem
from contracts.quantities import AccountId, Instant, Kopecks, PaidMinutes, Reason
from contracts.read_models import ReadModel

PaymentState = Literal["open", "recording", "recorded", "set_aside"]
"""`recording`: it was accepted, and is not known to be recorded yet: accept it again."""

Likeness = Literal["number", "amount", "inn"]
"""What a payment shares with an invoice: its number in the purpose, its sum, its customer's INN as the payer's."""

PaymentCommand = Literal["PurchasePackage", "PayDebt"]


class Body(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DebtToPay(Body):
    """How many owed minutes the payment pays."""

    minutes: PaidMinutes


class PaymentAcceptance(Body):
    """What a payment is for: an invoice, or a package or a debt that nobody has invoiced."""

    account_id: AccountId
    invoice: Annotated[str, StringConstraints(pattern=f"^{NUMBER_FORM}$")] | None = None
    package: PackageToInvoice | None = None
    debt: DebtToPay | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if [self.invoice, self.package, self.debt].count(None) != 2:
            raise ValueError("name what the payment is for: one of invoice, package and debt")
        return self


class PaymentCandidate(ReadModel):
    """An open invoice that the payment may be for, and what the two share."""

    account_id: AccountId
    number: str
    total_kopecks: Kopecks
    alike: tuple[Likeness, ...]


class PaymentProposal(ReadModel):
    """What would be recorded for an invoice, and what the ledger says to that in a dry run: events, or a problem."""

    account_id: AccountId
    invoice_number: str | None
    command: PaymentCommand
    body: dict[str, Any]
    dry_run: Recorded | None
    refusal: Problem | None


class PaymentEnd(ReadModel):
    """What became of a payment, when and by whom: recorded, with its event, or set aside for a reason."""

    at: Instant
    actor: str
    account_id: AccountId | None = None
    invoice_number: str | None = None
    event_id: str | None = None
    reason: Reason | None = None


class Payment(ReadModel):
    """Money that came in. An open one has what it may be for; without a proposal, somebody has to decide."""

    payment_id: int
    state: PaymentState
    document_number: str
    document_date: date
    received_on: date
    amount_kopecks: Kopecks
    payer_name: str
    payer_inn: str | None
    payer_account: str
    receiver_account: str
    purpose: str
    candidates: tuple[PaymentCandidate, ...] = ()
    proposal: PaymentProposal | None = None
    end: PaymentEnd | None = None


class PaymentPage(ReadModel):
    """A page of payments, the newest first."""

    payments: tuple[Payment, ...]
    next_cursor: str | None


class StatementRead(ReadModel):
    """What a statement held: its documents, those by which money came in, and how many of these were new."""

    documents: int
    incoming: int
    new: int
