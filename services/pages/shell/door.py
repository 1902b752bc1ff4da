"""The pages of the door: logging in by a key or by a link that is good once, and logging out."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from contracts.access import Me
from services.pages.api import ApiProblem
from services.pages.entry_links import PATH as LINKS
from services.pages.entry_links import credential_of_link
from services.pages.errors import CredentialTooLarge
from services.pages.page import Page
from services.pages.session import Sessions
from services.pages.visit import Visit

LOGIN = "/login"
LOGOUT = "/logout"
FIRST_PAGE = "/"
UNAUTHORIZED = 401


def login_for(request: Request) -> str:
    """The address of the login that leads back to this page."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method not in {"GET", "HEAD"} or wanted == FIRST_PAGE:
        return LOGIN
    return f"{LOGIN}?next={quote(wanted, safe='')}"


def own_path(wanted: str | None) -> str:
    """Where somebody wants to go after the login, if that is a page of ours.

    >>> own_path("/customers?debt=1"), own_path("//elsewhere.example"), own_path("https://elsewhere.example")
    ('/customers?debt=1', '/', '/')
    """
    if not wanted or not wanted.startswith("/") or wanted[1:2] in {"/", "\\"} or not wanted.isprintable():
        return FIRST_PAGE
    return wanted


@dataclass(frozen=True)
class Door:
    """Where people come in and go out."""

    sessions: Sessions
    links: Path | None
    issuer_name: str | None = None
    """Of the issuer that people may log in at instead."""

    @property
    def pages(self) -> tuple[Page, ...]:
        """Their addresses."""
        return (
            Page(LOGIN, show=self.show_login, receive=self.log_in, public=True),
            Page(LOGOUT, receive=self.log_out, public=True),
            Page(f"{LINKS}/{{word}}", show=self.enter, public=True),
        )

    async def show_login(self, visit: Visit) -> Response:
        """The form for a key. A key that came to its end is why somebody is here again."""
        return self.login_page(visit, said=visit.say.login_again if visit.session.credential else None)

    async def log_in(self, visit: Visit) -> Response:
        """Go where the person wanted to go, or ask again."""
        if await self.admit(visit, visit.form_text("key") or ""):
            return visit.go_to(own_path(visit.form_text("next")))
        return self.login_page(visit, UNAUTHORIZED, visit.say.login_refused)

    async def log_out(self, visit: Visit) -> Response:
        """The session ends in this browser."""
        visit.session = self.sessions.new()
        return visit.go_to(LOGIN)

    async def enter(self, visit: Visit) -> Response:
        """Log in by a link that is good once; a browser that only looks ahead does not use it up."""
        if visit.request.method == "HEAD":
            return Response(status_code=204)
        credential = credential_of_link(self.links, visit.request.path_params["word"])
        if credential and await self.admit(visit, credential):
            return visit.go_to(FIRST_PAGE)
        return self.login_page(visit, UNAUTHORIZED, visit.say.link_used)

    async def admit(self, visit: Visit, credential: str) -> bool:
        """Whether the API knows whose credential it is; if so the session is that person's from now on."""
        if not credential.isascii() or not credential.isprintable() or not credential:
            return False
        session = self.sessions.new().logged_in(credential)
        if not self.sessions.fits(session):
            raise CredentialTooLarge
        try:
            await visit.api.showing(credential).get(Me, "/v1/me")
        except ApiProblem as refused:
            if refused.problem.status != UNAUTHORIZED:
                raise
            return False
        visit.session = session
        return True

    def login_page(self, visit: Visit, status: int = 200, said: str | None = None, back: str | None = None) -> Response:
        """The ways to log in, with a sentence where something was wrong."""
        wanted = own_path(back or visit.form_text("next") or visit.asked("next"))
        return visit.html("shell/login.html", status, said=said, next=wanted, issuer=self.issuer_name)
