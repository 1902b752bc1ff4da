"""The routes of a month over all accounts: what it comes to, and its documents in one file."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator

from contracts.access import Right
from contracts.months import MonthPage
from contracts.quantities import AccountId, Month
from services.access.door import principal_of
from services.access.needs import needs
from services.documents import Lang
from services.process.openapi import headers, problems
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.archive import archive, closed_accounts, require_shown
from services.projections.monthly_reports.document_answers import BINARY
from services.projections.monthly_reports.months import KEY, month_of_accounts
from services.projections.paging import Cursor, require_cursor
from services.projections.parameters import Asked, Limit, MinPosition
from services.projections.read_models import Projections
from services.projections.readings import OF_ALL, UNAVAILABLE, Reading, reading_of

router = APIRouter(prefix="/v1/months", tags=["documents"])

ZIP = headers("Content-Disposition") | {"content": {"application/zip": BINARY}}
OF_ARCHIVE = problems("account-halted", "figures-differ", *UNAVAILABLE)

Read = Annotated[Reading, reading_of(MONTHLY_REPORTS)]


class AskedAccountsOfMonth(Asked):
    """One account alone, or where the page of all begins, and how long it is."""

    account: AccountId | None = None

    cursor: Annotated[Cursor | None, AfterValidator(lambda cursor: require_cursor(cursor, KEY))] = None
    limit: Limit = 100


@router.get("/{month}", openapi_extra=OF_ALL)
@needs(Right.BALANCES, listing=True)
async def get_month(
    read: Read, month: Annotated[Month, Path()], asked: Annotated[AskedAccountsOfMonth, Query()]
) -> MonthPage:
    """A month over all accounts: whose is closed since when, and what it comes to; a page, by account."""
    scope = read.principal.scope_within(asked.account)
    return await month_of_accounts(read.connection, month, scope, asked.cursor, asked.limit)


class AskedArchive(Asked):
    """In which language the documents are written."""

    lang: Lang = "ru"


@router.get("/{month}/documents.zip", response_class=Response, responses={200: ZIP}, openapi_extra=OF_ARCHIVE)
@needs(Right.DOCUMENTS, listing=True)
async def get_month_documents(
    request: Request,
    month: Annotated[Month, Path()],
    asked: Annotated[AskedArchive, Query()],
    minimum: MinPosition = 0,
) -> Response:
    """Reports and acts of the month, of every account for which it is closed, and their УПД, in one ZIP file.

    The same documents are always the same bytes. It is sent while it is made.
    """
    projections: Projections = request.app.state.projections
    async with projections.snapshot(minimum, MONTHLY_REPORTS) as (connection, _):
        ids = await closed_accounts(connection, month, principal_of(request.scope).accounts)
    await require_shown(projections, month, ids)
    name = {"Content-Disposition": f'attachment; filename="Documents-{month}.zip"'}
    return StreamingResponse(archive(projections, month, ids, asked.lang), media_type="application/zip", headers=name)
