"""The log to JetStream. Several relays may run: the expected sequence lets one work and sends the others to wait."""

import asyncio
import logging
import time
from contextlib import suppress
from random import SystemRandom
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.ledger.event_store.database import LedgerUnavailable, LogWentBack
from services.ledger.event_store.epochs import notice_lost
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.metrics import RELAY_REFUSED, RELAYED
from services.ledger.publishing.jetstream import LogStream, NotAccepted
from services.process import tracing
from services.process.nats_connection import NotPermitted, connected
from services.process.outages import outlasting
from services.process.reach import Reach
from services.process.stopping import stopping
from services.process.streams import OtherLedgersStream, StreamNotAsItHasToBe
from services.process.wake import Wake

logger = logging.getLogger(__name__)

PAGE_EVENTS = 500
CHECK_SECONDS = 1.0
STREAM_SECONDS = 5.0
"""So often the stream is looked at while nothing is published: whatever is, shows what it has become."""

ASIDE_SECONDS_MAX = 0.3

UNAVAILABLE = (NatsError, OSError, LedgerUnavailable)
REFUSED = (OtherLedgersStream, StreamNotAsItHasToBe)


def wake_subject(log_id: int) -> str:
    """The subject on which a process that has committed rings for the relays of other processes."""
    return f"hourbook.wake.{log_id}"


class Place(NamedTuple):
    """How far a stream has come, and which event that is."""

    position: int = 0
    event_id: str | None = None


class Relay:
    """Publishes a log from wherever its stream ends."""

    def __init__(self, store: EventStore, log_id: int, stream: LogStream, wake: Wake, reach: Reach) -> None:
        self._store = store
        self._log_id = log_id
        self._stream = stream
        self._wake = wake
        self._reach = reach

    async def run(self, client: Client) -> None:
        """Publish what is committed, until the connection is lost."""

        async def ring(_: Msg) -> None:
            self._wake.ring()

        await client.subscribe(wake_subject(self._log_id), cb=ring)
        await self._stream.open()
        clock = asyncio.get_running_loop().time
        place, checked_at = await self._end_of_stream(), clock()
        while client.is_connected and not stopping() and self._stream.epoch == self._store.ends.epoch:
            next_ring = self._wake.next
            events = await self._events_after(place)
            if events:
                try:
                    await self._publish(events)
                    place = Place(place.position + len(events), events[-1].event_id)
                    RELAYED.labels(self._log_id).set(place.position)
                    self._goes_on()
                except NotAccepted as refused:
                    logger.info("%s; going on from where the stream ends", refused)
                    await asyncio.sleep(SystemRandom().uniform(0, ASIDE_SECONDS_MAX))
                    place, checked_at = await self._end_of_stream(sent_after=place.position), clock()
            elif events is None:
                await self._require_new_epoch(place.position)
            elif clock() - checked_at > STREAM_SECONDS:
                await self._store.require_known_past()
                place, checked_at = await self._end_of_stream(), clock()
            else:
                self._goes_on()
                await next_ring.wait(CHECK_SECONDS)
        raise asyncio.CancelledError if stopping() else ConnectionError("the connection, or the epoch, has ended")

    async def _publish(self, events: list[StoredEvent]) -> None:
        """With the trace that each is of, where this process traces."""
        if not tracing.is_on():
            return await self._stream.publish(events)
        begun_at = time.time_ns()
        traces = await self._store.traces(self._log_id, events)
        await self._stream.publish(events, traces)
        places = {event.event_id: event.position for event in events}
        said = ((each, {"hourbook.log": self._log_id, "hourbook.position": places[it]}) for it, each in traces.items())
        return tracing.done("publish", begun_at, said)

    def _goes_on(self) -> None:
        RELAY_REFUSED.labels(self._log_id).set(0)
        self._reach.works()

    async def _events_after(self, place: Place) -> list[StoredEvent] | None:
        """What follows in the log; None if the log has another event at that place, or none, as after a restore."""
        if not place.position:
            return await self._store.page(self._log_id, 0, PAGE_EVENTS)
        page = await self._store.page(self._log_id, place.position - 1, PAGE_EVENTS)
        return page[1:] if page and page[0].event_id == place.event_id else None

    async def _require_new_epoch(self, position: int) -> None:
        """LogWentBack unless another epoch has begun, in which the log need not reach so far."""
        await self._store.require_known_past()
        if self._stream.epoch == self._store.ends.epoch:
            raise await notice_lost(self._store.readers, self._stream.epoch, self._log_id, position)

    async def _end_of_stream(self, sent_after: int | None = None) -> Place:
        """How far the stream has come; one that is no copy of this log is emptied first, and filled again.

        LogWentBack where it ends with an event of this log that the log does not have, in the same epoch. `sent_after`:
        after which position a page was sent that was not accepted whole. Some of it may stand behind a message of
        somebody else.
        """
        end = await self._stream.end()
        if self._stream.epoch_there > self._stream.epoch:
            raise await notice_lost(self._store.readers, self._stream.epoch_there, self._log_id, end or 0)
        if self._stream.epoch_there < self._stream.epoch:
            logger.warning("%s is of epoch %d: it is begun anew", self._stream.name, self._stream.epoch_there)
            await self._stream.renew()
            return Place()
        if end == 0:
            return Place()
        first = end if end is None or sent_after is None else min(max(sent_after + 1, end - PAGE_EVENTS + 1), end)
        if end and first and (event_id := await self._copied(first, end)):
            return Place(end, event_id)
        own = await self._stream.id_as_of_log(end) if end else None
        if end and own and own != await self._store.event_id(self._log_id, end):
            await self._require_new_epoch(end)
        logger.error("%s is not a copy of this ledger's log: it is deleted and filled again", self._stream.name)
        await self._stream.renew()
        return Place()

    async def _copied(self, first: int, last: int) -> str | None:
        """The id of the last event, if the stream has the log's events at these positions."""
        found = await asyncio.gather(*(self._stream.event_id(position) for position in range(first, last + 1)))
        events = await self._store.page(self._log_id, first - 1, last - first + 1)
        return found[-1] if found == [event.event_id for event in events] else None


