"""One customer's month: its messages and documents, what was signed, and how it is reopened."""

import re

from starlette.responses import Response

from contracts.access import Right
from contracts.read_models import AccountView
from contracts.sending import SHA256_FORM, AccountSending, MonthSending
from services.pages.download import download
from services.pages.errors import NothingHere
from services.pages.months.overview import named_month
from services.pages.months.state import rows_of
from services.pages.visit import Visit

MARKS = ("signed", "returned", "unsigned")


async def show_account(visit: Visit) -> Response:
    """Where its documents are."""
    month, account_id = named_month(visit), visit.named("account_id")
    await visit.api.get(AccountView, f"/v1/accounts/{account_id}")
    rows = await rows_of(visit, month, account_id)
    if not rows:
        raise NothingHere
    may_act = visit.may(Right.MONTHS, listing=True)
    sending = await _sending(visit, month, account_id)
    return visit.html(
        "months/account.html",
        month=month,
        row=rows[0],
        sending=sending,
        may_act=may_act,
        marks=MARKS,
        key=visit.new_key(),
    )


async def _sending(visit: Visit, month: str, account_id: str) -> AccountSending | None:
    """Its messages and documents, for who may read documents; None where none was asked for."""
    if not visit.may(Right.DOCUMENTS, listing=True):
        return None
    found = await visit.api.get(MonthSending, f"/v1/months/{month}/sending", account=account_id)
    return found.accounts[0] if found.accounts else None


async def receive_account(visit: Visit) -> Response:
    """A mark of a document, or a reason for which the month is reopened."""
    month, account_id = named_month(visit), visit.named("account_id")
    here = f"/months/{month}/{account_id}"
    if visit.form_text("deed") == "mark":
        body = {"mark": visit.form_text("mark"), "marked_on": visit.form_text("marked_on")}
        await visit.api.send(f"/v1/documents/{_hash(visit.form_text('sha256'))}/mark", body, method="PUT")
        return visit.go_to(here)
    path = f"/v1/accounts/{account_id}/months/{month}/reopen"
    answer = await visit.api.send(path, {"reason": visit.form_text("reason")}, key=visit.form_text("key"))
    return visit.go_to(f"{here}?position={answer['position']}")


async def show_bytes(visit: Visit) -> Response:
    """The very bytes of a document that was sent."""
    return await download(visit, f"/v1/documents/{_hash(visit.request.path_params['sha256'])}")


def _hash(given: str | None) -> str:
    if given is None or not re.fullmatch(SHA256_FORM, given):
        raise NothingHere
    return given
