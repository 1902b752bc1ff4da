"""What a service answers to a request it cannot accept: RFC 9457 problems that name the field and the remedy.

Both services install this on their application; it knows HTTP and the published problems, and no service.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.problems import PROBLEM_MEDIA_TYPE, STATUS_BY_SLUG, InvalidField, Problem, problem
from contracts.quantities import ID_FORM, KEY_FORM, MONTH_FORM

BODY_BYTES_MAX = 1 << 20
FIELDS_MAX = 20
TEXT_LENGTH_MAX = 300

_REMEDIES = {
    "missing": "give this field",
    "extra_forbidden": "remove this field: it is not known here",
    "model_attributes_type": "send a JSON object, with the header Content-Type: application/json",
    "dict_type": "send a JSON object, with the header Content-Type: application/json",
    "union_tag_not_found": "name the command",
}
_FORMS = {
    ID_FORM: "use 1 to 64 of A-Z a-z 0-9 _ -",
    MONTH_FORM: "give a month such as 2026-03",
    KEY_FORM: "use 1 to 128 visible characters of ASCII",
}
_SLUG_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}
_DETAIL_BY_STATUS = {
    400: "The body could not be read: send one valid JSON document in UTF-8, not nested deeply.",
    404: "There is nothing at this address. GET /docs lists what there is.",
    405: "This address does not know that method: use one named in the header Allow.",
}


class ProblemError(HTTPException):
    """A request that ends in a published problem, raised anywhere below a route."""

    def __init__(
        self,
        slug: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        fields: tuple[InvalidField, ...] = (),
    ) -> None:
        super().__init__(STATUS_BY_SLUG[slug], detail, headers)
        self.problem = problem(slug, slug.replace("-", " ").capitalize(), detail, fields)


class InvalidRequest(ProblemError):
    """A request that does not fit, with what would."""

    def __init__(self, *fields: InvalidField) -> None:
        detail = "; ".join(f"{wrong.field}: {wrong.remedy}" for wrong in fields)
        super().__init__("invalid-request", detail, fields=fields)


class BodyTooLarge(ProblemError):
    """A body, or a line of one, over its limit."""

    def __init__(self, what: str, bytes_max: int) -> None:
        remedy = f"send at most {bytes_max} bytes"
        super().__init__("body-too-large", f"{what}: {remedy}.", fields=(InvalidField(field=what, remedy=remedy),))


def install_problem_responses(app: FastAPI, *, streaming: Collection[str] = ()) -> None:
    """Answer problems for whatever does not fit; paths in `streaming` bound their bodies themselves."""
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_middleware(BodyLimit, bytes_max=BODY_BYTES_MAX, streaming=frozenset(streaming))


def problem_response(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as an answer."""
    body = found.model_dump_json(exclude_defaults=True)
    return Response(body, found.status, headers, media_type=PROBLEM_MEDIA_TYPE)


def invalid_fields(errors: Iterable[Mapping[str, Any]]) -> tuple[InvalidField, ...]:
    """Pydantic's errors as fields and remedies, without what the caller sent; of very many, the first ones."""
    return tuple(_invalid_field(error) for error, _ in zip(errors, range(FIELDS_MAX), strict=False))


def _invalid_field(error: Mapping[str, Any]) -> InvalidField:
    loc = tuple(error["loc"])
    if error["type"] == "json_invalid":
        loc, remedy = loc[:1], f"send valid JSON: {error.get('ctx', {}).get('error', error['msg'])} at {loc[-1]}"
    else:
        form = _FORMS.get(error.get("ctx", {}).get("pattern"))
        remedy = form or _REMEDIES.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    inside = loc[1:] if loc[:1] and loc[0] in {"body", "query", "path", "header"} else loc
    return InvalidField(field=printable(".".join(map(str, inside or loc))), remedy=printable(remedy))


def printable(text: str) -> str:
    """A caller's text, made safe to be repeated: short, and with anything unprintable escaped."""
    shown = text if len(text) <= TEXT_LENGTH_MAX else text[:TEXT_LENGTH_MAX] + "…"
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in shown)


async def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(InvalidRequest(*invalid_fields(error.errors())).problem)


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem_response(_problem_of(error), error.headers)


def _problem_of(error: HTTPException) -> Problem:
    if isinstance(error, ProblemError):
        return error.problem
    slug = _SLUG_BY_STATUS.get(error.status_code)
    detail = _DETAIL_BY_STATUS.get(error.status_code, error.detail)
    if slug is None:
        return InvalidRequest(InvalidField(field="body", remedy=detail)).problem
    return ProblemError(slug, detail).problem


class BodyLimit:
    """Refuses bodies over the limit before they are read, chunked ones as soon as they pass it, and UTF-16 or UTF-32.

    Python reads JSON in any of these; no JSON in UTF-8 has a NUL byte, and any in the others has.
    """

    def __init__(self, app: ASGIApp, bytes_max: int, streaming: frozenset[str]) -> None:
        self._app = app
        self._bytes_max = bytes_max
        self._streaming = streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._streaming:
            await self._app(scope, receive, send)
            return
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if int(length) <= self._bytes_max:
            await self._app(scope, self._checking(receive), send)
        else:
            refused = BodyTooLarge("body", self._bytes_max)
            await problem_response(refused.problem)(scope, receive, send)

    def _checking(self, receive: Receive) -> Receive:
        read = 0

        async def receive_readable() -> Message:
            nonlocal read
            message = await receive()
            body = message.get("body", b"")
            read += len(body)
            if read > self._bytes_max:
                raise BodyTooLarge("body", self._bytes_max)
            if b"\0" in body:
                raise InvalidRequest(InvalidField(field="body", remedy="send JSON in UTF-8"))
            return message

        return receive_readable
