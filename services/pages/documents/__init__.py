"""Documents: what a month has for all customers, and all of it in one file."""

from contracts.access import Right
from services.pages.documents.month import show_archive, show_documents
from services.pages.documents.words import WORDS
from services.pages.page import Page

PAGES = (
    Page("/documents", show=show_documents, right=Right.DOCUMENTS, listing=True, menu="menu_documents"),
    Page("/documents/{month}.zip", show=show_archive, right=Right.DOCUMENTS, listing=True),
)

__all__ = ["PAGES", "WORDS"]
