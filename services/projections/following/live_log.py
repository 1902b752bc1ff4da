"""The log as JetStream delivers it, within milliseconds of the commit; what JetStream loses, the feed has."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import nats
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from contracts.quantities import parse_instant
from services.process.event_reading import READERS
from services.process.nats_connection import connect
from services.process.stopping import end, stopping
from services.projections.following.lines import NOT_AS_WRITTEN, Envelope
from services.projections.following.logged import Logged

logger = logging.getLogger(__name__)

MESSAGES_KEPT_MAX = 10_000
BATCH_MESSAGES_MAX = 1000
RETRY_SECONDS = 0.2
FORGOTTEN_SECONDS = 30  # how long the server keeps a consumer without a reader


class Delivery:
    """One log's stream, delivered to all its followers in this process: each message is read once.

    It subscribes when a follower asks for events, because the feed is faster for a follower that is far behind. It may
    lose messages, which shows only as a hole in the positions: when too many wait to be taken, when NATS restarts, when
    the stream is deleted.
    """

    def __init__(self, nats_url: str | None, log: str) -> None:
        self._url = nats_url
        self._stream = f"HOURBOOK-{log}"
        self._subject = f"hourbook.log.{log}.>"
        self._followers: list[LiveLog] = []
        self._running: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self.wanted = asyncio.Event()
        self.connected = False
        self._said = ""

    @asynccontextmanager
    async def followed_by(self, live: "LiveLog") -> AsyncIterator[None]:
        """Deliver to this follower within the context. Without NATS nothing ever arrives."""
        self._followers.append(live)
        self._running = self._running or asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._followers.remove(live)
            if not self._followers:
                running, self._running = self._running, None
                await end(running)

    async def _run(self) -> None:
        """Subscribe, and subscribe again whenever the subscription is lost, until cancelled."""
        while self._url and not stopping():
            await self.wanted.wait()
            try:
                await self._deliver(self._url)
            except Exception as outage:  # noqa: BLE001 - after any failure here, the feed has every event
                self._say(f"{self._stream} cannot be followed: {outage!r}")
            await asyncio.sleep(RETRY_SECONDS)

    async def _deliver(self, nats_url: str) -> None:
        """Let messages arrive until the connection or the consumer is lost."""
        self.wanted.clear()
        self._lost.clear()
        client = await connect(nats_url, error_cb=self._failed, closed_cb=self._closed)
        try:
            asking = [live.position for live in self._followers if live.asking]
            after = min(asking) if asking else max(live.position for live in self._followers)
            config = ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=after + 1,
                ack_policy=AckPolicy.NONE,
                inactive_threshold=FORGOTTEN_SECONDS,
                mem_storage=True,
            )
            await client.jetstream().subscribe(
                self._subject, stream=self._stream, cb=self._keep, manual_ack=True, config=config
            )
            self.connected = True
            self._say(f"{self._stream} is followed after {after}")
            if not stopping():
                await self._lost.wait()
        finally:
            self.connected = False
            with suppress(nats.errors.Error, OSError):
                await client.close()

    def _say(self, news: str) -> None:
        """Log news once, even if it repeats."""
        if news != self._said:
            logger.info(news)
        self._said = news

    async def _failed(self, error: Exception) -> None:
        self._say(f"{self._stream}: {error!r}")

    async def _closed(self) -> None:
        self._lost.set()

    def subscribe_again(self) -> None:
        """Give up this subscription: it has missed something, as it does when its stream was deleted."""
        self._lost.set()

    async def _keep(self, message: Msg) -> None:
        position, event = _position(message), _logged(message)
        for live in self._followers:
            live.keep(position, event)


class LiveLog:
    """A log as it is delivered to one follower; what arrives is kept until the follower takes it."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._waiting: deque[tuple[int, Logged | None]] = deque(maxlen=MESSAGES_KEPT_MAX)
        self._arrived = asyncio.Event()
        self.asking = False
        """False while the follower reads the feed, or has halted."""
        self.position = 0
        """The next subscription begins after this position; the worker moves it as it applies events."""

    def keep(self, position: int, event: Logged | None) -> None:
        """Keep the event at that position, None if it cannot be read; of too many, the last ones are kept."""
        self._waiting.append((position, event))
        self._arrived.set()

    async def arrived(self, seconds: float) -> list[Logged]:
        """What has arrived after `position` and follows it without a hole; waits so long for the first event.

        An empty list means that nothing came, that something is missing, or that it cannot be read: ask the feed.
        """
        self.asking = True
        self._delivery.wanted.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
        finally:
            self.asking = False
        events: list[Logged] = []
        while self._waiting and len(events) < BATCH_MESSAGES_MAX:
            expected = self.position + len(events) + 1
            position, event = self._waiting.popleft()
            if position > expected:
                self._waiting.clear()
            elif position == expected and event:
                events.append(event)
        if not self._waiting:
            self._arrived.clear()
        return events

    @property
    def idle(self) -> bool:
        """Whether everything that arrived is taken."""
        return not self._waiting


def _position(message: Msg) -> int:
    """Where the event stands in the log; 0 for a message that does not say."""
    said = (message.headers or {}).get("Hourbook-Position", "")
    return int(said) if said.isdecimal() else 0


def _logged(message: Msg) -> Logged | None:
    """The event as it stands in the feed; None if it cannot be read, so that the feed decides."""
    headers = message.headers or {}
    try:
        recorded_at = parse_instant(headers["ce-time"])
        kind = headers["ce-type"]
        recorded = Envelope(_position(message), headers["ce-id"], headers["ce-subject"], kind, recorded_at)
        return Logged(recorded, READERS[kind](message.data))
    except NOT_AS_WRITTEN as unreadable:
        logger.warning("message %s of %s cannot be read: %r", _position(message), message.subject, unreadable)
        return None
