"""Health and metrics, the same for every application of Hourbook."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.routing import BaseRoute

from contracts.problems import InvalidField
from services.process import metrics
from services.process.problem_responses import InvalidRequest

Sentences = Callable[[Any], Awaitable[list[str]]]
"""What there is to say of the application's state, a sentence each."""

Parts = Callable[[Any], Awaitable[Mapping[str, list[str]]]]
"""What is against each part of the application that callers need, a sentence each; nothing while it is ready."""


async def _nothing(_: Any) -> list[str]:
    return []


class _States:
    """Since when each part is what it is, as far as somebody has asked."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[bool, datetime]] = {}

    def shown(self, name: str, faults: list[str]) -> dict[str, Any]:
        """A part as the answer has it."""
        ready = not faults
        metrics.PART_READY.labels(name).set(ready)
        before = self._since.get(name)
        if before is None or before[0] != ready:
            before = self._since[name] = (ready, datetime.now(UTC))
        since = before[1].isoformat(timespec="milliseconds")
        return {"name": name, "state": "ready" if ready else "not ready", "since": since, "sentence": " ".join(faults)}


def health_routes(parts: Parts, notices: Sentences = _nothing) -> list[BaseRoute]:
    """Whether the process lives and whether it is ready.

    `parts` says why something is not ready, `notices` what an operator has to do in the coming months.
    """
    router = APIRouter(include_in_schema=False)
    states = _States()

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @router.get("/health/ready")
    async def ready(request: Request, part: Annotated[list[str] | None, Query()] = None) -> JSONResponse:
        """200 when everything that callers need works now, or the parts that are asked for; 503 with the reasons."""
        by_part = await parts(request.app.state)
        if unknown := sorted(set(part or ()) - set(by_part)):
            raise InvalidRequest(InvalidField(field="part", remedy=f"{unknown[0]} is none: use {', '.join(by_part)}"))
        asked = {name: faults for name, faults in by_part.items() if not part or name in part}
        found = [sentence for faults in asked.values() for sentence in faults]
        answer = {
            "status": "not ready" if found else "ready",
            "parts": [states.shown(name, faults) for name, faults in asked.items()],
            "faults": found,
            "notices": await notices(request.app.state),
        }
        return JSONResponse(answer, 503 if found else 200)

    @router.get("/metrics")
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router.routes
