"""The month as a checklist: look through, close, send, collect signatures."""

import re

from starlette.responses import Response

from contracts.access import Right
from contracts.drift import Drift, DriftKind
from contracts.quantities import MONTH_FORM
from services.pages.errors import NothingHere
from services.pages.months.state import Progress, rows_of
from services.pages.present import last_month
from services.pages.visit import Visit

SHOWN_ROWS = 50


async def show_month(visit: Visit) -> Response:
    """How far the month has come, and a row for each customer; without a month, the one that was over last."""
    month = named_month(visit) if "month" in visit.request.path_params else await last_month(visit)
    rows = await rows_of(visit, month)
    number = visit.number("page")
    return visit.html(
        "months/month.html",
        month=month,
        before=beside(month, -1),
        after=beside(month, 1),
        progress=Progress(rows),
        drift=(drift := await _drift(visit, month)),
        undecided=sum(each.kind == DriftKind.UNDECIDED for each in drift.items) if drift else 0,
        refused=sum(each.refused_as is not None for each in drift.items) if drift else 0,
        rows=rows[number * SHOWN_ROWS :][:SHOWN_ROWS],
        number=number,
        more=len(rows) > (number + 1) * SHOWN_ROWS,
        may_close=visit.may(Right.MONTHS, listing=True),
        may_read=visit.may(Right.DOCUMENTS, listing=True),
        closed=_count(visit, "closed"),
        requested=_count(visit, "requested"),
    )


async def _drift(visit: Visit, month: str) -> Drift | None:
    """How the month compares with the portal, for who may see it."""
    if not visit.may(Right.ALL_ACCOUNTS, whole=True):
        return None
    return await visit.api.get(Drift, "/v1/drift", month=month)


def named_month(visit: Visit) -> str:
    """The month of the address."""
    month = visit.request.path_params["month"]
    if not re.fullmatch(MONTH_FORM, month):
        raise NothingHere
    return month


def beside(month: str, step: int) -> str:
    """The month so many after it.

    >>> beside("2026-01", -1), beside("2026-12", 1)
    ('2025-12', '2027-01')
    """
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + step, 12)
    return f"{year:04}-{number + 1:02}"


def _count(visit: Visit, name: str) -> str | None:
    """A number that another page of ours has put into the address."""
    given = visit.asked(name) or ""
    return given if given.isdecimal() and len(given) < 9 else None
