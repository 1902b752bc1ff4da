"""The pages of the door for who logs in at the OIDC issuer: the way there, and the way back."""

import hmac
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

from services.pages.issuer import Issuer, IssuerUnavailable, LoginRefused
from services.pages.page import Page
from services.pages.session import Begun
from services.pages.shell.door import FIRST_PAGE, LOGIN, UNAUTHORIZED, Door, own_path
from services.pages.visit import Visit
from services.process.site import OTHER_SITES, is_loopback

PATH = "/login/oidc"
CALLBACK = f"{PATH}/callback"
OF_ANOTHER_LOGIN = 403
UNAVAILABLE = 503


@dataclass(frozen=True)
class IssuerDoor:
    """Where people go to their issuer, and come back from it."""

    door: Door
    issuer: Issuer

    @property
    def pages(self) -> tuple[Page, ...]:
        """Their addresses."""
        return Page(PATH, show=self.begin, public=True), Page(CALLBACK, show=self.finish, public=True)

    async def begin(self, visit: Visit) -> Response:
        """Lead the browser to the issuer. Pages of other sites lead to the login alone: they would end a session.

        What is kept of the login is a session of its own: the way back is anybody's text, and never lies compressed
        beside a credential, whose letters its length would betray.
        """
        back = own_path(visit.asked("next"))
        if visit.request.headers.get("Sec-Fetch-Site", "").encode() in OTHER_SITES:
            return visit.go_to(f"{LOGIN}?next={quote(back, safe='')}")
        begun = Begun.made(back)
        if not self.door.sessions.fits(self.door.sessions.beginning(begun)):
            begun = Begun.made(FIRST_PAGE)
        try:
            address = await self.issuer.address(begun, _callback(visit))
        except IssuerUnavailable:
            return self.door.login_page(visit, UNAVAILABLE, visit.say.issuer_unavailable)
        visit.session = self.door.sessions.beginning(begun)
        return visit.go_to(address)

    async def finish(self, visit: Visit) -> Response:
        """Let in who comes back from the login that this browser began, once."""
        begun, page, say = visit.session.begun, self.door.login_page, visit.say
        if begun is None or not hmac.compare_digest(begun.state.encode(), (visit.asked("state") or "").encode()):
            return page(visit, OF_ANOTHER_LOGIN, say.issuer_other_login)
        visit.session = self.door.sessions.new()
        code, named = visit.asked("code"), visit.asked("iss") or self.issuer.url
        if code is None or visit.asked("error") or named.rstrip("/") != self.issuer.url:
            return page(visit, UNAUTHORIZED, say.issuer_refused, begun.back)
        try:
            token = await self.issuer.token(begun, code, _callback(visit))
        except LoginRefused:
            return page(visit, UNAUTHORIZED, say.issuer_refused, begun.back)
        except IssuerUnavailable:
            return page(visit, UNAVAILABLE, say.issuer_unavailable, begun.back)
        if await self.door.admit(visit, token):
            return visit.go_to(begun.back)
        return page(visit, UNAUTHORIZED, say.issuer_token_refused, begun.back)


def _callback(visit: Visit) -> str:
    """The address that the issuer leads back to: https but on this machine, for elsewhere no session is kept."""
    url = visit.request.url
    scheme = url.scheme if is_loopback(url.hostname or "") else "https"
    return f"{scheme}://{url.netloc}{CALLBACK}"
