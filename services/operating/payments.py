"""Payments in from the command line: a statement is sent, and what is proposed is shown or recorded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from contracts.invoices import PackageToInvoice
from contracts.payments import Payment, PaymentPage, PaymentProposal, StatementRead
from services.access.caller import detail_of
from services.process.operator_error import OperatorError

PATH = "/v1/payments"


class Line(NamedTuple):
    """What is printed of a payment, and whether somebody has to decide what it is for."""

    text: str
    is_undecided: bool


def send_statement(client: httpx.Client, file: Path) -> StatementRead:
    """What the statement held; OperatorError where it is refused."""
    answer = client.post(f"{PATH}/statement", content=file.read_bytes(), headers={"Content-Type": "text/plain"})
    if not answer.is_success:
        raise OperatorError(f"{file} is refused: {detail_of(answer)}")
    return StatementRead.model_validate(answer.json())


def open_payments(client: httpx.Client, *, accept: bool) -> Iterator[Line]:
    """A line for each payment that is not recorded, the newest first; with `accept`, what is proposed is recorded.

    What was accepted before and is not known to be recorded is recorded too.
    """
    for state in ("recording", "open"):
        for payment in _listed(client, state):
            yield _accepted(client, payment) if accept else _line(payment, _said(payment), payment.proposal is None)


def _listed(client: httpx.Client, state: str) -> Iterator[Payment]:
    asked: dict[str, str] = {"state": state}
    while True:
        answer = client.get(PATH, params=asked)
        if not answer.is_success:
            raise OperatorError(f"Payments cannot be listed: {detail_of(answer)}")
        page = PaymentPage.model_validate(answer.json())
        yield from page.payments
        if page.next_cursor is None:
            return
        asked["cursor"] = page.next_cursor


def _said(payment: Payment) -> str:
    if payment.state == "recording":
        return "accepted, and not known to be recorded: accept it again"
    if payment.proposal is None:
        like = ", ".join(f"{one.number} of {one.account_id}" for one in payment.candidates)
        return f"to be decided; like {like}" if like else "to be decided"
    pays = f"pays {payment.proposal.invoice_number} of {payment.proposal.account_id}"
    return f"{pays}, and is refused: {payment.proposal.refusal.detail}" if payment.proposal.refusal else pays


def _accepted(client: httpx.Client, payment: Payment) -> Line:
    if payment.proposal is None or payment.proposal.refusal:
        return _line(payment, _said(payment), is_undecided=True)
    answer = client.post(f"{PATH}/{payment.payment_id}/acceptance", json=_acceptance(payment.proposal))
    if not answer.is_success:
        return _line(payment, f"refused: {detail_of(answer)}", is_undecided=True)
    return _line(payment, f"recorded on {payment.proposal.account_id}", is_undecided=False)


def _acceptance(proposal: PaymentProposal) -> dict[str, Any]:
    """What is proposed, as it is accepted."""
    of_account: dict[str, Any] = {"account_id": proposal.account_id}
    if proposal.invoice_number:
        return of_account | {"invoice": proposal.invoice_number}
    if proposal.command == "PayDebt":
        return of_account | {"debt": {"minutes": proposal.body["minutes"]}}
    named = {name: value for name, value in proposal.body.items() if name in PackageToInvoice.model_fields}
    return of_account | {"package": named}


def _line(payment: Payment, said: str, is_undecided: bool) -> Line:
    rubles, kopecks = divmod(payment.amount_kopecks, 100)
    told = (payment.payment_id, payment.received_on, f"{rubles}.{kopecks:02}", payment.payer_name, said)
    return Line("\t".join(map(str, told)), is_undecided)
