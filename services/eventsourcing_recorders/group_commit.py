"""Appends that wait at the same time share a transaction, without any timer: one commits while the next gathers."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from eventsourcing.persistence import IntegrityError, StoredEvent

from services.eventsourcing_recorders.events_table import EventsTable

BATCH_EVENTS_MAX = 5_000


@dataclass
class Append:
    """Events that a caller wants to have recorded; the answer is the position of the first."""

    events: Sequence[StoredEvent]
    answer: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def resolve(self, position: int) -> None:
        """It is recorded."""
        if not self.answer.done():  # the caller may have left
            self.answer.set_result(position)

    def fail(self, error: BaseException) -> None:
        """It is not recorded, or that is unknown."""
        if not self.answer.done():
            self.answer.set_exception(error)


class GroupCommit:
    """In order of arrival. An append that loses to another one spoils none of its batch."""

    def __init__(self, table: EventsTable) -> None:
        self._table = table
        self._waiting: deque[Append] = deque()
        self._committing: asyncio.Task[None] | None = None

    async def append(self, events: Sequence[StoredEvent]) -> int:
        """Record all events or none; returns the position of the first."""
        append = Append(events)
        self._waiting.append(append)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_waiting())
        return await append.answer

    async def _commit_waiting(self) -> None:
        """Commit batches until no append waits."""
        try:
            while self._waiting:
                await self._commit_batch(self._batch())
        finally:
            self._committing = None

    def _batch(self) -> list[Append]:
        batch, events = [], 0
        while self._waiting and (not batch or events + len(self._waiting[0].events) <= BATCH_EVENTS_MAX):
            batch.append(self._waiting.popleft())
            events += len(batch[-1].events)
        return batch

    async def _commit_batch(self, batch: list[Append]) -> None:
        try:
            position = await self._table.append([event for append in batch for event in append.events])
        except IntegrityError as conflict:
            if len(batch) == 1:
                batch[0].fail(conflict)
            else:
                for append in batch:
                    await self._commit_batch([append])
        except Exception as failure:  # noqa: BLE001 - any failure is the answer of the callers that wait
            for append in batch:
                append.fail(failure)
        else:
            for append in batch:
                append.resolve(position)
                position += len(append.events)
