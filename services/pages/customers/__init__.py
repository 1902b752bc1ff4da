"""Customers: the list, and one of them."""

from starlette.responses import Response

from contracts.access import Right
from contracts.read_models import AccountPage
from services.pages.page import Page
from services.pages.visit import Visit
from services.pages.words import Words

WORDS: Words = {
    "menu_customers": ("Заказчики", "Customers"),
    "customers_title": ("Заказчики", "Customers"),
    "customers_search": ("Название, договор или номер", "Name, contract or id"),
    "customers_none": ("Никого не нашлось.", "Nobody was found."),
    "customer": ("Заказчик", "Customer"),
    "contract": ("Договор", "Contract"),
    "balance": ("Остаток, ч", "Balance, h"),
    "planned": ("Запланировано, ч", "Planned, h"),
    "next_expiry": ("Сгорят", "Expire"),
}


async def show_customers(visit: Visit) -> Response:
    """The list, searched and page by page."""
    found = await visit.api.get(AccountPage, "/v1/accounts", q=visit.asked("q"), cursor=visit.asked("cursor"), limit=50)
    return visit.html("customers/customers.html", page=found)


PAGES = (Page("/customers", show=show_customers, right=Right.BALANCES, listing=True, menu="menu_customers"),)
