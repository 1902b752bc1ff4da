"""Follows a log: what is there, and then what comes."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol, Self

from eventsourcing.persistence import InternalError, Notification

from services.process.wake import Wake

PAGE_EVENTS_MAX = 500


class Log(Protocol):
    """What can be followed."""

    async def max_notification_id(self) -> int | None: ...

    async def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]: ...


class AsyncpgSubscription:
    """Woken by what is appended in this process; what others append is found by asking for the head ten times a second.

    Asking for the head first also keeps a subscription to rare topics from searching the same events again.
    """

    def __init__(self, log: Log, wake: Wake, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        self._log = log
        self._wake = wake
        self._ring = wake.next
        self._seen = gt or 0
        self._topics = topics
        self._page: deque[Notification] = deque()
        self._stopped = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the iteration, also one that waits."""
        self._stopped = True
        self._ring.rung.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notification:
        """The next event; waits for it."""
        if not self._page:
            self._page.extend(await self.next_page())
        if self._stopped:
            raise StopAsyncIteration
        return self._page.popleft()

    async def next_page(self) -> Sequence[Notification]:
        """The next events, at least one unless the subscription was stopped."""
        while not self._stopped:
            self._ring = self._wake.next
            if page := await self._newer():
                return page
            if not self._stopped:
                await self._ring.wait()
        return ()

    async def _newer(self) -> Sequence[Notification]:
        head = await self._log.max_notification_id() or 0
        if head <= self._seen:
            return ()
        page = await self._log.select_notifications(
            self._seen, PAGE_EVENTS_MAX, head, self._topics, inclusive_of_start=False
        )
        last = page[-1].id if len(page) == PAGE_EVENTS_MAX else head
        if not self._topics and len(page) != last - self._seen:
            raise InternalError(f"The log has a gap between {self._seen} and {last}, which must never happen.")
        self._seen = last
        return page
