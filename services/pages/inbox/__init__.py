"""The first page: what needs somebody's attention, the most urgent first."""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from contracts.access import Right
from contracts.alerts import Alert, AlertPage
from contracts.months import MonthPage
from contracts.read_models import ProjectionView
from services.pages.inbox.words import WORDS
from services.pages.page import Page
from services.pages.present import last_month
from services.pages.visit import Visit

URGENCY = ("suspended", "debt", "expiring", "overplanned", "low_balance")
ALERTS_SHOWN = 200
ACCOUNTS_MAX = 1000


@dataclass(frozen=True)
class OpenMonth:
    """A month that is over, and for how many of all customers it is not closed."""

    month: str
    open: int
    all: int


async def show_inbox(visit: Visit) -> Response:
    """What is for this person: alerts, hours at stake, months, and parts that do not work."""
    alerts, months, halted, faults = await asyncio.gather(
        _alerts(visit), _months(visit), visit.api.get(list[ProjectionView], "/v1/projections"), _faults(visit)
    )
    expiring = sorted((each for each in alerts if each.kind == "expiring"), key=_end)
    return visit.html(
        "inbox/inbox.html",
        alerts=sorted(alerts, key=lambda alert: URGENCY.index(alert.kind)),
        counts=[(kind, sum(alert.kind == kind for alert in alerts)) for kind in URGENCY],
        most=ALERTS_SHOWN,
        expiring=expiring,
        minutes_at_stake=sum(each.details.minutes_at_risk or 0 for each in expiring),
        kopecks_at_stake=sum(each.details.amount_kopecks_at_risk or 0 for each in expiring),
        months=months,
        halted=[each for each in halted if each.halted or any(log.halted_accounts for log in each.logs)],
        faults=faults,
    )


def _end(alert: Alert) -> Any:
    return alert.details.ends_at


async def _alerts(visit: Visit) -> tuple[Alert, ...]:
    if not visit.may(Right.BALANCES, listing=True):
        return ()
    return (await visit.api.get(AlertPage, "/v1/alerts", open=True, limit=ALERTS_SHOWN)).alerts


async def _months(visit: Visit) -> tuple[OpenMonth, ...] | None:
    """The month that ended last, if it is open for somebody; None for who closes no months."""
    if not visit.may(Right.MONTHS) or not visit.may(Right.BALANCES, listing=True):
        return None
    month = await last_month(visit)
    found = (await visit.api.get(MonthPage, f"/v1/months/{month}", limit=ACCOUNTS_MAX)).accounts
    still = sum(not account.closed for account in found)
    return (OpenMonth(month, still, len(found)),) if still else ()


async def _faults(visit: Visit) -> list[dict[str, str]]:
    """The parts that are not ready, for who operates them."""
    if not visit.may(Right.OPERATE, whole=True):
        return []
    answer = await visit.api.ask("GET", "/health/details", accepted=(503,))
    return [part for part in answer.json()["parts"] if part["state"] != "ready"]


PAGES = (Page("/", show=show_inbox, menu="menu_inbox"),)

__all__ = ["PAGES", "WORDS"]
