"""The library's own recorder contracts, each call run by an asyncpg recorder on an event loop's thread.

A view or another recorder of an application's own derives from one of these classes.
"""

from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import asyncpg
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
    TrackingRecorder,
)

from services.eventsourcing_recorders.datastore import Datastore
from services.eventsourcing_recorders.loop_thread import LoopThread
from services.eventsourcing_recorders.recorders import (
    AsyncpgAggregateRecorder,
    AsyncpgApplicationRecorder,
    AsyncpgProcessRecorder,
    AsyncpgTrackingRecorder,
)
from services.eventsourcing_recorders.tracking_table import Writes

T = TypeVar("T")


class _Blocking:
    """Holds the loop; `awaited` is the class of the recorder that does the work."""

    awaited: ClassVar[Any]

    def __init__(self, loop: LoopThread[Datastore], **table_names: str) -> None:
        self._loop = loop
        self._recorder = self.awaited(loop.resource, **table_names)

    def create_table(self) -> None:
        """Create what is missing."""
        self._run(self._recorder.create_table())

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(call)


class BlockingAggregateRecorder(_Blocking, AggregateRecorder):
    """Events by aggregate and version."""

    awaited = AsyncpgAggregateRecorder

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        return self._run(self._recorder.insert_events(stored_events, **kwargs))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        return self._run(self._recorder.select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit))


class BlockingApplicationRecorder(BlockingAggregateRecorder, ApplicationRecorder):
    """Events by position too."""

    awaited = AsyncpgApplicationRecorder

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        return self._run(
            self._recorder.select_notifications(start, limit, stop, topics, inclusive_of_start=inclusive_of_start)
        )

    def max_notification_id(self) -> int | None:
        return self._run(self._recorder.max_notification_id())

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "BlockingSubscription":
        return BlockingSubscription(self, gt, topics)


class BlockingSubscription(Subscription[BlockingApplicationRecorder]):
    """Blocks after the last event until there is another one; `stop` may be called from any thread."""

    def __init__(self, recorder: BlockingApplicationRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._loop = recorder._loop  # noqa: SLF001 - of this module
        self._followed = recorder._recorder.subscribe(gt, topics)  # noqa: SLF001
        self._page: deque[Notification] = deque()

    def stop(self) -> None:
        super().stop()
        self._loop.call_soon(self._followed.stop)

    def __next__(self) -> Notification:
        if not self._page and not self._has_been_stopped:
            self._page.extend(self._loop.run(self._followed.next_page()))
        if self._has_been_stopped:
            raise StopIteration
        return self._page.popleft()


class BlockingTrackingRecorder(_Blocking, TrackingRecorder):
    """How far each upstream application has been processed, and what a view stores with it."""

    awaited = AsyncpgTrackingRecorder

    def insert_tracking(self, tracking: Tracking, writes: Writes = ()) -> None:
        """Move on, and execute these statements, each followed by its arguments, in the same transaction."""
        self._run(self._recorder.insert_tracking(tracking, writes))

    def max_tracking_id(self, application_name: str) -> int | None:
        return self._run(self._recorder.max_tracking_id(application_name))

    def rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows of a statement of the view's own; it may be repeated, where the connection is lost."""
        return self._run(self._recorder.datastore.rows(statement, *arguments))


class BlockingProcessRecorder(BlockingTrackingRecorder, BlockingApplicationRecorder, ProcessRecorder):
    """Events together with tracking."""

    awaited = AsyncpgProcessRecorder
