"""What a payment is to be recorded as, and what the ledger says to that in a dry run."""

from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from contracts.commands import PayDebtBody, PurchasePackageBody
from contracts.envelope import Recorded
from contracts.events import Agreed, DebtPaid, PackagePurchased
from contracts.invoices import Invoice
from contracts.payments import PaymentAcceptance, PaymentProposal
from contracts.problems import InvalidField
from contracts.quantities import SELLER_ZONE
from services.billing.hourbook import Hourbook
from services.billing.payments.records import Intent, KeptPayment
from services.process.problem_responses import InvalidRequest, ProblemError


def key_of(payment: KeptPayment) -> str:
    """The idempotency key of a payment's command: the same for everybody who accepts it, and of no other payment."""
    told_apart = (
        payment.document_number, payment.document_date, payment.amount_kopecks, payment.payer_account,
        payment.receiver_account, payment.occurrence,
    )  # fmt: skip
    return f"payment-{sha256('|'.join(map(str, told_apart)).encode()).hexdigest()[:32]}"


async def proposed(hourbook: Hourbook, payment: KeptPayment, invoice: Invoice) -> PaymentProposal:
    """What would be recorded for an invoice, with the ledger's answer to it."""
    intent = _of_invoice(payment, invoice)
    shown = {"account_id": intent.account_id, "invoice_number": invoice.number, "command": intent.command}
    try:
        intent, answer = await _tried(hourbook, payment, intent, invoice)
    except ProblemError as refused:
        return PaymentProposal(**shown, body=intent.body, dry_run=None, refusal=refused.problem)
    return PaymentProposal(**shown, body=intent.body, dry_run=answer, refusal=None)


async def intended(
    hourbook: Hourbook, payment: KeptPayment, asked: PaymentAcceptance, invoice: Invoice | None
) -> Intent:
    """What the caller wants the payment to be recorded as; ProblemError where the ledger would refuse it.

    What is bought or paid costs exactly what was paid.
    """
    intent = _of_invoice(payment, invoice) if invoice else _by_hand(payment, asked)
    intent, _ = await _tried(hourbook, payment, intent, invoice)
    return intent


def _of_invoice(payment: KeptPayment, invoice: Invoice) -> Intent:
    if invoice.total_kopecks != payment.amount_kopecks:
        remedy = (
            f"its total is {invoice.total_kopecks} kopecks, and {payment.amount_kopecks} were paid: say what was bought"
        )
        raise InvalidRequest(InvalidField(field="invoice", remedy=remedy))
    if invoice.package:
        bought = invoice.package.model_dump(exclude_none=True)
        body = PurchasePackageBody(**bought, purchased_at=_start_of(payment.received_on))
        return Intent(invoice.account_id, invoice.number, "PurchasePackage", _as_sent(body))
    return _debt(payment, invoice.account_id, invoice.debt_minutes or 0, invoice.number)


def _by_hand(payment: KeptPayment, asked: PaymentAcceptance) -> Intent:
    if asked.package:
        named = asked.package.model_dump(exclude_none=True)
        bought = {"package_id": key_of(payment), **named, "purchased_at": _start_of(payment.received_on)}
        return Intent(asked.account_id, None, "PurchasePackage", _as_sent(PurchasePackageBody(**bought)))
    assert asked.debt, "it is for something"
    return _debt(payment, asked.account_id, asked.debt.minutes, None)


def _debt(payment: KeptPayment, account_id: str, minutes: int, number: str | None) -> Intent:
    order = f"п/п № {payment.document_number} от {payment.document_date:%d.%m.%Y}"
    reference = f"счёт № {number}, {order}" if number else order
    body = PayDebtBody(minutes=minutes, paid_at=_start_of(payment.received_on), payment_reference=reference)
    return Intent(account_id, number, "PayDebt", _as_sent(body))


def _as_sent(body: PurchasePackageBody | PayDebtBody) -> dict[str, Any]:
    return body.model_dump(mode="json", exclude_none=True)


def _start_of(day: date) -> datetime:
    """The bank says the day alone: it counts from its beginning."""
    return datetime.combine(day, datetime.min.time(), SELLER_ZONE)


async def _tried(
    hourbook: Hourbook, payment: KeptPayment, intent: Intent, invoice: Invoice | None
) -> tuple[Intent, Recorded]:
    """The intent with the ledger's answer to a dry run of it; ProblemError where it costs something else.

    A package that was invoiced is bought at the invoice's price, also where the price list has changed since.
    """
    answer = await _dry_run(hourbook, payment, intent)
    if invoice and invoice.package and _cost(answer) != payment.amount_kopecks:
        intent = Intent(**vars(intent) | {"body": {**intent.body, "agreed": _agreed(invoice)}})
        answer = await _dry_run(hourbook, payment, intent)
    if (cost := _cost(answer)) != payment.amount_kopecks:
        field = "package" if intent.command == "PurchasePackage" else "debt"
        remedy = f"this costs {cost} kopecks, and {payment.amount_kopecks} were paid: agree on the price"
        raise InvalidRequest(InvalidField(field=field, remedy=remedy))
    return intent, answer


def _agreed(invoice: Invoice) -> Mapping[str, Any]:
    said = invoice.package.agreed if invoice.package else None
    agreed = Agreed(
        minutes=invoice.lines[0].minutes,
        price_kopecks=invoice.total_kopecks,
        ends_on=said and said.ends_on,
        reason=said.reason if said else f"Счёт № {invoice.number} от {invoice.issued_on:%d.%m.%Y}",
    )
    return agreed.model_dump(mode="json", exclude_none=True)


async def _dry_run(hourbook: Hourbook, payment: KeptPayment, intent: Intent) -> Recorded:
    answer = await hourbook.command(intent.path, intent.body, f"{key_of(payment)}-dry", dry_run=True)
    return Recorded.model_validate(answer)


def _cost(answer: Recorded) -> int:
    """What is bought or paid by it, in kopecks."""
    events = [each.event() for each in answer.events]
    return sum(event.price_kopecks for event in events if isinstance(event, PackagePurchased)) + sum(
        event.amount_kopecks for event in events if isinstance(event, DebtPaid)
    )
