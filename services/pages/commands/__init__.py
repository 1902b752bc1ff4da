"""Commands as forms: what is to be recorded is said in words first, and recorded once, however often it is sent."""

from contracts.access import Right
from services.pages.commands.giving import receive_command, show_command, show_commands
from services.pages.commands.words import WORDS
from services.pages.page import Page

OF_CUSTOMER = "/customers/{account_id}/commands"

PAGES = (
    Page("/open-account", show=show_command, receive=receive_command, right=Right.MONEY),
    Page(OF_CUSTOMER, show=show_commands, right=Right.BALANCES),
    Page(f"{OF_CUSTOMER}/{{command}}", show=show_command, receive=receive_command, right=Right.BALANCES),
)

__all__ = ["PAGES", "WORDS"]
