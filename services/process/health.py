"""Health and metrics, the same for every application of Hourbook."""

from collections.abc import Awaitable, Callable, Collection, Mapping
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


async def _none(_: Any) -> Mapping[str, list[str]]:
    return {}


DETAILS = "/health/details"


class _Health:
    """What an application says of itself, and since when each part is what it is, as far as somebody has asked."""

    def __init__(self, parts: Parts, notices: Sentences, beside: Parts) -> None:
        self._parts = parts
        self._notices = notices
        self._beside = beside
        self._since: dict[str, tuple[bool, datetime]] = {}

    async def answer(self, state: Any, asked: Collection[str], *, in_detail: bool) -> JSONResponse:
        """Of all parts, or of those that are asked for. Sentences can name accounts: others see how many there are."""
        needed = await self._parts(state)
        by_part = {**needed, **await self._beside(state)}
        if unknown := sorted(set(asked) - set(by_part)):
            raise InvalidRequest(InvalidField(field="part", remedy=f"{unknown[0]} is none: use {', '.join(by_part)}"))
        shown = _whole if in_detail else _counted
        found = {name: faults for name, faults in by_part.items() if not asked or name in asked}
        faults = [sentence for name, faults in found.items() if asked or name in needed for sentence in faults]
        answer = {
            "status": "not ready" if faults else "ready",
            "parts": [self._part(name, not faults, shown(faults)) for name, faults in found.items()],
            "faults": shown(faults),
            "notices": shown(await self._notices(state)),
        }
        return JSONResponse(answer, 503 if faults else 200)

    def _part(self, name: str, ready: bool, sentences: list[str]) -> dict[str, Any]:
        metrics.PART_READY.labels(name).set(ready)
        before = self._since.get(name)
        if before is None or before[0] != ready:
            before = self._since[name] = (ready, datetime.now(UTC))
        since = before[1].isoformat(timespec="milliseconds")
        said = " ".join(sentences)
        return {"name": name, "state": "ready" if ready else "not ready", "since": since, "sentence": said}


def _whole(sentences: list[str]) -> list[str]:
    return sentences


def _counted(sentences: list[str]) -> list[str]:
    return [f"{len(sentences)} to be read at GET {DETAILS}, with the right operate."] if sentences else []


def health_routes(parts: Parts, notices: Sentences = _nothing, beside: Parts = _none) -> list[BaseRoute]:
    """Whether the process lives and whether it is ready.

    `parts` says why something is not ready, `notices` what an operator has to do in the coming months. `beside`: parts
    without which callers have everything: shown, and a reason for 503 only to who asks for them.
    """
    router = APIRouter(include_in_schema=False)
    health = _Health(parts, notices, beside)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @router.get("/health/ready")
    async def ready(request: Request, part: Annotated[list[str] | None, Query()] = None) -> JSONResponse:
        """200 when everything that callers need works now, or the parts that are asked for; else 503."""
        return await health.answer(request.app.state, part or (), in_detail=False)

    @router.get(DETAILS)
    async def details(request: Request, part: Annotated[list[str] | None, Query()] = None) -> JSONResponse:
        """The same, with the reasons: for who operates this."""
        return await health.answer(request.app.state, part or (), in_detail=True)

    @router.get("/metrics")
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router.routes
