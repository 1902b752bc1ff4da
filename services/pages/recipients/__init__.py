"""Recipients: who gets a customer's documents by e-mail, of which kinds, and from which day on."""

from contracts.access import Right
from services.pages.page import Page
from services.pages.recipients import naming
from services.pages.recipients.words import WORDS

PAGES = (
    Page(
        "/customers/{account_id}/recipients",
        show=naming.show_recipients,
        receive=naming.receive_recipients,
        right=Right.MONEY,
    ),
)

__all__ = ["PAGES", "WORDS"]
