"""Payments: a bank's statement goes in, what each payment is for is proposed, and what is in doubt is decided."""

import re
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from contracts.access import Right
from contracts.payments import Payment, PaymentPage, StatementRead
from services.pages.api import ApiProblem
from services.pages.errors import NothingHere
from services.pages.page import Page
from services.pages.payments.words import WORDS
from services.pages.visit import Visit

__all__ = ("PAGES", "WORDS")

PAYMENTS = "/v1/payments"
OPEN_SHOWN, DECIDED_SHOWN = 100, 20
STATEMENT_BYTES_MAX = 9 << 20
"""As much as the route reads, and what a form adds to it."""

OF_THE_FORM = {404, 409, 413, 422}
_FIGURE = re.compile(r"[0-9]{1,18}")


async def show_payments(visit: Visit, status: int = 200, *wrong: str) -> Response:
    """What is proposed, what is to be decided, and what was decided last."""
    found = await visit.api.get(PaymentPage, PAYMENTS, state="open", limit=OPEN_SHOWN, cursor=visit.asked("cursor"))
    cut_off = await visit.api.get(PaymentPage, PAYMENTS, state="recording", limit=OPEN_SHOWN)
    decided = await visit.api.get(PaymentPage, PAYMENTS, limit=DECIDED_SHOWN)
    return visit.html(
        "payments/payments.html",
        status,
        wrong=wrong,
        read=_read(visit),
        cut_off=cut_off.payments,
        proposed=[payment for payment in found.payments if payment.proposal],
        to_decide=[payment for payment in found.payments if not payment.proposal],
        decided=[payment for payment in decided.payments if payment.end],
        deed=deed_of,
        next_cursor=found.next_cursor,
    )


def _read(visit: Visit) -> StatementRead | None:
    """What the statement held that was read just now: the address says it."""
    figures = (visit.asked("read") or "").split(".")
    if len(figures) != len(StatementRead.model_fields) or not all(map(_FIGURE.fullmatch, figures)):
        return None
    return StatementRead(**dict(zip(StatementRead.model_fields, map(int, figures), strict=True)))


def deed_of(payment: Payment) -> tuple[str, int, int]:
    """What a proposal comes to: the word for it, the minutes bought or paid, and the balance after them."""
    dry_run = payment.proposal and payment.proposal.dry_run
    assert dry_run, "it is shown of those that can be recorded"
    words = {"PackagePurchased": "payments_buys", "DebtPaid": "payments_settles"}
    event = next(each for each in dry_run.events if each.type in words)
    return words[event.type], event.data["minutes"], dry_run.balance.balance_minutes


async def decide_payments(visit: Visit) -> Response:
    """Do what the form says: read a statement, record a payment, or set one aside. What is refused is said above."""
    try:
        match visit.form_text("deed"):
            case "read":
                return visit.go_to(f"/payments?read={await _send_statement(visit)}")
            case "accept":
                await visit.api.send(f"{PAYMENTS}/{_payment(visit)}/acceptance", _acceptance(visit))
            case "aside":
                body = {"reason": visit.form_text("reason") or ""}
                await visit.api.send(f"{PAYMENTS}/{_payment(visit)}/set-aside", body)
            case _:
                raise NothingHere
    except ApiProblem as refused:
        if refused.problem.status not in OF_THE_FORM:
            raise
        if await _is_recorded_so(visit, refused):
            return visit.go_to("/payments")
        return await show_payments(visit, refused.problem.status, *visit.lines_of(refused.problem))
    return visit.go_to("/payments")


async def _send_statement(visit: Visit) -> str:
    file = visit.form.get("statement")
    content = await file.read() if isinstance(file, UploadFile) else b""
    answer = await visit.api.ask(
        "POST", f"{PAYMENTS}/statement", content=content, headers={"Content-Type": "application/octet-stream"}
    )
    return ".".join(map(str, StatementRead.model_validate_json(answer.content).model_dump().values()))


def _payment(visit: Visit) -> str:
    given = visit.form_text("payment") or ""
    if not _FIGURE.fullmatch(given):
        raise NothingHere
    return given


def _acceptance(visit: Visit) -> dict[str, Any]:
    """What the payment is for, as the route wants it; a package by hand costs what was paid."""
    for_account: dict[str, Any] = {"account_id": visit.form_text("account") or ""}
    if invoice := visit.form_text("invoice"):
        return for_account | {"invoice": invoice}
    if minutes := visit.form_text("minutes"):
        return for_account | {"debt": {"minutes": _number(minutes)}}
    if not (plan := visit.form_text("plan")):
        return for_account
    amount = visit.form_text("amount") or ""
    agreed = {"price_kopecks": _number(amount), "reason": visit.form_text("reason") or ""}
    package: dict[str, Any] = {"plan": plan} | ({"agreed": agreed} if visit.form_text("reason") else {})
    return for_account | {"package": package}


async def _is_recorded_so(visit: Visit, refused: ApiProblem) -> bool:
    """Whether a form that came again was taken the first time."""
    if refused.problem.slug != "payment-not-open" or visit.form_text("deed") != "accept":
        return False
    end = (await visit.api.get(Payment, f"{PAYMENTS}/{_payment(visit)}")).end
    asked = (visit.form_text("account"), visit.form_text("invoice"))
    return end is not None and (end.account_id, end.invoice_number) == asked


def _number(given: str) -> int | str:
    """What is no number is for the route to refuse."""
    return int(given) if _FIGURE.fullmatch(given) else given


PAGES = (
    Page(
        "/payments",
        show=show_payments,
        receive=decide_payments,
        right=Right.MONEY,
        whole=True,
        menu="menu_payments",
        body_bytes_max=STATEMENT_BYTES_MAX,
    ),
)
