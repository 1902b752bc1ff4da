"""One request of a browser: who asks, in which language, and how it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from re import compile as pattern
from secrets import token_urlsafe
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from contracts.access import Me, Right
from contracts.problems import Problem
from contracts.quantities import GIVEN_EARLIEST, GIVEN_LATEST, ID_FORM
from services.documents.numerals import Lang
from services.pages.api import Api
from services.pages.errors import NothingHere
from services.pages.explanation import lines_of
from services.pages.rights import lacking
from services.pages.session import Session
from services.pages.showing import Showing

_ID = pattern(ID_FORM)
NUMBER_DIGITS_MAX = 18


class Shell(Protocol):
    """What stands around every page."""

    def render(self, visit: "Visit", template: str, shown: Mapping[str, Any]) -> str:
        """The page as HTML."""
        ...


@dataclass
class Visit:
    """What a page is made from. `me` is absent on the pages of the door; `form` is what was sent to the page."""

    request: Request
    shell: Shell
    session: Session
    api: Api
    lang: Lang
    say: SimpleNamespace
    me: Me | None = None
    form: FormData = field(default_factory=FormData)

    @property
    def show(self) -> Showing:
        """How quantities are written here."""
        return Showing(self.lang)

    @property
    def path(self) -> str:
        """The address of this page, with its question."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def may(self, right: Right, *, listing: bool = False, whole: bool = False) -> bool:
        """Whether a part of the page that needs this is for the person (`rights.lacking`)."""
        return self.me is not None and lacking(self.me, right, listing=listing, whole=whole) is None

    def asked(self, name: str) -> str | None:
        """A parameter of the address; None where it is absent or empty, as forms send fields that nobody filled in."""
        return self.request.query_params.get(name) or None

    def number(self, name: str) -> int:
        """A whole number of the address, such as a position or a page; 0 for what is none."""
        found = self.asked(name) or ""
        return int(found) if found.isascii() and found.isdigit() and len(found) <= NUMBER_DIGITS_MAX else 0

    def day(self, name: str) -> date | None:
        """A day of the address, of years that the routes know; None for what is none, as people type half of one."""
        try:
            found = date.fromisoformat(self.asked(name) or "")
        except ValueError:
            return None
        return found if GIVEN_EARLIEST.date() <= found < GIVEN_LATEST.date() else None

    def asked_id(self, name: str) -> str | None:
        """An id among the parameters of the address; None for what is none."""
        found = (self.asked(name) or "").strip()
        return found if _ID.fullmatch(found) else None

    def named(self, name: str) -> str:
        """A part of the address that is an id, such as `account_id`."""
        found = self.request.path_params[name]
        if not _ID.fullmatch(found):
            raise NothingHere
        return found

    def form_text(self, name: str) -> str | None:
        """A field of the form as text; None where it is absent or empty."""
        found = self.form.get(name)
        return found.strip() or None if isinstance(found, str) else None

    @staticmethod
    def question(asked: Mapping[str, Any], **more: Any) -> str:
        """The question of a link: what was asked and not left open, and something more."""
        return urlencode({name: value for name, value in {**asked, **more}.items() if value not in {None, ""}})

    def lines_of(self, problem: Problem) -> list[str]:
        """What a route refused, for this person: each field with what would fit, or what is wrong as a whole."""
        return lines_of(problem, self.lang, self.say)

    def new_key(self) -> str:
        """An idempotency key for a form: however often the form is sent, its command is recorded once."""
        return f"page-{token_urlsafe(16)}"

    def html(self, template: str, status: int = 200, **shown: Any) -> Response:
        """The page as an answer."""
        return HTMLResponse(self.shell.render(self, template, shown), status)

    def go_to(self, path: str) -> Response:
        """Let the browser show another page of ours."""
        return RedirectResponse(path, 303)
