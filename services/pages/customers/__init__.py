"""Customers: the list, and everything about one of them."""

from contracts.access import Right
from services.pages.customers import customer, listing, more
from services.pages.customers.words import WORDS
from services.pages.page import Page

ONE = "/customers/{account_id}"

PAGES = (
    Page("/customers", show=listing.show_customers, right=Right.BALANCES, listing=True, menu="menu_customers"),
    Page("/customers.xlsx", show=listing.show_workbook, right=Right.BALANCES, listing=True),
    Page(ONE, show=customer.show_customer, right=Right.BALANCES),
    Page(f"{ONE}/curve", show=customer.show_curve, right=Right.BALANCES),
    Page(f"{ONE}/tasks", show=more.show_tasks, right=Right.BALANCES),
    Page(f"{ONE}/statement", show=more.show_statement, right=Right.BALANCES),
    Page(f"{ONE}/documents/{{kind}}/{{file}}", show=more.show_document, right=Right.DOCUMENTS),
    Page(f"{ONE}/reconciliation", show=more.show_reconciliation, right=Right.DOCUMENTS),
)

__all__ = ["PAGES", "WORDS"]
