"""Invoices: a customer's are listed, issued once what they would say was shown, and withdrawn with a reason."""

from contracts.access import Right
from services.pages.invoices import issuing, listing
from services.pages.invoices.words import WORDS
from services.pages.page import Page

OF_CUSTOMER = "/customers/{account_id}/invoices"

PAGES = (
    Page(OF_CUSTOMER, show=listing.show_invoices, receive=listing.receive_withdrawal, right=Right.DOCUMENTS),
    Page(f"{OF_CUSTOMER}/{{subject}}", show=issuing.show_form, receive=issuing.receive_form, right=Right.MONEY),
)

__all__ = ["PAGES", "WORDS"]
