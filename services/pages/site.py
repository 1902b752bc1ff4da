"""The web pages as one ASGI application: it finds who asks, and lets the page answer them or says what is wrong."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route, Router
from starlette.types import Message, Receive, Scope, Send

from contracts.access import Me
from services.pages import preferences, static_files
from services.pages.api import Api, ApiProblem, Transport
from services.pages.catalogue import PAGES, WORDS
from services.pages.errors import (
    AskedOtherwise,
    FormTooLarge,
    NothingHere,
    NotLoggedIn,
    RightMissing,
    StaleForm,
    UnreadableForm,
)
from services.pages.issuer import Issuer
from services.pages.page import Page
from services.pages.secret import secret_in
from services.pages.session import Session, Sessions
from services.pages.settings import PagesSettings
from services.pages.shell.door import UNAUTHORIZED, Door
from services.pages.shell.faults import answer_to
from services.pages.shell.frame import Frame
from services.pages.shell.issuer_door import IssuerDoor
from services.pages.visit import Visit

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FORM_FIELDS_MAX = 1000
FORM_FILES_MAX = 10


class Site:
    """All pages, and the files that belong to them. `transport` reaches the API."""

    def __init__(self, transport: Transport, settings: PagesSettings) -> None:
        self._transport = transport
        self._sessions = Sessions(secret_in(settings.folder))
        self._frame = Frame(self._sessions)
        pages = (static_files.PAGE, *_of_the_door(self._sessions, settings), *PAGES)
        self._router = Router([Route(page.path, self._endpoint(page), methods=_methods(page)) for page in pages])
        self._nowhere = self._endpoint(Page("", show=_nothing, public=True))
        self._not_so = self._endpoint(Page("", show=_another_method, public=True))

    def knows(self, scope: Scope) -> bool:
        """Whether a page or a file is at this address."""
        return self._match(scope) is not Match.NONE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (match := self._match(scope)) is Match.FULL:
            await self._router(scope, receive, send)
        else:
            answer = await (self._nowhere if match is Match.NONE else self._not_so)(Request(scope, receive))
            await answer(scope, receive, send)

    def _match(self, scope: Scope) -> Match:
        """In full, or but for the method, or not at all."""
        return max((route.matches(scope)[0] for route in self._router.routes), key=lambda match: match.value)

    def _endpoint(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            request.scope["route"] = page
            return await self._answer(request, page)

        return answered

    async def _answer(self, request: Request, page: Page) -> Response:
        """The page, or another one that says why not; with a session, which a first visit begins."""
        if kept := preferences.chosen(request):
            return kept
        shown = self._sessions.of(request)
        visit = self._visit(request, shown or self._sessions.new())
        try:
            answer = await self._page(visit, page)
        except ClientDisconnect:
            raise
        except Exception as fault:  # noqa: BLE001 - said to the person, and written into the log
            answer = answer_to(visit, fault)
        answer.headers.update(HEADERS)
        if "Cache-Control" not in answer.headers:
            answer.headers["Cache-Control"] = "no-store"
            if visit.session != shown:
                self._sessions.keep(answer, visit.session)
        return answer

    def _visit(self, request: Request, session: Session) -> Visit:
        lang = preferences.language(request)
        api = Api(self._transport(request.scope.get("client") or ("", 0)), session.credential)
        return Visit(request, self._frame, session, api, lang, WORDS[lang])

    async def _page(self, visit: Visit, page: Page) -> Response:
        if not page.public:
            visit.me = await _known(visit)
            if right := page.missing_right(visit.me):
                raise RightMissing(right)
        if visit.request.method != "POST" or not page.receive:
            assert page.show
            return await page.show(visit)
        visit.form = await _form(visit.request, page.body_bytes_max)
        if not self._sessions.is_own(visit.session, visit.form_text("form_token") or ""):
            raise StaleForm
        try:
            return await page.receive(visit)
        finally:
            await visit.form.close()


def _of_the_door(sessions: Sessions, settings: PagesSettings) -> tuple[Page, ...]:
    if settings.client_id is None:
        return Door(sessions, settings.folder).pages
    issuer = Issuer(settings)
    door = Door(sessions, settings.folder, issuer.name)
    return *door.pages, *IssuerDoor(door, issuer).pages


def _methods(page: Page) -> list[str]:
    return [*(["GET"] if page.show else []), *(["POST"] if page.receive else [])]


async def _known(visit: Visit) -> Me:
    """Who asks; where the door is open, everybody is known."""
    try:
        return await visit.api.get(Me, "/v1/me")
    except ApiProblem as refused:
        if refused.problem.status == UNAUTHORIZED:
            raise NotLoggedIn from refused
        raise


async def _form(request: Request, bytes_max: int) -> FormData:
    """What was sent, if that is not too much; what says so itself is not read at all."""
    if int(request.headers.get("Content-Length", "0")) > bytes_max:
        raise FormTooLarge
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > bytes_max:
            raise FormTooLarge
        return message

    try:
        return await Request(request.scope, receive).form(max_files=FORM_FILES_MAX, max_fields=FORM_FIELDS_MAX)
    except (HTTPException, MultiPartException) as unreadable:
        raise UnreadableForm from unreadable


async def _nothing(_: Visit) -> Response:
    raise NothingHere


async def _another_method(_: Visit) -> Response:
    raise AskedOtherwise
