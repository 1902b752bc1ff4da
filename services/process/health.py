"""Health and metrics, the same for every application of Hourbook."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.routing import BaseRoute


def health_routes(faults: Callable[[Any], Awaitable[list[str]]]) -> list[BaseRoute]:
    """Whether the process lives and whether it is ready; `faults` says of its state why not, a sentence each."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @router.get("/health/ready")
    async def ready(request: Request) -> JSONResponse:
        """200 when everything this process offers works; 503 with the reasons otherwise."""
        found = await faults(request.app.state)
        return JSONResponse({"status": "not ready" if found else "ready", "faults": found}, 503 if found else 200)

    @router.get("/metrics")
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router.routes
