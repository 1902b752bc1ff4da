"""Months: closing as a checklist, from what to look at to what was signed."""

from contracts.access import Right
from services.pages.months import deeds, one, overview
from services.pages.months.words import WORDS
from services.pages.page import Page

MONTH = "/months/{month}"

PAGES = (
    Page("/months", show=overview.show_month, right=Right.BALANCES, listing=True, menu="menu_months"),
    Page(MONTH, show=overview.show_month, receive=deeds.receive_month, right=Right.BALANCES, listing=True),
    Page(
        f"{MONTH}/{{account_id}}",
        show=one.show_account,
        receive=one.receive_account,
        right=Right.BALANCES,
        listing=True,
    ),
    Page("/sent-documents/{sha256}", show=one.show_bytes, right=Right.DOCUMENTS, listing=True),
)

__all__ = ["PAGES", "WORDS"]
