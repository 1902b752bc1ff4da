"""The awaited recorder for callers that do not await: each call waits for an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakSet

import asyncpg
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    ListenNotifySubscription,
    Notification,
    ProcessRecorder,
    ProgrammingError,
    StoredEvent,
    Tracking,
    TrackingRecorder,
)

from services.ledger.event_store.recorders.awaited import AwaitedRecorder, Statement

POLL_SECONDS = 0.1

Answer = TypeVar("Answer")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The loop that all recorders of this process share; it ends with the process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="recorders", daemon=True).start()
    return loop


def wait_for(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What the coroutine returns or raises, from any thread but the loop's own."""
    loop = _loop()
    try:
        if asyncio.get_running_loop() is loop:
            work.close()
            raise ProgrammingError("a coroutine of the recorders' own loop has to await the recorder instead")
    except RuntimeError:  # the usual caller: no loop runs in its thread
        pass
    return asyncio.run_coroutine_threadsafe(work, loop).result()


class BridgedRecorder:
    """What all recorders have: the awaited one, and how to make its tables."""

    def __init__(self, awaited: AwaitedRecorder) -> None:
        self._awaited = awaited

    def create_table(self) -> None:
        """Make the application's tables where they are missing."""
        wait_for(self._awaited.create_table())


class BridgedAggregateRecorder(BridgedRecorder, AggregateRecorder):
    """Records sequences of aggregates, such as their snapshots."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """All or nothing; what is recorded here has no notification ids."""
        wait_for(self._awaited.insert_events(stored_events))
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """An aggregate's events by version."""
        return wait_for(self._awaited.select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit))


class BridgedApplicationRecorder(BridgedAggregateRecorder, ApplicationRecorder):
    """Records an application's events in one order, and tells whoever follows it."""

    def __init__(self, awaited: AwaitedRecorder) -> None:
        super().__init__(awaited)
        self._subscriptions: WeakSet[BridgedSubscription] = WeakSet()

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, tracking: Tracking | None = None, **_: Any
    ) -> Sequence[int] | None:
        """All or nothing; returns their notification ids."""
        ids = wait_for(self._awaited.insert_events(stored_events, tracking))
        for subscription in list(self._subscriptions):
            subscription.ring()
        return list(ids)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in the order in which they were recorded."""
        selected = self._awaited.select_notifications(start, limit, stop, topics, inclusive_of_start=inclusive_of_start)
        return wait_for(selected)

    def max_notification_id(self) -> int | None:
        """The id of the last event; None where there is none."""
        return wait_for(self._awaited.max_notification_id())

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "BridgedSubscription":
        """Follow the notifications after that one, for as long as you iterate."""
        subscription = BridgedSubscription(self, gt, topics)
        self._subscriptions.add(subscription)
        return subscription


class BridgedSubscription(ListenNotifySubscription[BridgedApplicationRecorder]):
    """Woken by this process's own recorder at once; what other processes record is found by polling."""

    def ring(self) -> None:
        """There is something new."""
        self._has_been_notified.set()

    def _loop_on_pull(self) -> None:
        try:
            while not self._has_been_stopped:
                self._pull()
                self._has_been_notified.wait(POLL_SECONDS)
        except BaseException as failure:  # noqa: BLE001 - whoever iterates raises it
            self._thread_error = self._thread_error or failure
            self.stop()


class BridgedTrackingRecorder(BridgedRecorder, TrackingRecorder):
    """Records how far notifications were processed. A view subclasses it and moves on with `insert_tracking`."""

    def insert_tracking(self, tracking: Tracking, *statements: Statement) -> None:
        """Move on, and execute these statements in the same transaction; IntegrityError if that was done before."""
        wait_for(self._awaited.insert_tracking(tracking, *statements))

    def max_tracking_id(self, application_name: str) -> int | None:
        """How far that application's notifications were processed; None where none was."""
        return wait_for(self._awaited.max_tracking_id(application_name))

    def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows of a statement that only reads."""
        return wait_for(self._awaited.fetch(statement, *arguments))

    def execute(self, statement: str) -> None:
        """Execute statements without arguments, such as those that make a view's tables."""
        wait_for(self._awaited.execute(statement))


class BridgedProcessRecorder(BridgedTrackingRecorder, BridgedApplicationRecorder, ProcessRecorder):
    """Records events together with the tracking of what they follow from."""
