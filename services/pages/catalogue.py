"""Every page there is: the one table for the menu, for what is refused, and for the walk of the tests.

To add a page, write its room (pages, words, templates in one folder) and add the room here.
"""

from services.pages import (
    access,
    audit,
    commands,
    customers,
    documents,
    drift,
    inbox,
    invoices,
    months,
    operations,
    payments,
    proofs,
    recipients,
    tasks,
    terms,
)
from services.pages.shell.words import WORDS as OF_SHELL
from services.pages.words import joined

ROOMS = (
    inbox,
    customers,
    tasks,
    commands,
    invoices,
    months,
    drift,
    documents,
    recipients,
    payments,
    proofs,
    audit,
    terms,
    access,
    operations,
)
"""In the order of the menu."""

PAGES = tuple(page for room in ROOMS for page in room.PAGES)
WORDS = joined((OF_SHELL, *(room.WORDS for room in ROOMS)))
