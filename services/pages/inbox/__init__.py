"""The first page: what needs somebody's attention."""

from starlette.responses import Response

from contracts.access import Right
from contracts.alerts import AlertPage
from services.pages.page import Page
from services.pages.visit import Visit
from services.pages.words import Words

WORDS: Words = {
    "menu_inbox": ("Входящие", "Inbox"),
    "inbox_title": ("Что требует внимания", "What needs attention"),
    "inbox_alerts": ("Сигналы", "Alerts"),
    "inbox_nothing": ("Всё спокойно: открытых сигналов нет.", "All is calm: no alert is open."),
    "inbox_customer": ("Заказчик", "Customer"),
    "inbox_alert": ("Что случилось", "What has happened"),
    "inbox_since": ("С", "Since"),
    "alert_debt": ("Долг", "Debt"),
    "alert_low_balance": ("Мало часов", "Low balance"),
    "alert_overplanned": ("Запланировано больше остатка", "Planned beyond the balance"),
    "alert_expiring": ("Часы сгорят", "Hours about to expire"),
    "alert_suspended": ("Работы приостановлены", "Work suspended"),
}


async def show_inbox(visit: Visit) -> Response:
    """Open alerts, the most urgent first."""
    shown = visit.may(Right.BALANCES, listing=True)
    found = await visit.api.get(AlertPage, "/v1/alerts", open=True, limit=100) if shown else None
    return visit.html("inbox/inbox.html", alerts=found.alerts if found else ())


PAGES = (Page("/", show=show_inbox, menu="menu_inbox"),)
