"""What an application answers that waits for its schema: it lives, it is not ready, and why; all else is 503."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.problems import problem
from services.process.problem_responses import problem_response
from services.process.schema_watch import Hindrance

AGAIN = {"Retry-After": "1", "Connection": "close"}
"""The next request is the application's own, perhaps."""


def not_ready(hindrance: Hindrance) -> ASGIApp:
    """In place of the application whose start this hinders."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(Request(scope).url.path, hindrance)(scope, receive, send)

    return answer


def _answer(path: str, hindrance: Hindrance) -> Response:
    match path:
        case "/health/live":
            return JSONResponse({"status": "live"})
        case "/metrics":
            return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
        case "/health/ready" | "/health/details":
            said = {"status": "not ready", "parts": [], "faults": [hindrance.sentence], "notices": []}
            return JSONResponse(said, 503, AGAIN)
        case _:
            return problem_response(problem(f"{hindrance.schema}-unavailable", hindrance.sentence), AGAIN)
