"""What a page is: its address, the right it needs, and how it is shown. One table of them all is in `catalogue`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from contracts.access import Me, Right
from services.pages.rights import lacking
from services.pages.visit import Visit

Shown = Callable[[Visit], Awaitable[Response]]
FORM_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class Page:
    """An address for people. `receive` is given the form that is sent there, once it has proved to be this session's.

    `right`, `listing` and `whole` are those of the routes that the page rests on (`services/access/needs.py`), so that
    no link of the menu leads to a refusal. Without a right it is enough to be known, and for a `public` page not even
    that. `menu`: the word under which the page stands in the menu.
    """

    path: str
    show: Shown | None = None
    receive: Shown | None = None
    right: Right | None = None
    listing: bool = False
    whole: bool = False
    public: bool = False
    menu: str | None = None
    body_bytes_max: int = FORM_BYTES_MAX

    def missing_right(self, me: Me) -> Right | None:
        """The right that this person lacks for the page; None where the page is for them."""
        return lacking(me, self.right, listing=self.listing, whole=self.whole)
