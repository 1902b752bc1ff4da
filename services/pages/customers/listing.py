"""The list of customers."""

from typing import Any

from starlette.responses import Response

from contracts.read_models import AccountPage
from services.pages.visit import Visit

ROWS = 50
SORTS = ("customer_name", "account_id", "balance", "-balance", "expiry", "run_out")
FILTERS = ("q", "sort", "debt", "suspended", "expiring_within", "run_out_before")


async def show_customers(visit: Visit) -> Response:
    """The list as the address asks for it, a page."""
    asked = asked_for(visit)
    found = await visit.api.get(AccountPage, "/v1/accounts", **asked, cursor=visit.asked("cursor"), limit=ROWS)
    return visit.html("customers/customers.html", page=found, asked=asked, sorts=SORTS)


def asked_for(visit: Visit) -> dict[str, Any]:
    """The filters and the order that the address names; None for those that it leaves open."""
    return {name: visit.asked(name) for name in FILTERS}