async def keep_relaying(store: EventStore, log_id: int, nats_url: str, wake: Wake, replicas: int | None = None) -> None:
    """Relay a log until cancelled, again and again while NATS or PostgreSQL is unavailable.

    While its stream is another ledger's or not as it has to be, or NATS does not permit it, nothing is published.
    """
    reach = Reach("relay", log_id)

    async def relay() -> None:
        try:
            async with connected(nats_url) as client:
                stream = LogStream(client, log_id, await store.ledger_id(), replicas, await store.epoch())
                await Relay(store, log_id, stream, wake, reach).run(client)
        except (*REFUSED, NotPermitted, LogWentBack):
            RELAY_REFUSED.labels(log_id).set(1)
            reach.fails()
            await asyncio.sleep(CHECK_SECONDS)
            raise
        except (NatsError, OSError):
            reach.fails()
            raise

    await outlasting((*UNAVAILABLE, *REFUSED), relay, f"The relay of log {log_id}", logger)


async def keep_ringing(log_id: int, nats_url: str, wake: Wake) -> None:
    """Ring for relays in other processes whenever this one commits, until cancelled; a lost ring costs a second.

    Not for a process that has a relay itself: it would repeat the rings that it gets from others.
    """
    said = ""
    while not stopping():
        with suppress(NatsError, OSError):
            async with connected(nats_url) as client:
                rung = True  # for what was committed before there was a connection
                while client.is_connected and not stopping():
                    next_ring = wake.next
                    if rung:
                        await client.publish(wake_subject(log_id))
                    rung = await next_ring.wait(CHECK_SECONDS)
                    if client.refusal and str(client.refusal) != said:
                        said = str(client.refusal)
                        logger.warning("Relays of other processes are not rung for: %s", said)
        await asyncio.sleep(CHECK_SECONDS)
