"""The log as the relay publishes it, within milliseconds of the commit; what NATS loses, the feed has."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.process.nats_connection import Connection, connected
from services.process.reach import Reach
from services.process.stopping import end, stopping
from services.process.streams import owner_of
from services.projections import metrics
from services.projections.following.feed import LEDGER_UNAVAILABLE, LogFeed
from services.projections.following.identity import OtherLedger
from services.projections.following.logged import Logged
from services.projections.following.messages import event_of, position_of

logger = logging.getLogger(__name__)

MESSAGES_KEPT_MAX = 10_000
BATCH_MESSAGES_MAX = 1000
RETRY_SECONDS = 0.2
HASHES_MORE = 100
"""So many more are asked for: an answer that ends before them says where the log ends, and costs no second look."""


class Checked(NamedTuple):
    """What stands at a position of the log, after an event of that hash; no event where the feed has to be read."""

    position: int
    event: Logged | None = None
    hash: str | None = None
    previous: str | None = None


class Delivery:
    """What is published of one log, delivered to all its followers in this process: each message is read once.

    It hears the log's subjects, and asks JetStream for nothing but whose stream that is: who may make a consumer may
    also say to which subject it delivers. It subscribes when a follower asks for events, because the feed is faster for
    a follower that is far behind. It may lose messages, which shows only as a hole in the positions: those published
    before it subscribed, or when too many wait to be taken, or when NATS restarts. A message is believed when the log
    has its very event at that position: the feed is asked for the hashes of all that have arrived together, and what it
    does not have is dropped.
    """

    def __init__(self, nats_url: str | None, feed: LogFeed) -> None:
        self._url = nats_url
        self._feed = feed
        self._log = feed.log
        self._stream = f"HOURBOOK-{feed.log}"
        self._subject = f"hourbook.log.{feed.log}.>"
        self._followers: list[LiveLog] = []
        self._running: asyncio.Task[None] | None = None
        self._messages: deque[Msg] = deque(maxlen=MESSAGES_KEPT_MAX)
        self._arrived = asyncio.Event()
        self._lost = False
        self.wanted = asyncio.Event()
        self.connected = False
        self._said = ""
        self._reach = Reach("follower", feed.log)

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
                self._reach.works()  # nobody in this process wants it

    async def _run(self) -> None:
        """Subscribe, and subscribe again whenever the subscription is lost, until cancelled."""
        while self._url and not stopping():
            await self.wanted.wait()
            try:
                await self._deliver(self._url)
            except Exception as outage:  # noqa: BLE001 - after any failure here, the feed has every event
                if isinstance(outage, NatsError | OSError):
                    self._reach.fails()
                self._say(f"{self._stream} cannot be followed: {outage!r}", logging.WARNING)
            await asyncio.sleep(RETRY_SECONDS)

    async def _deliver(self, nats_url: str) -> None:
        """Hand on what arrives until the connection is lost."""
        self.wanted.clear()
        self._messages.clear()
        self._lost = False
        async with connected(nats_url, error_cb=self._failed, closed_cb=self._closed) as client:
            try:
                await self._subscribe(client)
                self._reach.works()
                self.connected = True
                while not self._lost and not stopping():
                    await self._arrived.wait()
                    self._arrived.clear()
                    while self._messages and not self._lost:
                        await self._hand_on(self._taken())
            finally:
                if self.connected:
                    self._reach.works()
                self.connected = False

    async def _subscribe(self, client: Connection) -> None:
        """Hear what is published from now on; OtherLedger for a stranger's stream."""
        await self._feed.require_owner(owner_of(await client.jetstream().stream_info(self._stream)))
        await client.subscribe(self._subject, cb=self._keep)
        await client.permitted()
        self._say(f"{self._stream} is followed")

    def _say(self, news: str, level: int = logging.INFO) -> None:
        """Log news once, even if it repeats."""
        if news != self._said:
            logger.log(level, news)
        self._said = news

    async def _failed(self, error: Exception) -> None:
        self._say(f"{self._stream}: {error!r}", logging.WARNING)

    async def _closed(self) -> None:
        self.subscribe_again()

    def subscribe_again(self) -> None:
        """Give up this subscription: it has missed something, as it does when its stream was deleted."""
        self._lost = True
        self._arrived.set()

    async def _keep(self, message: Msg) -> None:
        self._messages.append(message)
        self._arrived.set()

    def _taken(self) -> list[Msg]:
        """As many of the messages that wait as are checked together."""
        return [self._messages.popleft() for _ in range(min(len(self._messages), BATCH_MESSAGES_MAX))]

    async def _hand_on(self, messages: Sequence[Msg]) -> None:
        """To every follower, in the order of arrival; those without a hole between them are checked together."""
        run: list[tuple[int, Logged | None]] = []
        for message in messages:
            position = position_of(message)
            if run and position != run[-1][0] + 1:
                await self._check(run)
                run = []
            run.append((position, event_of(message)))
        await self._check(run)

    async def _check(self, run: Sequence[tuple[int, Logged | None]]) -> None:
        """Compare consecutive messages with the log; while the ledger does not answer, none of them is believed."""
        before = max(run[0][0] - 2, 0)  # the hash before the first is read too: it says what the run continues
        try:
            hashes = dict(enumerate(await self._feed.hashes(before, len(run) + 1 + HASHES_MORE), before + 1))
            compared = True
        except (*LEDGER_UNAVAILABLE, OtherLedger):
            hashes, compared = dict[int, str](), False
        refused = 0
        for position, event in run:
            its_hash = event and event.hash(self._log)
            checked = Checked(position)
            if its_hash and its_hash == hashes.get(position):
                checked = Checked(position, event, its_hash, hashes.get(position - 1))
            refused += bool(compared and its_hash and not checked.event)
            for live in self._followers:
                live.keep(checked)
        if refused:
            metrics.MESSAGES_REFUSED.labels(self._log).inc(refused)
            places = f"{run[0][0]} to {run[-1][0]}"
            logger.error("%s: the log does not have %d messages of %s; they are dropped", self._stream, refused, places)


class LiveLog:
    """A log as it is delivered to one follower; what arrives is kept until the follower takes it."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._waiting: deque[Checked] = deque(maxlen=MESSAGES_KEPT_MAX)
        self._arrived = asyncio.Event()
        self.asking = False
        """False while the follower reads the feed, or has halted."""
        self.position = 0
        """The next subscription begins after this position; the worker moves it as it applies events."""
        self.hash: str | None = None
        """The leaf hash of the event at that position, if it is known."""

    def keep(self, checked: Checked) -> None:
        """Keep what stands at a position; of too many, the last ones are kept."""
        self._waiting.append(checked)
        self._arrived.set()

    async def arrived(self, seconds: float) -> list[Logged]:
        """What has arrived and continues the log at `position` without a hole; waits so long for the first event.

        An empty list means that nothing came, that something is missing, or that the log continues another event than
        the one that was applied last: ask the feed.
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
        last = self.hash
        while self._waiting and len(events) < BATCH_MESSAGES_MAX:
            expected = self.position + len(events) + 1
            checked = self._waiting.popleft()
            if checked.position > expected:
                self._waiting.clear()
            elif checked.position == expected and checked.event and last in (None, checked.previous):
                events.append(checked.event)
                last = checked.hash
        if not self._waiting:
            self._arrived.clear()
        return events

    @property
    def idle(self) -> bool:
        """Whether everything that arrived is taken."""
        return not self._waiting
