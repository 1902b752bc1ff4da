"""The documents of one month: reports, acts, УПД, reconciliations and invoices, and the file that has them all."""

import re
from datetime import date, timedelta
from typing import Literal

from starlette.responses import Response

from contracts.invoices import InvoicePage
from contracts.months import MonthPage
from contracts.quantities import MONTH_FORM
from contracts.sending import AccountSending, MonthSending
from services.documents.formats import first_and_last
from services.pages.api import if_there
from services.pages.download import download
from services.pages.errors import NothingHere
from services.pages.present import last_month
from services.pages.visit import Visit

ROWS = 50
INVOICES_SHOWN = 50
SENDINGS_SHOWN = 1000

Way = Literal["signed", "returned", "sent", "on_the_way", "in_vain", "not_sent"]
"""How far a customer's documents have come."""


async def show_documents(visit: Visit) -> Response:
    """What the month of the address has; without one, the month that was over last."""
    given = visit.asked("month")
    month = given if given and re.fullmatch(MONTH_FORM, given) else await last_month(visit)
    first, last = first_and_last(month)
    page = await visit.api.get(MonthPage, f"/v1/months/{month}", cursor=visit.asked("cursor"), limit=ROWS)
    sending = await if_there(visit.api.get(MonthSending, f"/v1/months/{month}/sending", limit=SENDINGS_SHOWN))
    return visit.html(
        "documents/documents.html",
        page=page,
        month=month,
        first=first.isoformat(),
        last=last.isoformat(),
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=f"{last + timedelta(days=1):%Y-%m}",
        sent={each.account_id: way_of(each) for each in sending.accounts} if sending else {},
        invoices=await _invoices(visit, first, last),
    )


def way_of(account: AccountSending) -> Way | None:
    """How far they are: a mark says more than a message; None where nothing was asked for."""
    marks, states = ({document.mark for document in account.documents}, {one.state for one in account.messages})
    if "returned" in marks:
        return "returned"
    if marks == {"signed"}:
        return "signed"
    if states & {"refused", "failed"}:
        return "in_vain"
    if account.state == "requested" or states & {"prepared", "waiting", "handed-over"}:
        return "on_the_way"
    return "sent" if "sent" in states else "not_sent" if account.state else None


async def show_archive(visit: Visit) -> Response:
    """All closed documents of the month in one file."""
    month = visit.request.path_params["month"]
    if not re.fullmatch(MONTH_FORM, month):
        raise NothingHere
    return await download(visit, f"/v1/months/{month}/documents.zip", lang=visit.lang)


async def _invoices(visit: Visit, first: date, last: date) -> InvoicePage | None:
    """A page of those of the month, the newest first; None while nobody can say."""
    days = {"issued_from": first.isoformat(), "issued_through": last.isoformat()}
    cursor = visit.asked("invoices_after")
    return await if_there(visit.api.get(InvoicePage, "/v1/invoices", **days, cursor=cursor, limit=INVOICES_SHOWN))
