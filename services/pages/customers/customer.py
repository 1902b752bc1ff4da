"""One customer: the balance now and at any other time, packages, tasks, movements, documents, requisites."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from starlette.responses import Response

from contracts.access import Right
from contracts.alerts import Alert, AlertPage
from contracts.forecasts import ForecastView
from contracts.invoices import InvoicePage
from contracts.quantities import SELLER_ZONE
from contracts.read_models import AccountView, BalanceStep, BalanceView, CustomerInForce, PackagePage, StatementPage
from contracts.tasks import TaskPage
from services.documents.formats import day_of, first_and_last
from services.pages.api import if_there
from services.pages.customers.burning import bars_of
from services.pages.customers.curve import Curve, curve_of
from services.pages.visit import Visit

TASKS_SHOWN = 10
PACKAGES_SHOWN = 100
MOVEMENTS_SHOWN = 20
INVOICES_SHOWN = 5
LATELY = timedelta(days=60)
MONTHS_SHOWN = 12
HORIZON = timedelta(days=900)

Found = TypeVar("Found")


@dataclass(frozen=True)
class Pictured:
    """A balance as of a day, as known on another, and its curve; `now` is the present of the read models."""

    balance: BalanceView
    as_of: date
    known_at: date | None
    now: datetime
    opened_at: datetime
    curve: Curve | None


async def show_customer(visit: Visit) -> Response:
    """Everything about one customer on one page."""
    path = f"/v1/accounts/{visit.named('account_id')}"
    account, present, forecast = await asyncio.gather(
        visit.api.get(AccountView, path),
        visit.api.get(BalanceView, f"{path}/balance"),
        if_there(visit.api.get(ForecastView, f"{path}/forecast")),
    )
    now = present.as_of
    pictured, packages, tasks, statement, customers, alerts, invoices = await asyncio.gather(
        picture(visit, account, present, forecast),
        visit.api.get(PackagePage, f"{path}/packages", limit=PACKAGES_SHOWN),
        visit.api.get(TaskPage, f"{path}/tasks", limit=TASKS_SHOWN),
        visit.api.get(StatementPage, f"{path}/statement", **{"from": (now - LATELY).isoformat()}, limit=1000),
        visit.api.get(list[CustomerInForce], f"{path}/customer/history"),
        _alerts(visit, account.account_id),
        if_there(visit.api.get(InvoicePage, f"{path}/invoices", limit=INVOICES_SHOWN))
        if visit.may(Right.DOCUMENTS)
        else _given(None),
    )
    first = min([account.opened_at, *(package.bought_at for package in packages.packages)])
    months = _months(first, now) if visit.may(Right.DOCUMENTS) else []
    return visit.html(
        "customers/customer.html",
        account=account,
        present=present,
        forecast=forecast,
        pictured=pictured,
        packages=packages.packages,
        bars=bars_of(packages.packages, now, forecast),
        tasks=tasks,
        movements=statement.lines[: -MOVEMENTS_SHOWN - 1 : -1],
        customers=customers,
        invoices=invoices,
        expiring=[each.details for each in alerts if each.kind == "expiring"],
        months=months,
        over_until=next((first_and_last(month)[1] for month, is_over in months if is_over), day_of(now)),
    )


async def show_curve(visit: Visit) -> Response:
    """The curve by itself, large; the sliders ask for it."""
    path = f"/v1/accounts/{visit.named('account_id')}"
    account, present, forecast = await asyncio.gather(
        visit.api.get(AccountView, path),
        visit.api.get(BalanceView, f"{path}/balance"),
        if_there(visit.api.get(ForecastView, f"{path}/forecast")),
    )
    pictured = await picture(visit, account, present, forecast)
    return visit.html("customers/curve_page.html", account=account, pictured=pictured)


async def picture(visit: Visit, account: AccountView, present: BalanceView, forecast: ForecastView | None) -> Pictured:
    """The balance and the curve at the two days that the address names; without them now, by everything known."""
    path, now = f"/v1/accounts/{account.account_id}/balance", present.as_of
    as_of, known_at = visit.day("as_of"), visit.day("known_at")
    instants = {
        "as_of": _end_of(as_of) if as_of and as_of != day_of(now) else None,
        "known_at": _end_of(known_at) if known_at and known_at < day_of(now) else None,
    }
    ahead = (max(now, _instant(instants["as_of"]) or now) + HORIZON).isoformat()
    balance, everything, steps = await asyncio.gather(
        visit.api.get(BalanceView, path, **instants) if any(instants.values()) else _given(present),
        visit.api.get(list[BalanceStep], f"{path}/history", to=ahead),
        visit.api.get(list[BalanceStep], f"{path}/history", to=ahead, known_at=instants["known_at"])
        if instants["known_at"]
        else _given([]),
    )
    return Pictured(
        balance=balance,
        as_of=as_of or day_of(now),
        known_at=known_at if instants["known_at"] else None,
        now=now,
        opened_at=account.opened_at,
        curve=curve_of(steps or everything, everything if steps else [], balance, now, forecast),
    )


async def _given(found: Found) -> Found:
    return found


async def _alerts(visit: Visit, account_id: str) -> tuple[Alert, ...]:
    if not visit.may(Right.BALANCES, listing=True):
        return ()
    page = await if_there(visit.api.get(AlertPage, "/v1/alerts", account_id=account_id, open=True))
    return page.alerts if page else ()


def _end_of(day: date) -> str:
    """The last moment of a day of the seller's: hours that end with the day are still there."""
    return (datetime.combine(day, time(), SELLER_ZONE) + timedelta(days=1, microseconds=-1)).isoformat()


def _instant(given: str | None) -> datetime | None:
    return datetime.fromisoformat(given) if given else None


def _months(begun_at: datetime, now: datetime) -> list[tuple[str, bool]]:
    """The latest months since the account began, this one first, and whether each is over.

    An account that was recorded late has months before the day on which it was opened here.
    """
    last, first = day_of(now), day_of(begun_at)
    numbers = range(last.year * 12 + last.month - 1, first.year * 12 + first.month - 2, -1)
    months = [f"{number // 12}-{number % 12 + 1:02}" for number in numbers[:MONTHS_SHOWN]]
    return [(month, month < f"{last:%Y-%m}") for month in months]
