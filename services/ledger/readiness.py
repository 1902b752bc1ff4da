"""Whether what callers need of a ledger works now, part by part, also where a part runs in another process.

Another process is judged by what it has done: how far the stream, the checkpoints and the expiry have come.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NoAnswer
from nats.js.api import StreamInfo
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError, ServiceUnavailableError

from contracts.placement import every_log
from services.ledger.audit.watch import AuditWatch
from services.ledger.clock import Clock
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.known_account import LONG_AGO
from services.ledger.event_store.store import EventStore
from services.ledger.metrics import CHECKPOINT_AGE, EXPIRY_OVERDUE, RELAY_LAG, REPLICAS_BEHIND
from services.ledger.publishing.jetstream import stream_config, stream_name
from services.ledger.settings import Settings
from services.process.lateness import LATE_SECONDS_MAX, Lateness
from services.process.nats_connection import NotPermitted, connected
from services.process.reach import Reach
from services.process.stopping import stopping
from services.process.streams import misfit_sentence, misfits

EVERY_SECONDS = 2.0
QUIET_TIMES = 2
"""So much longer it rests while nothing is wrong."""

EXPIRY_MINUTES_MAX = timedelta(minutes=1)

Parts = dict[str, list[str]]
"""What is against each part, a sentence each; nothing where it works."""


class Readiness:
    """Looks every two to four seconds at what other processes have done; the commands are judged when somebody asks."""

    def __init__(self, settings: Settings, store: EventStore, clock: Clock, audit: AuditWatch) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._audit = audit
        self._relays = defaultdict[int, Lateness](Lateness)
        self._checkpoints = defaultdict[int, Lateness](Lateness)
        self._overdue_since: dict[int, float] = {}
        self._seen: Parts = {"checkpoints": [], "expiry": []} | ({"relay": []} if settings.nats_url else {})

    async def parts(self, ended: Iterable[str]) -> Parts:
        """All of them; `ended`: what has ended of this process."""
        commands = [f"{name} has ended." for name in ended]
        try:
            await self._store.writability.require()
        except LedgerUnavailable as outage:
            commands.append(f"{outage}.")
        checkpoints = [*self._audit.hindrances, *self._seen["checkpoints"]]
        return {"commands": commands, **self._seen, "checkpoints": checkpoints, "audit": self._audit.faults}

    async def watch_database(self) -> None:
        """Look at checkpoints and expiry until cancelled; without PostgreSQL, what was seen last stands."""
        while True:
            with suppress(LedgerUnavailable):
                await self._store.require_known_past()
                heads = await self._heads(every_log(self._settings.logs))
                self._seen["checkpoints"] = [*self._missing_checkpoints(heads)]
                self._seen["expiry"] = await self._overdue(await self._clock.now())
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        return EVERY_SECONDS if any(self._seen.values()) else EVERY_SECONDS * QUIET_TIMES

    async def _heads(self, log_ids: Iterable[int]) -> dict[int, int]:
        return {log_id: await self._store.head(log_id) for log_id in log_ids}

    def _missing_checkpoints(self, heads: dict[int, int]) -> Iterable[str]:
        if self._settings.audit_key_file is None:
            return
        for log_id, head in heads.items():
            size = self._audit.sizes.get(log_id, 0)
            seconds = self._checkpoints[log_id].seconds(size, head)
            CHECKPOINT_AGE.labels(log_id).set(seconds)
            if seconds > LATE_SECONDS_MAX and not self._audit.hindrances:
                yield f"The checkpoints of log {log_id} cover {size} of {head} events: nobody signs new ones."

    async def _overdue(self, now: datetime) -> list[str]:
        found: list[str] = []
        clock = asyncio.get_running_loop().time()
        for log_id in range(self._settings.logs):
            due = await self._store.due(log_id, now - EXPIRY_MINUTES_MAX, (LONG_AGO, ""), 1)
            EXPIRY_OVERDUE.labels(log_id).set((now - due[0][0]).total_seconds() if due else 0)
            if not due:
                self._overdue_since.pop(log_id, None)
            elif clock - self._overdue_since.setdefault(log_id, clock) > LATE_SECONDS_MAX:
                found.append(f"A package of log {log_id} ended at {due[0][0].isoformat()}, and nobody records that.")
        return found

    async def watch_stream(self, nats_url: str) -> None:
        """Look at how far the stream of each log has come, and whether it is as it has to be, until cancelled."""
        reach = Reach("watch")
        while not stopping():
            try:
                async with connected(nats_url) as client:
                    while client.is_connected and not stopping():
                        self._seen["relay"] = await self._unpublished(client.jetstream())
                        reach.works()
                        await asyncio.sleep(self._pause())
            except LedgerUnavailable:
                pass
            except NotPermitted as refused:
                self._seen["relay"] = [f"{refused}."]
                reach.fails()
            except (NatsError, OSError) as outage:
                self._seen["relay"] = [_unreached(outage)]
                reach.fails()
            await asyncio.sleep(EVERY_SECONDS)

    async def _unpublished(self, jetstream: JetStreamContext) -> list[str]:
        found: list[str] = []
        for log_id, head in (await self._heads(range(self._settings.logs))).items():
            last = 0
            with suppress(NotFoundError):
                stream = await jetstream.stream_info(stream_name(log_id))
                last = stream.state.last_seq
                REPLICAS_BEHIND.labels(log_id).set(_replicas_behind(stream))
                if wrong := misfits(stream.config, stream_config(log_id, self._settings.nats_replicas)):
                    found.append(f"{misfit_sentence(stream.config, wrong)}: the relay's log says why.")
            RELAY_LAG.labels(log_id).set(max(head - last, 0))
            if self._relays[log_id].seconds(last, head) > LATE_SECONDS_MAX:
                found.append(f"The stream of log {log_id} has {last} of {head} events, and nobody publishes the rest.")
        return found


def _replicas_behind(stream: StreamInfo) -> int:
    """How many of its copies, beside the leader's, are not complete now."""
    others = (stream.cluster.replicas if stream.cluster else None) or []
    return sum(bool(other.offline or not other.current) for other in others)


def _unreached(outage: Exception) -> str:
    """A server that answers for itself may stand in a cluster that cannot decide anything."""
    if isinstance(outage, ServiceUnavailableError | NoAnswer):
        return "NATS answers, and JetStream does not: does a majority of the cluster's servers run?"
    return f"NATS cannot be reached: {type(outage).__name__}."
