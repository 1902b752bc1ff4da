"""Connections to PostgreSQL as the role of a part; what it raises while it is unavailable is known here only."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import asyncpg

from services.ledger.event_store.roles import LEDGER
from services.process import postgres_link
from services.process.lost_past import WENT_BACK
from services.process.postgres_link import CONNECT_SECONDS_MAX, Link, bound_silence, kept_fresh

STATEMENT_SECONDS_MAX = 8

SESSION = {
    "application_name": "hourbook ledger",
    "synchronous_commit": "on",
    "jit": "off",
    "enable_seqscan": "off",  # every statement has its index; statistics of a young log say that it needs none
}

UNAVAILABLE = (
    OSError,  # refused, reset, unreachable, and TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # the connection was lost during the call
    asyncpg.InternalClientError,  # the same, while a statement was being prepared
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled
    asyncpg.InsufficientResourcesError,  # out of disk, memory or connections
    asyncpg.LockNotAvailableError,  # only an erasure has such a timeout; a backup may read the table for long
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is not promoted yet
    asyncpg.InvalidAuthorizationSpecificationError,  # a password that was changed while this runs
    asyncpg.InvalidCatalogNameError,  # a database that is being restored
)


class LedgerUnavailable(Exception):
    """PostgreSQL cannot be reached, so nothing can be recorded or read now."""


class LogWentBack(LedgerUnavailable):
    """The log does not have what is known of it: nothing is done on it before a new epoch has begun."""

    HINT = "hourbook restored"
    """By which `ledger.append_sealed` says so."""

    def __init__(self) -> None:
        super().__init__(WENT_BACK)


@contextmanager
def _reaching_postgres() -> Iterator[None]:
    try:
        yield
    except asyncpg.DataError:  # an InterfaceError too, but the fault is ours
        raise
    except asyncpg.LockNotAvailableError as refused:
        if refused.hint == LogWentBack.HINT:
            raise LogWentBack from refused
        raise LedgerUnavailable("PostgreSQL has not given a lock in time") from refused
    except UNAVAILABLE as outage:
        raise LedgerUnavailable(f"PostgreSQL cannot be reached: {type(outage).__name__}") from outage


Requirement = Callable[[asyncpg.Connection], Awaitable[None]]
"""Raises where a connection is not to be used."""


async def _nothing_required(_: asyncpg.Connection) -> None:
    pass


async def _keep_session(_: asyncpg.Connection) -> None:
    """No statement here changes the session, so a returned connection needs no round trip that resets it."""


class Database:
    """A pool of connections that come back by themselves after an outage."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def connected(
        cls,
        database_url: str,
        connections_max: int,
        seconds_max: float = STATEMENT_SECONDS_MAX,
        name: str = "ledger",
        role: str = LEDGER,
        require: Requirement = _nothing_required,
        **session: str,
    ) -> AsyncIterator[Self]:
        """Open for the time of the context; commits wait for the disk, whatever the server's default.

        `seconds_max`: how long a statement may take. `name`: of the pool, for metrics. `role`: as which the connections
        work. `require`: what each is asked when it is made. `session`: further settings of PostgreSQL for them.
        """

        async def begin(connection: asyncpg.Connection) -> None:
            await bound_silence(connection)
            await require(connection)

        pool = asyncpg.create_pool(
            database_url,
            min_size=0,
            max_size=connections_max,
            max_inactive_connection_lifetime=postgres_link.IDLE_SECONDS_MAX,
            timeout=CONNECT_SECONDS_MAX,
            command_timeout=seconds_max,
            connection_class=Link,
            init=begin,
            reset=_keep_session,
            server_settings={**SESSION, **postgres_link.SESSION, **session, "role": role},
        )
        async with kept_fresh(pool, name):
            yield cls(pool)

    async def require(self, requirement: Requirement) -> None:
        """Ask a connection what new ones are asked; LedgerUnavailable while PostgreSQL is unavailable."""
        async with self._connection() as connection:
            await requirement(connection)

    async def rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows of a statement; LedgerUnavailable while PostgreSQL is unavailable."""
        async with self._connection() as connection:
            return await connection.fetch(statement, *arguments)

    async def value(self, statement: str, *arguments: Any) -> Any:
        """The first column of the first row, or None; LedgerUnavailable while PostgreSQL is unavailable."""
        async with self._connection() as connection:
            return await connection.fetchval(statement, *arguments)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        """One for a statement. One that does not answer in time is given up, and all that idle with it."""
        with _reaching_postgres():
            async with self._pool.acquire(timeout=CONNECT_SECONDS_MAX) as connection:
                try:
                    yield connection
                except TimeoutError:
                    await self._pool.expire_connections()
                    raise
