"""Which open invoices a payment may be for, and which of them it is for without doubt."""

from collections.abc import Collection, Iterator

from contracts.payments import Likeness, PaymentCandidate
from services.billing.invoices.numbers import numbers_in
from services.billing.invoices.records import Kept
from services.billing.payments.records import KeptPayment

CANDIDATES_MAX = 20


def candidates(payment: KeptPayment, open_invoices: Collection[Kept]) -> tuple[PaymentCandidate, ...]:
    """The invoices that share a number or an INN with it, those that share most first, and what else they share."""
    named = numbers_in(payment.purpose)
    found = [(kept, tuple(_alike(payment, kept, named))) for kept in open_invoices]
    return tuple(
        PaymentCandidate(
            account_id=kept.invoice.account_id,
            number=kept.invoice.number or "",
            total_kopecks=kept.invoice.total_kopecks,
            alike=alike,
        )
        for kept, alike in sorted(found, key=lambda one: -len(one[1]))[:CANDIDATES_MAX]
        if {"number", "inn"} & set(alike)
    )


def _alike(payment: KeptPayment, kept: Kept, named: set[str]) -> Iterator[Likeness]:
    invoice = kept.invoice
    if invoice.number in named:
        yield "number"
    if invoice.total_kopecks == payment.amount_kopecks:
        yield "amount"
    if payment.payer_inn is not None and invoice.customer.inn == payment.payer_inn:
        yield "inn"


def meant(payment: KeptPayment, open_invoices: Collection[Kept]) -> Kept | None:
    """The one invoice that the payment is for: None where several fit or one is in doubt.

    The sum is always the invoice's. The purpose names it, and the payer is not known to be another; or nothing is
    named, and the payer is the customer.
    """
    named = numbers_in(payment.purpose)
    fitting = [
        kept
        for kept in open_invoices
        if kept.invoice.total_kopecks == payment.amount_kopecks
        and (kept.invoice.number in named if named else kept.invoice.customer.inn is not None)
        and _is_payer(payment, kept, certain=not named)
    ]
    return fitting[0] if len(fitting) == 1 and len(named) <= 1 else None


def _is_payer(payment: KeptPayment, kept: Kept, *, certain: bool) -> bool:
    inn = kept.invoice.customer.inn
    if inn is None or payment.payer_inn is None:
        return not certain
    return inn == payment.payer_inn
