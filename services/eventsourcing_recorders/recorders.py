"""The library's recorders on asyncpg: the same names and exceptions, awaited.

Positions are gapless and in commit order, so a follower that has seen 7 will never find a 6 that it had missed.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent, Tracking

from services.eventsourcing_recorders.datastore import Datastore
from services.eventsourcing_recorders.events_table import EventsTable
from services.eventsourcing_recorders.group_commit import GroupCommit
from services.eventsourcing_recorders.subscription import AsyncpgSubscription
from services.eventsourcing_recorders.tracking_table import TrackingTable, Writes
from services.process.wake import POLL_SECONDS, Wake

EVENTS_TABLE, TRACKING_TABLE = "stored_events", "notification_tracking"


class AsyncpgAggregateRecorder:
    """Events by aggregate and version; such as snapshots, which may be deleted."""

    def __init__(self, datastore: Datastore, *, events_table_name: str = EVENTS_TABLE) -> None:
        self._events = EventsTable(datastore, events_table_name)
        self._commits = GroupCommit(self._events)

    async def create_table(self) -> None:
        """Create what is missing."""
        await self._events.create(insert_only=False)

    async def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Record all events or none; IntegrityError where a version is taken."""
        if stored_events:
            await self._commits.append(stored_events)
        return None

    async def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """An aggregate's events by version."""
        return await self._events.of_originator(originator_id, gt, lte, limit, desc=desc)


class AsyncpgApplicationRecorder(AsyncpgAggregateRecorder):
    """Events by aggregate and version, and by position in the application's log."""

    def __init__(self, datastore: Datastore, *, events_table_name: str = EVENTS_TABLE) -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        self._wake = Wake()

    async def create_table(self) -> None:
        """Create what is missing."""
        await self._events.create(insert_only=True)

    async def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Record all events or none, and return their positions; IntegrityError where a version is taken."""
        if not stored_events:
            return []
        return self._appended(await self._commits.append(stored_events), stored_events)

    def _appended(self, position: int, events: Sequence[StoredEvent]) -> Sequence[int]:
        self._wake.ring()
        return list(range(position, position + len(events)))

    async def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The log's events from one position to another, both included by default."""
        first = (start or 0) + (start is not None and not inclusive_of_start)
        return await self._events.page(first, stop, topics, limit)

    async def max_notification_id(self) -> int | None:
        """The last position; None in an empty log."""
        return await self._events.head()

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> AsyncpgSubscription:
        """The events after that position and then those to come, as an asynchronous iterator."""
        return AsyncpgSubscription(self, self._wake, gt, topics)


class AsyncpgTrackingRecorder:
    """How far each upstream application has been processed."""

    def __init__(self, datastore: Datastore, *, tracking_table_name: str = TRACKING_TABLE) -> None:
        self.datastore = datastore
        self._tracking = TrackingTable(datastore, tracking_table_name)

    async def create_table(self) -> None:
        """Create what is missing."""
        await self._tracking.create()

    async def insert_tracking(self, tracking: Tracking, writes: Writes = ()) -> None:
        """Move on, and write what the event changes in the same transaction; IntegrityError for a place passed before.

        `writes` are statements, each followed by its arguments. After a lost connection nobody knows whether it
        happened: OperationalError, and a follower that starts again begins where its tracking says.
        """
        await self._tracking.insert(tracking, writes)

    async def max_tracking_id(self, application_name: str) -> int | None:
        """The last place in that application's log; None before the first."""
        return await self._tracking.max(application_name)

    async def has_tracking_id(self, application_name: str, notification_id: int | None) -> bool:
        """Whether that place has been reached; None always has."""
        if notification_id is None:
            return True
        reached = await self.max_tracking_id(application_name)
        return reached is not None and reached >= notification_id

    async def wait(self, application_name: str, notification_id: int | None, timeout: float = 1.0) -> None:  # noqa: ASYNC109
        """Until that place is reached; TimeoutError after so many seconds."""
        async with asyncio.timeout(timeout):
            while not await self.has_tracking_id(application_name, notification_id):  # noqa: ASYNC110 - in another process
                await asyncio.sleep(POLL_SECONDS)


class AsyncpgProcessRecorder(AsyncpgTrackingRecorder, AsyncpgApplicationRecorder):
    """Events together with the place of what caused them in another application's log."""

    def __init__(
        self, datastore: Datastore, *, events_table_name: str = EVENTS_TABLE, tracking_table_name: str = TRACKING_TABLE
    ) -> None:
        AsyncpgApplicationRecorder.__init__(self, datastore, events_table_name=events_table_name)
        AsyncpgTrackingRecorder.__init__(self, datastore, tracking_table_name=tracking_table_name)

    async def create_table(self) -> None:
        """Create what is missing."""
        await AsyncpgApplicationRecorder.create_table(self)
        await AsyncpgTrackingRecorder.create_table(self)

    async def insert_events(
        self, stored_events: Sequence[StoredEvent], tracking: Tracking | None = None, **_: Any
    ) -> Sequence[int] | None:
        """Record all events and the tracking, or nothing; IntegrityError where a version or a place is taken."""
        if tracking is None:
            return await super().insert_events(stored_events)
        if not stored_events:
            await self.insert_tracking(tracking)
            return []
        return self._appended(await self._events.append(stored_events, tracking, self._tracking), stored_events)
