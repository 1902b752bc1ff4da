"""Pages that say what went wrong, and what the person can do about it."""

from starlette.responses import Response

from contracts.problems import Problem
from services.pages.api import ApiProblem
from services.pages.errors import (
    AskedOtherwise,
    CredentialTooLarge,
    FormTooLarge,
    NothingHere,
    NotLoggedIn,
    RightMissing,
    StaleForm,
    UnreadableForm,
)
from services.pages.shell.door import UNAUTHORIZED, login_for
from services.pages.visit import Visit
from services.process.problem_responses import failure_of, printable

RETRY_SECONDS = "60"


def answer_to(visit: Visit, fault: Exception) -> Response:
    """The page for a fault. Who is not known is led to the login, and back from there."""
    say = visit.say
    match fault:
        case NotLoggedIn():
            return visit.go_to(login_for(visit.request))
        case ApiProblem(problem=problem) if problem.status == UNAUTHORIZED:
            return visit.go_to(login_for(visit.request))
        case RightMissing(right=right):
            named = getattr(say, f"right_{right.value.replace('-', '_')}")
            return _page(visit, 403, say.error_403, say.right_missing.format(right=named))
        case NothingHere():
            return _page(visit, 404, say.error_404, say.error_404_remedy)
        case AskedOtherwise():
            return _page(visit, 405, say.error_405, say.error_405_remedy)
        case StaleForm():
            return _page(visit, 403, say.form_stale_title, say.form_stale)
        case CredentialTooLarge():
            return _page(visit, 413, say.token_too_large_title, say.token_too_large)
        case UnreadableForm():
            return _page(visit, 422, say.error_422, say.form_unreadable)
        case FormTooLarge():
            return _page(visit, 413, say.error_413, None)
        case ApiProblem(problem=problem):
            return _of_problem(visit, problem)
        case _:
            problem = failure_of(f"{visit.request.method} {printable(visit.request.url.path)}", fault)
            return _of_problem(visit, problem)


def _of_problem(visit: Visit, problem: Problem) -> Response:
    """What a route refused, by its kind in the person's language, with what the route itself says below."""
    say, status = visit.say, problem.status
    known = status if hasattr(say, f"error_{status}") else 500 if status >= 500 else 422
    remedy = getattr(say, f"error_{known}_remedy", None)
    return _page(visit, status, getattr(say, f"error_{known}"), remedy, problem)


def _page(visit: Visit, status: int, title: str, remedy: str | None, problem: Problem | None = None) -> Response:
    answer = visit.html("shell/error.html", status, title=title, remedy=remedy, problem=problem)
    if status == 503:
        answer.headers["Retry-After"] = RETRY_SECONDS
    return answer
