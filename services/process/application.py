"""What every application of Hourbook has around its routes: one gate before them, and problems as its answers."""

from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from contracts.problem_types import CATALOGUE
from contracts.problems import InvalidField, Problem, problem
from services.process import documentation, problem_pages, tracing
from services.process.gate import Gate
from services.process.known_parameters import methods_at
from services.process.openapi import publish
from services.process.problem_responses import InvalidRequest, ProblemError, invalid_fields, problem_response
from services.process.request_log import RequestLog, RequestLogSettings
from services.process.settings import read
from services.process.site import Site, SiteSettings

_SLUG_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}
_UNREADABLE = InvalidField(field="body", remedy="send one valid JSON document in UTF-8, not nested deeply")


def no_page(_: str) -> bool:
    """Whether a path is a page's, in an application without pages."""
    return False


def furnish(
    app: FastAPI,
    *,
    streaming: Mapping[str, frozenset[bytes]] | None = None,
    is_page: Callable[[str], bool] = no_page,
) -> None:
    """Put the gate before the application's routes, and let it answer problems for whatever does not fit.

    Bodies of the paths in `streaming` are of those media types, and are bounded by their routes. `is_page`: whether a
    path is one of web pages, which read forms.
    """
    app.router.routes.extend([*problem_pages.router.routes, *documentation.router.routes])
    publish(app)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_problem)
    log = RequestLog(read(RequestLogSettings).file)
    site = Site(SiteSettings())
    app.add_middleware(Gate, whole=app, site=site, streaming=streaming or {}, log=log, is_page=is_page)
    if tracing.is_on():
        app.add_middleware(tracing.TracedRequests)


async def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(InvalidRequest(*invalid_fields(error.errors())).problem)


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = error.headers
    if error.status_code == 405:  # the route that was found first names its own methods only
        headers = {"Allow": ", ".join(methods_at(request.app, request.scope["path"]))}
    return problem_response(_problem_of(error), headers)


def _problem_of(error: HTTPException) -> Problem:
    if isinstance(error, ProblemError):
        return error.problem
    slug = _SLUG_BY_STATUS.get(error.status_code)
    if slug is None:
        return InvalidRequest(_UNREADABLE).problem
    kind = CATALOGUE[slug]
    return problem(slug, f"{kind.title} {kind.remedy}")
