"""The routes of payments in: over all accounts, for nobody knows whose a payment is before somebody says so."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Right
from contracts.commands import ReasonBody
from contracts.invoices import Invoice
from contracts.payments import Payment, PaymentAcceptance, PaymentPage, PaymentState, StatementRead
from contracts.problems import InvalidField
from contracts.quantities import POSITION_MAX, SELLER_ZONE
from services.access.door import principal_of
from services.access.needs import needs
from services.billing.hourbook import Hourbook
from services.billing.invoices import records as invoices
from services.billing.invoices.numbers import numbers_in
from services.billing.invoices.records import Kept
from services.billing.payments import records
from services.billing.payments.acceptance import accept, require
from services.billing.payments.exchange_format import StatementRefused
from services.billing.payments.intents import proposed
from services.billing.payments.matching import candidates, meant
from services.billing.payments.records import KeptPayment
from services.billing.payments.statement import Statement, read_statement
from services.billing.running import OUTAGES, Billing, BillingOf, CallersHourbook
from services.process.openapi import problems
from services.process.problem_responses import BodyTooLarge, InvalidRequest, ProblemError, printable

router = APIRouter(prefix="/v1/payments", tags=["payments"])

STATEMENT_BYTES_MAX = 8 << 20
STATEMENT_TYPES = frozenset({b"text/plain", b"application/octet-stream"})
STATEMENTS = {"/v1/payments/statement": STATEMENT_TYPES}
"""What is read piece by piece, and in which media types."""

DRY_RUNS_AT_ONCE = 8
FILE = {
    "type": "string",
    "format": "binary",
    "description": "A statement of 1CClientBankExchange 1.03, as the bank gave it.",
}
BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": FILE}}}}
"""What generated clients send; a plain text is read as well."""

PaymentId = Annotated[int, Path(ge=1, le=POSITION_MAX)]


class AskedPayments(BaseModel):
    """Which payments to list."""

    model_config = ConfigDict(frozen=True)

    state: PaymentState | None = None
    cursor: Annotated[int, Field(ge=1, le=POSITION_MAX)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.post("/statement", openapi_extra=BODY | problems(*OUTAGES, "seller-incomplete"))
@needs(Right.MONEY, whole=True)
async def read_payments(request: Request, billing: BillingOf, hourbook: CallersHourbook) -> StatementRead:
    """Read a bank's statement (1CClientBankExchange 1.03), and keep each payment that came in once.

    The same statement, or one of the same days, brings only what is new. Nothing of one that does not fit is kept.
    """
    own = billing.seller.accounts
    if not own:
        field = InvalidField(field="party.bank", remedy="give it in the file of HOURBOOK_SELLER_FILE, and start again")
        raise ProblemError("seller-incomplete", "The seller's file does not say party.bank.", fields=(field,))
    content = await _whole(request)
    statement = await asyncio.to_thread(_read, content, own)
    now = await billing.now(hourbook)
    async with billing.transaction() as connection:
        new = await records.add(connection, statement.payments, now, principal_of(request.scope).id)
    return StatementRead(documents=statement.documents, incoming=len(statement.payments), new=new)


def _read(content: bytes, own: frozenset[str]) -> Statement:
    try:
        return read_statement(content, own)
    except StatementRefused as refused:
        fields = (InvalidField(field=f"line {each.line}", remedy=printable(each.remedy)) for each in refused.misfits)
        raise InvalidRequest(*fields) from refused


async def _whole(request: Request) -> bytes:
    """The body, refused as soon as it passes its limit."""
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > STATEMENT_BYTES_MAX:
            raise BodyTooLarge("body", STATEMENT_BYTES_MAX)
    return bytes(found)


@router.get("", openapi_extra=problems(*OUTAGES))
@needs(Right.MONEY, whole=True)
async def list_payments(
    asked: Annotated[AskedPayments, Query()], billing: BillingOf, hourbook: CallersHourbook
) -> PaymentPage:
    """Payments, the newest first, a page. An open one has the invoices that it may be for.

    Where it is for one of them without doubt, that is proposed, with what the ledger says to it in a dry run. The
    others are for somebody to decide.
    """
    async with billing.connection() as connection:
        found = await records.listed(connection, asked.state, asked.cursor, asked.limit + 1)
    shown = found[: asked.limit]
    following = str(shown[-1].id) if len(found) > asked.limit else None
    return PaymentPage(payments=await _with_proposals(billing, hourbook, shown), next_cursor=following)


@router.get("/{payment_id}", openapi_extra=problems("payment-not-found", *OUTAGES))
@needs(Right.MONEY, whole=True)
async def get_payment(payment_id: PaymentId, billing: BillingOf, hourbook: CallersHourbook) -> Payment:
    """One payment, with what it may be for."""
    async with billing.connection() as connection:
        payment = await require(connection, payment_id)
    (shown,) = await _with_proposals(billing, hourbook, [payment])
    return shown


@router.post(
    "/{payment_id}/acceptance",
    openapi_extra=problems(
        *OUTAGES, "payment-not-found", "payment-not-open", "invoice-not-found", "invoice-not-open",
        "account-not-found", "package-already-purchased", "unknown-plan", "payment-exceeds-debt", "effective-in-future",
        "account-unreadable", "idempotency-key-reused",
    ),
)  # fmt: skip
@needs(Right.MONEY, whole=True)
async def accept_payment(
    request: Request, payment_id: PaymentId, body: PaymentAcceptance, billing: BillingOf, hourbook: CallersHourbook
) -> Payment:
    """Record what a payment is for: the package is bought, or the debt is paid, by the caller's rights.

    It is recorded once, whoever accepts it how often. What is bought or paid costs exactly what was paid.
    """
    return (await accept(billing, hourbook, payment_id, body, principal_of(request.scope).id)).view()


@router.post("/{payment_id}/set-aside", openapi_extra=problems("payment-not-found", "payment-not-open", *OUTAGES))
@needs(Right.MONEY, whole=True)
async def set_payment_aside(
    request: Request, payment_id: PaymentId, body: ReasonBody, billing: BillingOf, hourbook: CallersHourbook
) -> Payment:
    """Say why a payment is none of the ledger's. It may be accepted later all the same."""
    now = await billing.now(hourbook)
    async with billing.transaction() as connection:
        payment = await require(connection, payment_id)
        if payment.state in ("recorded", "recording"):
            raise ProblemError("payment-not-open", f"The payment {payment_id} is {payment.state}.")
        await records.set_aside(connection, payment_id, body.reason, now, principal_of(request.scope).id)
        return (await require(connection, payment_id)).view()


