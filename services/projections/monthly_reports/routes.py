"""The routes of monthly reports and acts, as data and as documents."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, NamedTuple

from asyncpg import Connection
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.types import Receive, Scope, Send

from contracts.access import Right
from contracts.quantities import Month
from contracts.reports import Act, MonthlyReport
from services.access.door import counting, not_allowed
from services.access.needs import needs
from services.documents import Lang, act_pdf, act_xlsx, report_pdf, report_xlsx
from services.process.openapi import headers, problems
from services.process.problem_responses import ProblemError
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.acts import act
from services.projections.monthly_reports.frozen import differing_figures
from services.projections.monthly_reports.queries import Asked, report
from services.projections.monthly_reports.signatories import with_signatory
from services.projections.parameters import AccountPath, AskedDocument
from services.projections.readings import UNAVAILABLE, Reading, reading_of
from services.projections.running import SOON, Projections

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["documents"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA_TYPES = {"json": "application/json", "pdf": "application/pdf", "xlsx": XLSX}

OF_DOCUMENT = problems("account-not-found", "account-halted", "figures-differ", *UNAVAILABLE)
BINARY = {"schema": {"type": "string", "format": "binary"}}
DOCUMENT = headers("Content-Disposition") | {"content": {MEDIA_TYPES["pdf"]: BINARY, XLSX: BINARY}}
"""What stands in the OpenAPI document beside the JSON."""

FILE = r"^2[01][0-9]{2}-(0[1-9]|1[0-2])(\.(json|pdf|xlsx))?$"


class DocumentFile(NamedTuple):
    """A month, and the form its document is wanted in."""

    month: Month
    form: str


async def _file(file: Annotated[str, Path(pattern=FILE, examples=["2026-03.pdf"])]) -> DocumentFile:
    """A month such as 2026-03, with .json, .pdf or .xlsx behind it or nothing."""
    month, _, form = file.partition(".")
    return DocumentFile(month, form or "json")


FileOf = Annotated[DocumentFile, Depends(_file)]
Read = Annotated[Reading, reading_of(MONTHLY_REPORTS)]


@router.get("/reports/{file}", response_model=MonthlyReport, responses={200: DOCUMENT}, openapi_extra=OF_DOCUMENT)
@needs(Right.DOCUMENTS)
async def get_report(
    request: Request, read: Read, account_id: AccountPath, file: FileOf, asked: Annotated[AskedDocument, Query()]
) -> Response:
    """The report of any month, open or closed, as known at any time (rule 10.3); a closed one never changes."""
    made = await _report(request, read, Asked(account_id, file.month, asked.known_at))
    return _document(made, file, asked.lang, {"pdf": report_pdf, "xlsx": report_xlsx}, read.position)


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
    return _document(made, file, asked.lang, {"pdf": act_pdf, "xlsx": act_xlsx}, read.position)


async def _report(request: Request, read: Reading, asked: Asked) -> MonthlyReport:
    """The report; of a closed month only with the figures that were frozen. Otherwise health reports it.

    Customers are shown closed months alone.
    """
    projections: Projections = request.app.state.projections
    made = await report(read.connection, asked, read.position, projections.seller)
    if not made.closed and not read.principal.sees_open_months:
        with counting(Right.DOCUMENTS):
            raise not_allowed(f"Documents of {made.month} are shown to customers once the month is closed.")
    if fault := differing_figures(made):

        async def still_differing(connection: Connection) -> str | None:
            return differing_figures(await report(connection, asked, read.position, projections.seller))

        projections.refused_documents[asked.account_id, asked.month] = still_differing
        logger.critical("%s The document is refused.", fault)
        raise ProblemError("figures-differ", fault, headers=SOON | {"Hourbook-Position": str(read.position)})
    return await with_signatory(made, projections.ledger)


def _document(
    made: Any, file: DocumentFile, lang: Lang, renderers: Mapping[str, Callable[[Any, Lang], bytes]], position: int
) -> Response:
    """The read model itself, or its document."""
    at = {"Hourbook-Position": str(position)}
    if file.form == "json":
        return Response(made.model_dump_json().encode(), media_type=MEDIA_TYPES["json"], headers=at)
    name = f"{type(made).__name__}-{made.account_id}-{file.month}.{file.form}"
    at["Content-Disposition"] = f'inline; filename="{name}"'
    return TypesetResponse(partial(renderers[file.form], made, lang), media_type=MEDIA_TYPES[file.form], headers=at)


class TypesetResponse(Response):
    """A document that is set when it is sent: by then the route has let go of its connection to PostgreSQL.

    Typesetting has a thread of its own, so that nobody waits for it.
    """

    def __init__(self, typeset: Callable[[], bytes], *, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(media_type=media_type, headers=headers)
        self._typeset = typeset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.body = await asyncio.to_thread(self._typeset)
        self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)
