"""After each round the connector says how its portal is, and where each month differs, to whoever looks after it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from contracts.drift import DriftBody, PortalCondition, PortalStateBody
from contracts.quantities import Month
from services.bitrix24 import metrics
from services.bitrix24.comparison import Comparison
from services.bitrix24.drift import drift_body
from services.bitrix24.patience import answered
from services.bitrix24.portal import PortalFault, PortalUnavailable, WebhookRefused
from services.bitrix24.recording import Outcome, Rounds
from services.process.address import document

WAITING = ("undecided", "proposed", "refused")


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


@dataclass
class Reports:
    """What one connector says; a month is said again when something of it is another, and once a day."""

    rounds: Rounds
    every_seconds: float
    now: Callable[[], datetime] = now
    _read_at: datetime | None = None
    _said: dict[Month, tuple[DriftBody, datetime]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        metrics.READ_AT.set(self.now().timestamp())  # so that the age of nothing is counted from the start

    async def whole(self, outcomes: Sequence[Outcome]) -> None:
        """The portal was read whole, and this came of it."""
        self._read_at = self.now()
        metrics.READ_AT.set(self._read_at.timestamp())
        metrics.WEBHOOK_REFUSED.set(0)
        waiting = Counter(outcome.outcome for outcome in outcomes)
        for each in WAITING:
            metrics.TASKS.labels(each).set(waiting[each])
        await self._say("read", "", waiting)
        for comparison in await self.rounds.comparisons():
            await self._say_month(comparison)

    async def fault(self, fault: PortalFault) -> None:
        """The portal could not be read."""
        metrics.WEBHOOK_REFUSED.set(isinstance(fault, WebhookRefused))
        condition: PortalCondition = "wrong-answer"
        if isinstance(fault, WebhookRefused):
            condition = "webhook-refused"
        elif isinstance(fault, PortalUnavailable):
            condition = "unavailable"
        await self._say(condition, str(fault)[:1000], Counter())

    async def _say(self, condition: PortalCondition, sentence: str, waiting: Counter[str]) -> None:
        metrics.ROUNDS.labels(condition).inc()
        waited = self.rounds.portal.waited_seconds()
        metrics.WAITED.set(waited)
        body = PortalStateBody(
            condition=condition,
            sentence=sentence,
            read_at=self._read_at,
            every_seconds=round(self.every_seconds),
            waited_seconds=round(waited),
            **{each: waiting[each] for each in WAITING},
        )
        _done(await answered(self.rounds.hourbook, "PUT", "/v1/portals/own", json=body.model_dump(mode="json")))

    async def _say_month(self, comparison: Comparison) -> None:
        at = self.now()
        body = drift_body(comparison, at)
        before, day = self._said.get(comparison.month, (None, None))
        unchanged = {"compared_at": at, "positions": body.positions}
        if before and before.model_copy(update=unchanged) == body and day and day.date() == at.date():
            return
        await record_drift(self.rounds.hourbook, comparison.month, body)
        self._said[comparison.month] = (body, at)


async def record_drift(hourbook: httpx.AsyncClient, month: Month, body: DriftBody) -> None:
    """Have the ledger keep the comparison of a month."""
    _done(await answered(hourbook, "PUT", f"/v1/drift/{month}", json=body.model_dump(mode="json")))


def _done(answer: httpx.Response) -> None:
    if not answer.is_success:
        document(answer)
