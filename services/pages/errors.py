"""What can go wrong on the way to a page, beside what the routes refuse."""

from contracts.access import Right


class NothingHere(Exception):
    """No page and no file is at this address."""


class AskedOtherwise(Exception):
    """A page is at this address, but not for this method, such as one that is only sent a form."""


class RightMissing(Exception):
    """The page needs a right that the person does not have."""

    def __init__(self, right: Right) -> None:
        super().__init__(right)
        self.right = right


class NotLoggedIn(Exception):
    """The page is for people who are known, and this one is not, or not any more."""


class StaleForm(Exception):
    """The form is none of this session."""


class CredentialTooLarge(Exception):
    """A browser would not keep a session with this credential."""


class UnreadableForm(Exception):
    """What was sent is no form, or has more fields than any form of the pages."""


class FormTooLarge(Exception):
    """More was sent than the page takes."""
