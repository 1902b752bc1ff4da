"""Whether queries and alerts work now, also where the worker runs in another process: it is judged by how far it is."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from services.process.lateness import LATE_SECONDS_MAX, Lateness
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.problem_responses import ProblemError
from services.projections import metrics
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.debt_alerts.episodes import have_begun
from services.projections.debt_alerts.publisher import hindered
from services.projections.following.tracking import Cut

if TYPE_CHECKING:
    from services.projections.read_models import Projections

ANSWER_SECONDS_MAX = 1
PARTS = ("queries", "alerts", "documents")
UNREACHABLE = "The projections' database cannot be reached, or has no schema yet."


class Readiness:
    """Of the projections of one process."""

    def __init__(self) -> None:
        self._lateness = defaultdict[tuple[str, int], Lateness](Lateness)

    async def parts(self, projections: "Projections") -> dict[str, list[str]]:
        """What is against queries, alerts and documents, a sentence each."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                places = await projections.places()
                begun = await have_begun(projections.pool)
                unpublished = await hindered(projections.pool) if projections.settings.nats_url else None
                documents = await projections.documents_refused()
        except (ProblemError, TimeoutError, *POSTGRES_UNAVAILABLE):
            return {part: [UNREACHABLE] for part in PARTS}
        heads = await self._heads(projections)
        found: dict[str, list[str]] = {part: [] for part in PARTS} | {"documents": documents}
        for name, at in places.items():
            own = projections.trackings[name][0].projection.version
            part = found["alerts" if name == DEBT_ALERTS.name else "queries"]
            part += [*_not_going(name, at, own), *self._late(name, at, heads)]
        if not begun:
            found["alerts"].append("The alerts have not begun: no worker has asked the ledger yet where its logs end.")
        if unpublished:
            found["alerts"].append(unpublished)
        working = projections.shares.working if projections.shares else ()
        found["queries"] += [f"A worker waits: {worker.waiting}" for worker in working if worker.waiting]
        return found

    async def _heads(self, projections: "Projections") -> list[int]:
        """Where the logs end; nothing while the ledger does not say so, which is no fault of a query."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await projections.heads()
        except (ProblemError, TimeoutError):
            return []

    def _late(self, name: str, at: Cut, heads: list[int]) -> Iterator[str]:
        for log, (place, head) in enumerate(zip(at.places, heads, strict=False)):
            seconds = self._lateness[name, log].seconds(place.position, head)
            metrics.LAG.labels(name, log).set(max(head - place.position, 0))
            metrics.LAG_SECONDS.labels(name, log).set(seconds)
            if seconds > LATE_SECONDS_MAX and not place.halted:
                yield f"The projection {name} is at {place.position} of {head} events of log {log}: no worker moves it."


def _not_going(name: str, at: Cut, own_version: int) -> Iterator[str]:
    for log, place in enumerate(at.places):
        if place.halted:
            of_log = f" of log {log}" if len(at.places) > 1 else ""
            yield f"The projection {name} halted after position {place.position}{of_log}: {place.halted}"
    if at.places[0].version not in (None, own_version):
        yield f"The tables of the projection {name} are of version {at.places[0].version} still."
