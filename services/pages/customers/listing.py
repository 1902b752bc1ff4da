"""The list of customers: a page of it with curves, and all of what is shown as a workbook."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from contracts.read_models import AccountPage, AccountSummary, WeeklyBalances
from services.documents.customers_xlsx import customers_xlsx
from services.pages.api import if_there
from services.pages.customers.drawing import Axis
from services.pages.visit import Visit

ROWS = 50
ROWS_AT_ONCE = 1000
ROWS_MAX = 20_000
SORTS = ("customer_name", "account_id", "balance", "-balance", "expiry", "run_out")
FILTERS = ("q", "sort", "debt", "suspended", "expiring_within", "run_out_before")
WIDTH, HEIGHT = 110, 26
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def show_customers(visit: Visit) -> Response:
    """The list as the address asks for it, a page."""
    asked = asked_for(visit)
    page = await visit.api.get(AccountPage, "/v1/accounts", **asked, cursor=visit.asked("cursor"), limit=ROWS)
    curves = await _curves(visit, page.accounts)
    return visit.html("customers/customers.html", page=page, asked=asked, sorts=SORTS, curves=curves)


async def show_workbook(visit: Visit) -> Response:
    """Every customer whom the address asks for, not only those of one page."""
    asked, cursor, found = asked_for(visit), None, list[AccountSummary]()
    while len(found) < ROWS_MAX:
        page = await visit.api.get(AccountPage, "/v1/accounts", **asked, cursor=cursor, limit=ROWS_AT_ONCE)
        found += page.accounts
        cursor = page.next_cursor
        if cursor is None:
            break
    kept = {"Content-Disposition": 'attachment; filename="customers.xlsx"'}
    return Response(customers_xlsx(found, visit.lang), media_type=XLSX, headers=kept)


def asked_for(visit: Visit) -> dict[str, Any]:
    """The filters and the order that the address names; None for those that it leaves open."""
    return {name: visit.asked(name) for name in FILTERS}


async def _curves(visit: Visit, accounts: Sequence[AccountSummary]) -> dict[str, tuple[str, float]]:
    """Half a year of each balance as a line, and the height of nothing; none while they cannot be had."""
    if not accounts:
        return {}
    asked = [account.account_id for account in accounts]
    found = await if_there(visit.api.get(list[WeeklyBalances], "/v1/balances/weekly", account=asked))
    return {each.account_id: _line(each.weekly_balance_minutes) for each in found or ()}


def _line(balances: Sequence[int]) -> tuple[str, float]:
    across = Axis(0, len(balances) - 1, 1, WIDTH - 1)
    up = Axis(min(0, *balances), max(1, *balances), HEIGHT - 2, 2)
    points = (f"{across.at(week)} {up.at(minutes)}" for week, minutes in enumerate(balances))
    return "M" + "L".join(points), up.at(0)
