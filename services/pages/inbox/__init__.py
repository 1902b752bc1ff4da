"""The first page: what needs somebody's attention, the most urgent first."""

import asyncio
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.responses import Response

from contracts.access import Right
from contracts.alerts import Alert, AlertPage
from contracts.drift import PortalStates
from contracts.months import MonthPage
from contracts.payments import PaymentPage
from contracts.read_models import ProjectionView
from services.pages.api import if_there
from services.pages.inbox.words import WORDS
from services.pages.page import Page
from services.pages.present import last_month
from services.pages.visit import Visit

URGENCY = ("suspended", "debt", "expiring", "overplanned", "low_balance")
ALERTS_SHOWN = 200
ACCOUNTS_MAX = 1000
PAYMENTS_COUNTED = 20


@dataclass(frozen=True)
class OpenMonth:
    """A month that is over, and for how many of all customers it is not closed."""

    month: str
    open: int
    all: int


class Waiting(NamedTuple):
    """What waits for a decision: the word for it, how many there are, and where it is decided."""

    word: str
    count: str
    at: str


async def show_inbox(visit: Visit) -> Response:
    """What is for this person: alerts, hours at stake, months, and parts that do not work."""
    alerts, months, halted, faults, payments, portals = await asyncio.gather(
        _alerts(visit), _months(visit), visit.api.get(list[ProjectionView], "/v1/projections"), _faults(visit),
        _payments(visit), _portals(visit),
    )  # fmt: skip
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
        waiting=[*payments, *portals],
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


async def _payments(visit: Visit) -> list[Waiting]:
    """Payments from the bank that nobody has recorded or set aside; none while nobody can say."""
    if not visit.may(Right.MONEY, whole=True):
        return []
    found = await if_there(visit.api.get(PaymentPage, "/v1/payments", state="open", limit=PAYMENTS_COUNTED))
    if not found or not found.payments:
        return []
    more = "+" if found.next_cursor else ""
    return [Waiting("inbox_payments", f"{len(found.payments)}{more}", "/payments")]


async def _portals(visit: Visit) -> list[Waiting]:
    """Tasks of portals that wait for somebody: to be put right there, looked through, or refused by the ledger."""
    if not visit.may(Right.ALL_ACCOUNTS, whole=True):
        return []
    portals = (await visit.api.get(PortalStates, "/v1/portals")).portals
    counts = {name: sum(getattr(each, name) for each in portals) for name in ("undecided", "proposed", "refused")}
    return [Waiting(f"inbox_{name}", str(count), "/drift") for name, count in counts.items() if count]


async def _faults(visit: Visit) -> list[dict[str, str]]:
    """The parts that are not ready, for who operates them."""
    if not visit.may(Right.OPERATE, whole=True):
        return []
    answer = await visit.api.ask("GET", "/health/details", accepted=(503,))
    return [part for part in answer.json()["parts"] if part["state"] != "ready"]


PAGES = (Page("/", show=show_inbox, menu="menu_inbox"),)

__all__ = ["PAGES", "WORDS"]
