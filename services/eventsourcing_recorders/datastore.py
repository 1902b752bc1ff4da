"""A pool of connections to PostgreSQL that raises the library's exceptions and outlasts an outage."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self
from uuid import UUID

import asyncpg
from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

from services.eventsourcing_recorders.settings import PostgresSettings
from services.ledger.event_store.database import UNAVAILABLE

OUTAGE_SECONDS_MAX = 10
RETRY_SECONDS = 0.1
CLOSE_SECONDS_MAX = 5
IDENTIFIER_BYTES_MAX = 63


class ConnectionLost(OperationalError):
    """PostgreSQL is unavailable, or the connection was lost before it answered: a statement may have taken effect."""


_TRANSLATIONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[DatabaseError]], ...] = (
    (asyncpg.IntegrityConstraintViolationError, IntegrityError),
    (asyncpg.DataError, DataError),
    (asyncpg.FeatureNotSupportedError, NotSupportedError),
    (UNAVAILABLE, ConnectionLost),
    (asyncpg.SyntaxOrAccessError, ProgrammingError),
    (asyncpg.InternalServerError, InternalError),
    ((asyncpg.ObjectNotInPrerequisiteStateError, asyncpg.TransactionRollbackError), OperationalError),
    (asyncpg.PostgresError, DatabaseError),
)


@contextmanager
def _librarys_exceptions() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        for raised, translated in _TRANSLATIONS:
            if isinstance(error, raised):
                raise translated(f"{type(error).__name__}: {error}") from error
        raise


async def _keep_session(_: asyncpg.Connection) -> None:
    """No statement here changes the session, so a returned connection needs no round trip that resets it."""


async def _decode_plain_uuids(connection: asyncpg.Connection) -> None:
    """The library's transcoders know `uuid.UUID` by its exact type, and asyncpg has one of its own."""
    await connection.set_type_codec(
        "uuid",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: (value if isinstance(value, UUID) else UUID(value)).bytes,
        decoder=lambda sixteen: UUID(bytes=bytes(sixteen)),
    )


class Datastore:
    """Reads are repeated over a short outage; what writes is sent once, and may end in ConnectionLost."""

    def __init__(self, pool: asyncpg.Pool, settings: PostgresSettings) -> None:
        self.settings = settings
        self._pool = pool
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: PostgresSettings) -> AsyncIterator[Self]:
        """Open for the time of the context. Connections are made when they are needed; commits wait for the disk."""
        pool = await asyncpg.create_pool(
            host=settings.host,
            port=settings.port,
            user=settings.user,
            password=settings.password,
            database=settings.database,
            min_size=0,
            max_size=settings.connections_max,
            max_inactive_connection_lifetime=settings.connection_idle_seconds,
            timeout=settings.connect_seconds,
            command_timeout=settings.statement_seconds,
            init=_decode_plain_uuids,
            reset=_keep_session,
            server_settings={
                "application_name": "hourbook eventsourcing",
                "synchronous_commit": "on",
                "search_path": quoted(settings.schema_name),
                "jit": "off",
                "lock_timeout": f"{settings.lock_seconds:.3f}s",
                "idle_in_transaction_session_timeout": f"{settings.idle_in_transaction_seconds:.3f}s",
            },
        )
        store = cls(pool, settings)
        try:
            yield store
        finally:
            await store.close()

    async def close(self) -> None:
        """What is under way may finish; what asks from now on gets InterfaceError."""
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await self._pool.close()
        except TimeoutError:  # asyncpg has cut the connections off by then
            return

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """One connection, for transactions; the library's exceptions come out of it."""
        if self._closed:
            raise InterfaceError("This datastore is closed.")
        with _librarys_exceptions():
            async with self._pool.acquire(timeout=self.settings.connect_seconds) as connection:
                yield connection

    async def write(self, statement: str, *arguments: Any) -> asyncpg.Record | None:
        """The first row of a statement that is sent once."""
        async with self.connection() as connection:
            return await connection.fetchrow(statement, *arguments)

    async def rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows of a statement that may be repeated."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + OUTAGE_SECONDS_MAX
        while True:
            try:
                async with self.connection() as connection:
                    return await connection.fetch(statement, *arguments)
            except ConnectionLost:
                if loop.time() >= give_up_at:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def value(self, statement: str, *arguments: Any) -> Any:
        """The first column of the first row of a statement that may be repeated, or None."""
        found = await self.rows(statement, *arguments)
        return found[0][0] if found else None

    async def create(self, template: str, names: Mapping[str, str]) -> None:
        """Run SQL that creates what is missing, with these names in it; several processes may do so at once."""
        async with self.connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('hourbook eventsourcing', 0))")
            await connection.execute(template.format_map(names))

    def qualified(self, name: str) -> str:
        """A table or function of the schema, quoted; ProgrammingError if PostgreSQL would cut the name short."""
        if len(name.encode()) > IDENTIFIER_BYTES_MAX:
            raise ProgrammingError(f"Identifier too long: {name}. PostgreSQL takes {IDENTIFIER_BYTES_MAX} bytes.")
        return f"{quoted(self.settings.schema_name)}.{quoted(name)}"


def quoted(identifier: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
