"""Health and metrics, the same for every application of Hourbook."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.routing import BaseRoute

Sentences = Callable[[Any], Awaitable[list[str]]]
"""What there is to say of the application's state, a sentence each."""


async def _nothing(_: Any) -> list[str]:
    return []


def health_routes(faults: Sentences, notices: Sentences = _nothing) -> list[BaseRoute]:
    """Whether the process lives and whether it is ready.

    `faults` says why it is not ready, `notices` what an operator has to do in the coming months.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @router.get("/health/ready")
    async def ready(request: Request) -> JSONResponse:
        """200 when everything this process offers works; 503 with the reasons otherwise."""
        found = await faults(request.app.state)
        answer = {
            "status": "not ready" if found else "ready",
            "faults": found,
            "notices": await notices(request.app.state),
        }
        return JSONResponse(answer, 503 if found else 200)

    @router.get("/metrics")
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router.routes