async def _with_proposals(billing: Billing, hourbook: Hourbook, payments: list[KeptPayment]) -> tuple[Payment, ...]:
    waiting = [payment for payment in payments if payment.state == "open"]
    numbers = {number for payment in waiting for number in numbers_in(payment.purpose)}
    inns = {payment.payer_inn for payment in waiting if payment.payer_inn}
    today = (await billing.now(hourbook)).astimezone(SELLER_ZONE).date()
    async with billing.connection() as connection:
        open_invoices = await invoices.open_ones(connection, numbers, inns, today) if waiting else []
    at_once = asyncio.Semaphore(DRY_RUNS_AT_ONCE)

    async def shown(payment: KeptPayment) -> Payment:
        if payment.state != "open":
            return payment.view()
        async with at_once:
            return await _opened(hourbook, payment, open_invoices)

    return tuple(await asyncio.gather(*map(shown, payments)))


async def _opened(hourbook: Hourbook, payment: KeptPayment, open_invoices: list[Kept]) -> Payment:
    found: dict[str, Any] = {"candidates": candidates(payment, open_invoices)}
    if kept := meant(payment, open_invoices):
        invoice: Invoice = kept.invoice
        found["proposal"] = await proposed(hourbook, payment, invoice)
    return payment.view().model_copy(update=found)


ROUTES = router.routes
