"""The recorder of the `eventsourcing` library on asyncpg: its method names and exceptions, awaited."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from eventsourcing.persistence import (
    DataError,
    IntegrityError,
    InterfaceError,
    Notification,
    OperationalError,
    ProgrammingError,
    StoredEvent,
    Tracking,
)

from services.ledger.event_store.database import AWAY
from services.ledger.event_store.recorders.tables import Tables

READ_ATTEMPTS_MAX = 10
RETRY_SECONDS = 0.2

Statement = tuple[Any, ...]
"""SQL and its arguments."""

Answer = TypeVar("Answer")


class AwaitedRecorder:
    """Stored events, notifications and tracking of one application, in one log of its tables.

    Raises the library's exceptions: IntegrityError where a version or a tracking was recorded before, OperationalError
    where PostgreSQL is away, ProgrammingError where the tables are not there.
    """

    def __init__(self, pool: asyncpg.Pool, tables: Tables, log_id: int = 0) -> None:
        self._pool = pool
        self._tables = tables
        self._log_id = log_id

    async def create_table(self) -> None:
        """Make the application's tables where they are missing."""
        with _as_the_library_says():
            async with self._pool.acquire() as connection:
                await self._tables.create(connection)

    async def insert_events(
        self, stored_events: Sequence[StoredEvent], tracking: Tracking | None = None
    ) -> Sequence[int]:
        """Record events, and with them a tracking, all or nothing; returns their notification ids.

        When the link breaks, nobody knows whether the commit happened: the log is asked, and only what is not there is
        sent again, unchanged.
        """
        try:
            return await self._insert(stored_events, tracking)
        except OperationalError:
            if not stored_events:
                raise
            await asyncio.sleep(RETRY_SECONDS)
            if settled := await self._settled(stored_events):
                return settled
            return await self._insert(stored_events, tracking)

    async def _insert(self, stored_events: Sequence[StoredEvent], tracking: Tracking | None) -> Sequence[int]:
        append = f"SELECT {self._tables.append}($1, $2, $3, $4, $5)" if stored_events else ""
        columns = (
            [event.originator_id for event in stored_events],
            [event.originator_version for event in stored_events],
            [event.topic for event in stored_events],
            [event.state for event in stored_events],
        )
        with _as_the_library_says():
            async with self._pool.acquire() as connection:
                if tracking is None:
                    first = await connection.fetchval(append, self._log_id, *columns) if append else 1
                else:
                    async with connection.transaction():
                        await self._track(connection, tracking)
                        first = await connection.fetchval(append, self._log_id, *columns) if append else 1
        return range(first, first + len(stored_events))

    async def _settled(self, stored_events: Sequence[StoredEvent]) -> Sequence[int] | None:
        """Where these very events are, once every append that began earlier has ended either way."""
        first = stored_events[0]
        lock = f"SELECT pg_advisory_xact_lock(hashtextextended({self._tables.lock_name}, $1))"
        there = f"""
            SELECT notification_id FROM {self._tables.events}
            WHERE log_id = $1 AND originator_id = $2 AND originator_version = $3 AND topic = $4 AND state = $5
        """  # noqa: S608 - names are quoted
        with _as_the_library_says():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(lock, self._log_id)
                key = (first.originator_id, first.originator_version, first.topic, first.state)
                found = await connection.fetchval(there, self._log_id, *key)
        return found and range(found, found + len(stored_events))

    async def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """An aggregate's events by version."""
        statement = f"""
            SELECT originator_id, originator_version, topic, state FROM {self._tables.events}
            WHERE log_id = $1 AND originator_id = $2
                AND ($3::bigint IS NULL OR originator_version > $3)
                AND ($4::bigint IS NULL OR originator_version <= $4)
            ORDER BY originator_version {"DESC" if desc else "ASC"} LIMIT $5
        """  # noqa: S608
        rows = await self._rows(statement, self._log_id, originator_id, gt, lte, limit)
        return [StoredEvent(*row) for row in rows]

    async def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[Notification]:
        """Events in the order in which they were recorded."""
        after = None if start is None else start - 1 if inclusive_of_start else start
        statement = f"""
            SELECT originator_id, originator_version, topic, state, notification_id FROM {self._tables.events}
            WHERE log_id = $1 AND notification_id > coalesce($2, 0)
                AND ($3::bigint IS NULL OR notification_id <= $3) AND ($4::text[] IS NULL OR topic = ANY ($4))
            ORDER BY notification_id LIMIT $5
        """  # noqa: S608
        rows = await self._rows(statement, self._log_id, after, stop, list(topics) or None, limit)
        return [Notification(*row) for row in rows]

    async def max_notification_id(self) -> int | None:
        """The id of the last event; None where there is none."""
        statement = f"SELECT max(notification_id) FROM {self._tables.events} WHERE log_id = $1"  # noqa: S608
        return (await self._rows(statement, self._log_id))[0][0]

    async def insert_tracking(self, tracking: Tracking, *statements: Statement) -> None:
        """Move a tracking on, and execute these statements in the same transaction.

        IntegrityError if that notification, or a later one, was tracked before: then nothing is done.
        """
        with _as_the_library_says():
            async with self._pool.acquire() as connection, connection.transaction():
                await self._track(connection, tracking)
                for statement, *arguments in statements:
                    await connection.execute(statement, *arguments)

    async def _track(self, connection: asyncpg.Connection, tracking: Tracking) -> None:
        track = f"SELECT {self._tables.track}($1, $2, $3)"
        await connection.fetchval(track, self._log_id, tracking.application_name, tracking.notification_id)

    async def max_tracking_id(self, application_name: str) -> int | None:
        """How far that application's notifications were processed; None where none was."""
        statement = f"""
            SELECT max(notification_id) FROM {self._tables.tracking} WHERE log_id = $1 AND application_name = $2
        """  # noqa: S608
        return (await self._rows(statement, self._log_id, application_name))[0][0]

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows of a statement that only reads."""
        return await self._rows(statement, *arguments)

    async def execute(self, statement: str) -> None:
        """Execute statements without arguments, such as those that make tables."""
        with _as_the_library_says():
            async with self._pool.acquire() as connection:
                await connection.execute(statement)

    async def _rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        async def read() -> list[asyncpg.Record]:
            async with self._pool.acquire() as connection:
                return await connection.fetch(statement, *arguments)

        return await _again_while_away(read)


async def _again_while_away(read: Callable[[], Awaitable[Answer]]) -> Answer:
    """What only reads may be tried again."""
    for attempt in range(READ_ATTEMPTS_MAX):
        try:
            with _as_the_library_says():
                return await read()
        except OperationalError:
            if attempt == READ_ATTEMPTS_MAX - 1:
                raise
            await asyncio.sleep(RETRY_SECONDS)
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _as_the_library_says() -> Iterator[None]:
    """What asyncpg raises, as the exception of the same meaning in the library."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as taken:
        raise IntegrityError(str(taken)) from taken
    except asyncpg.DataError as misfit:
        raise DataError(str(misfit)) from misfit
    except asyncpg.SyntaxOrAccessError as wrong:
        raise ProgrammingError(str(wrong)) from wrong
    except AWAY as away:
        closed = isinstance(away, asyncpg.InterfaceError) and "pool is clos" in str(away)
        raise (InterfaceError if closed else OperationalError)(repr(away)) from away
