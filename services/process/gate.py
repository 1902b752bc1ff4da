"""What is looked at before any route: whose request it is, what its body and its parameters are; and what escapes.

Whatever came of a request, it has a line in the request log.

One middleware, because each costs every request; it is cheap where nothing is wrong.
"""

from collections.abc import Callable, Mapping
from time import perf_counter

from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.problems import InvalidField
from services.process import metrics
from services.process.known_parameters import KnownParameters
from services.process.logs import REQUEST_ID
from services.process.problem_responses import (
    BODY_BYTES_MAX,
    BodyTooLarge,
    InvalidRequest,
    ProblemError,
    failure_of,
    printable,
    problem_response,
)
from services.process.request_id import HEADER, request_id
from services.process.request_log import RequestLog
from services.process.site import OTHER_SITES, SAFE_METHODS, Site

JSON = frozenset({b"application/json"})
FORMS = frozenset({b"application/x-www-form-urlencoded", b"multipart/form-data"})
USUAL_LENGTH_DIGITS = len(str(BODY_BYTES_MAX)) - 1


class Gate:
    """Lets requests through that are this site's own and fit; answers a problem to others, and to what fails.

    `streaming` has the media types of bodies that are read piece by piece, by path: their routes bound them. At an
    address that `is_page` bodies are forms, which the page bounds, and parameters are the page's own affair.
    """

    def __init__(
        self,
        app: ASGIApp,
        whole: FastAPI,
        site: Site,
        streaming: Mapping[str, frozenset[bytes]],
        log: RequestLog,
        is_page: Callable[[str], bool],
    ) -> None:
        self._app = app
        self._log = log
        self._parameters = KnownParameters(whole)
        self._site = site
        self._streaming = streaming
        self._is_page = is_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None
        begun_at = perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        named = request_id(headers)
        REQUEST_ID.set(named)

        async def sending(message: Message) -> None:
            nonlocal status
            if status is None:
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, named.encode())]
                route = getattr(scope.get("route"), "path", "none")
                metrics.answered(route, scope["method"], message["status"], perf_counter() - begun_at)
            await send(message)

        metrics.UNDER_WAY.inc()
        try:
            if not self._is_usual(scope, headers) and (refused := self._refusal(scope, headers)):
                await problem_response(refused.problem, refused.headers)(scope, receive, sending)
            else:
                unbounded = scope["path"] in self._streaming or self._is_page(scope["path"])
                reading = receive if unbounded else _readable(receive)
                await self._app(scope, reading, sending)
        except Exception as fault:
            if status is not None:  # the server cuts the answer off, and its log says why
                raise
            if not isinstance(fault, ClientDisconnect):  # else nobody is there to be answered, and nothing has failed
                await problem_response(failure_of(f"{scope['method']} {printable(scope['path'])}", fault))(
                    scope, receive, sending
                )
        finally:
            metrics.UNDER_WAY.dec()
            self._log.add(scope, named, status, perf_counter() - begun_at)

    def _is_usual(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """What programs send, which takes no closer look: every request pays for this one."""
        return (
            not scope["query_string"]
            and scope["path"] not in self._streaming
            and headers.get(b"host") in self._site.known
            and headers.get(b"content-type", b"application/json") == b"application/json"
            and b"origin" not in headers
            and b"sec-fetch-site" not in headers
            and len(headers.get(b"content-length", b"")) <= USUAL_LENGTH_DIGITS
        )

    def _refusal(self, scope: Scope, headers: Mapping[bytes, bytes]) -> ProblemError | None:
        return (
            self._stranger(scope, headers)
            or self._unreadable(scope, headers)
            or (scope["query_string"] and not self._is_page(scope["path"]) and self._unasked(scope))
            or None
        )

    def _stranger(self, scope: Scope, headers: Mapping[bytes, bytes]) -> ProblemError | None:
        """Reached by a name of somebody else's, or sent by a page of another site."""
        host = headers.get(b"host", b"")
        server = scope.get("server")
        if not self._site.answers(host, server[0] if server else None):
            return _wrong("unknown-host", "Host", "use a name of this service, or add it to HOURBOOK_ALLOWED_HOSTS")
        origin = headers.get(b"origin")
        if origin is None:
            if scope["method"] in SAFE_METHODS or headers.get(b"sec-fetch-site") not in OTHER_SITES:
                return None
            return _wrong("foreign-origin", "Sec-Fetch-Site", "send this from a page of this site")
        if self._site.trusts(origin, host):
            return None
        return _wrong("foreign-origin", "Origin", "send this from a page of this site, or without this header")

    def _unreadable(self, scope: Scope, headers: Mapping[bytes, bytes]) -> ProblemError | None:
        """A body of another media type than is read there, or one that says that it is too long."""
        if scope["method"] in SAFE_METHODS:
            return None
        wanted = self._streaming.get(scope["path"], FORMS if self._is_page(scope["path"]) else JSON)
        media_type = headers.get(b"content-type")
        if media_type is not None and media_type not in wanted and not _fits(media_type, wanted):
            named = b" or ".join(sorted(wanted)).decode()
            return _wrong("unsupported-media-type", "Content-Type", f"send {named}")
        if wanted is JSON and int(headers.get(b"content-length", b"0")) > BODY_BYTES_MAX:
            return BodyTooLarge("body", BODY_BYTES_MAX)
        return None

    def _unasked(self, scope: Scope) -> ProblemError | None:
        misfits = self._parameters.misfits(scope)
        return InvalidRequest(*misfits) if misfits else None


def _fits(media_type: bytes, wanted: frozenset[bytes]) -> bool:
    kind = media_type.partition(b";")[0].strip().lower()
    return kind in wanted or (wanted is JSON and kind.endswith(b"+json"))


def _wrong(slug: str, header: str, remedy: str) -> ProblemError:
    return ProblemError(slug, f"{header}: {remedy}.", fields=(InvalidField(field=header, remedy=remedy),))


def _readable(receive: Receive) -> Receive:
    """The body as it comes, refused as soon as it passes its limit, or is UTF-16 or UTF-32.

    Python reads JSON in any of these; no JSON in UTF-8 has a NUL byte, and any in the others has.
    """
    read = 0

    async def receive_readable() -> Message:
        nonlocal read
        message = await receive()
        body = message.get("body", b"")
        read += len(body)
        if read > BODY_BYTES_MAX:
            raise BodyTooLarge("body", BODY_BYTES_MAX)
        if b"\0" in body:
            raise InvalidRequest(InvalidField(field="body", remedy="send JSON in UTF-8"))
        return message

    return receive_readable
