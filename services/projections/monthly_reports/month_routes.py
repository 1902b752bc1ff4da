"""The route of a month over all accounts."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator

from contracts.access import Right
from contracts.months import MonthPage
from contracts.quantities import Month
from services.access.needs import needs
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.months import KEY, month_of_accounts
from services.projections.paging import Cursor, require_cursor
from services.projections.parameters import Asked, Limit
from services.projections.readings import OF_ALL, Reading, reading_of

router = APIRouter(prefix="/v1/months", tags=["documents"])

Read = Annotated[Reading, reading_of(MONTHLY_REPORTS)]


class AskedAccountsOfMonth(Asked):
    """Where the page begins, and how long it is."""

    cursor: Annotated[Cursor | None, AfterValidator(lambda cursor: require_cursor(cursor, KEY))] = None
    limit: Limit = 100


@router.get("/{month}", openapi_extra=OF_ALL)
@needs(Right.BALANCES, listing=True)
async def get_month(
    read: Read, month: Annotated[Month, Path()], asked: Annotated[AskedAccountsOfMonth, Query()]
) -> MonthPage:
    """A month over all accounts: whose is closed since when, and what it comes to; a page, by account."""
    return await month_of_accounts(read.connection, month, read.principal.accounts, asked.cursor, asked.limit)
