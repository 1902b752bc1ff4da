"""A customer's invoices, and how one is withdrawn."""

import re

from starlette.responses import Response

from contracts.access import Right
from contracts.invoices import NUMBER_FORM, Invoice, InvoicePage
from contracts.read_models import AccountView
from services.pages.api import ApiProblem
from services.pages.errors import NothingHere
from services.pages.visit import Visit

ROWS = 50
OF_THE_FORM = {409, 422}


async def show_invoices(visit: Visit, status: int = 200, *wrong: str) -> Response:
    """All of them, the newest first, a page."""
    path = f"/v1/accounts/{visit.named('account_id')}"
    page = await visit.api.get(InvoicePage, f"{path}/invoices", cursor=visit.asked("cursor"), limit=ROWS)
    name = page.invoices[0].customer.name if page.invoices else None
    if visit.may(Right.BALANCES):
        name = (await visit.api.get(AccountView, path)).customer_name
    shown = {"account_id": visit.named("account_id"), "name": name, "page": page, "wrong": wrong}
    return visit.html("invoices/invoices.html", status, **shown)


async def receive_withdrawal(visit: Visit) -> Response:
    """Withdraw the invoice that the form names, for its reason; to send the form again changes nothing."""
    number = visit.form_text("number") or ""
    if not re.fullmatch(NUMBER_FORM, number):
        raise NothingHere
    path = f"/v1/accounts/{visit.named('account_id')}/invoices/{number}"
    try:
        await visit.api.send(f"{path}/withdrawal", {"reason": visit.form_text("reason") or ""})
    except ApiProblem as refused:
        if refused.problem.status not in OF_THE_FORM:
            raise
        if (await visit.api.get(Invoice, path)).state != "withdrawn":
            return await show_invoices(visit, refused.problem.status, *visit.lines_of(refused.problem))
    return visit.go_to(f"/customers/{visit.named('account_id')}/invoices")
