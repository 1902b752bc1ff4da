"""The routes of monthly reports, acts and reconciliations, as data and as documents."""

from datetime import date
from functools import partial
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from contracts.access import Right
from contracts.problems import InvalidField
from contracts.quantities import CalendarDate, Month
from contracts.reconciliations import Reconciliation
from contracts.reports import Act, MonthlyReport
from services.access.door import counting, not_allowed
from services.access.needs import needs
from services.documents import (
    act_pdf,
    act_xlsx,
    reconciliation_pdf,
    reconciliation_xlsx,
    report_pdf,
    report_xlsx,
)
from services.process.problem_responses import InvalidRequest
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.acts import act
from services.projections.monthly_reports.checked_reports import checked_report
from services.projections.monthly_reports.document_answers import (
    DOCUMENT,
    OF_DOCUMENT,
    OF_UPD,
    UPD,
    answer,
    upd_answer,
)
from services.projections.monthly_reports.queries import Asked, closed_at
from services.projections.monthly_reports.reconciliations import AskedPeriod, months_booked, reconciliation
from services.projections.monthly_reports.signatories import with_signatory
from services.projections.parameters import AccountPath, AskedDocument, AskedThen
from services.projections.read_models import Projections
from services.projections.readings import Reading, reading_of

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["documents"])

FORM = r"(\.(json|pdf|xlsx))?$"
FILE = r"^2[01][0-9]{2}-(0[1-9]|1[0-2])" + FORM
PERIOD_FILE = r"^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}" + FORM


class DocumentFile(NamedTuple):
    """A month, and the form its document is wanted in."""

    month: Month
    form: str


class PeriodFile(NamedTuple):
    """The last day of a period, and the form its document is wanted in."""

    until: date
    form: str


async def _file(file: Annotated[str, Path(pattern=FILE, examples=["2026-03.pdf"])]) -> DocumentFile:
    """A month such as 2026-03, with .json, .pdf or .xlsx behind it or nothing."""
    month, _, form = file.partition(".")
    return DocumentFile(month, form or "json")


async def _period_file(
    since: Annotated[CalendarDate, Path()],
    file: Annotated[str, Path(pattern=PERIOD_FILE, examples=["2026-03-31.pdf"])],
) -> PeriodFile:
    """The last day of a period, with .json, .pdf or .xlsx behind it or nothing; not before the first."""
    day, _, form = file.partition(".")
    try:
        until = date.fromisoformat(day)
    except ValueError as wrong:
        raise InvalidRequest(InvalidField(field="file", remedy="give a day that there is")) from wrong
    if until < since:
        raise InvalidRequest(InvalidField(field="file", remedy="give a last day that is not before the first"))
    return PeriodFile(until, form or "json")


FileOf = Annotated[DocumentFile, Depends(_file)]
PeriodOf = Annotated[PeriodFile, Depends(_period_file)]
Read = Annotated[Reading, reading_of(MONTHLY_REPORTS)]


@router.get("/reports/{file}", response_model=MonthlyReport, responses={200: DOCUMENT}, openapi_extra=OF_DOCUMENT)
@needs(Right.DOCUMENTS)
async def get_report(
    request: Request, read: Read, account_id: AccountPath, file: FileOf, asked: Annotated[AskedDocument, Query()]
) -> Response:
    """The report of any month, open or closed, as known at any time (rule 10.3); a closed one never changes."""
    made = await _report(request, read, Asked(account_id, file.month, asked.known_at))
    forms = {"pdf": partial(report_pdf, made, asked.lang), "xlsx": partial(report_xlsx, made, asked.lang)}
    return answer(made, file.form, f"MonthlyReport-{account_id}-{file.month}", forms, read.position)


@router.get("/acts/{file}", response_model=Act, responses={200: DOCUMENT}, openapi_extra=OF_DOCUMENT)
@needs(Right.DOCUMENTS)
async def get_act(
    request: Request, read: Read, account_id: AccountPath, file: FileOf, asked: Annotated[AskedDocument, Query()]
) -> Response:
    """The act of a closed month, for signature by both sides (rule 10.4); of an open one, a draft.

    A month in which nothing was accepted has no act: `to_sign` is false, and its document says so. An act that was
    replaced is made again with `known_at`.
    """
    of = await _report(request, read, Asked(account_id, file.month, asked.known_at))
    made = await act(read.connection, of, request.app.state.projections.seller)
    forms = {"pdf": partial(act_pdf, made, asked.lang), "xlsx": partial(act_xlsx, made, asked.lang)}
    return answer(made, file.form, f"Act-{account_id}-{file.month}", forms, read.position)


@router.get("/acts/{month}/upd.xml", response_class=Response, responses={200: UPD}, openapi_extra=OF_UPD)
@needs(Right.DOCUMENTS)
async def get_upd(
    request: Request,
    read: Read,
    account_id: AccountPath,
    month: Annotated[Month, Path()],
    asked: Annotated[AskedThen, Query()],
) -> Response:
    """The act of a closed month as an УПД: XML by the tax service's format 5.03, for the accounting program.

    With VAT it is an invoice too (function СЧФДОП), without VAT an act (ДОП). Its name is that which the format gives
    it. Requisites that the format needs and that are not known are named.
    """
    of = Asked(account_id, month, asked.known_at)
    booked = await _checked(request, read, of)
    _require_shown(read, booked.closed, f"Documents of {month} are shown to customers once the month is closed.")
    made = await act(read.connection, booked, request.app.state.projections.seller)
    return upd_answer(made, await closed_at(read.connection, of), read.position)


@router.get(
    "/reconciliations/{since}/{file}",
    response_model=Reconciliation,
    responses={200: DOCUMENT},
    openapi_extra=OF_DOCUMENT,
)
@needs(Right.DOCUMENTS)
async def get_reconciliation(
    request: Request,
    read: Read,
    account_id: AccountPath,
    since: Annotated[CalendarDate, Path()],
    file: PeriodOf,
    asked: Annotated[AskedDocument, Query()],
) -> Response:
    """What both sides gave from one day to another, both included, in hours and in money, and what each owes.

    It adds up from what the months have booked, so it agrees with their reports and acts; once all of them are closed
    it never changes.
    """
    projections: Projections = request.app.state.projections
    period = AskedPeriod(account_id, since, file.until, asked.known_at)
    made = await reconciliation(read.connection, period, read.position, projections.seller)
    _require_shown(read, made.closed, "A reconciliation is shown to customers once every month of it is closed.")
    for month in await months_booked(read.connection, period):
        await _checked(request, read, Asked(account_id, month, asked.known_at))
    made = await with_signatory(made, projections.ledger)
    forms = {
        "pdf": partial(reconciliation_pdf, made, asked.lang),
        "xlsx": partial(reconciliation_xlsx, made, asked.lang),
    }
    return answer(made, file.form, f"Reconciliation-{account_id}-{since}-{file.until}", forms, read.position)


def _require_shown(read: Reading, closed: bool, why: str) -> None:
    """Customers are shown closed months alone."""
    if not closed and not read.principal.sees_open_months:
        with counting(Right.DOCUMENTS):
            raise not_allowed(why)


async def _report(request: Request, read: Reading, asked: Asked) -> MonthlyReport:
    made = await _checked(request, read, asked)
    _require_shown(read, made.closed, f"Documents of {made.month} are shown to customers once the month is closed.")
    return await with_signatory(made, request.app.state.projections.ledger)


async def _checked(request: Request, read: Reading, asked: Asked) -> MonthlyReport:
    return await checked_report(request.app.state.projections, read.connection, read.position, asked)
