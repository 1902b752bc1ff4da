"""A part's connections to PostgreSQL, each in its role and its schema, and what is raised while there is none."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg

from services.process import postgres_link
from services.process.postgres_link import Link, bound_silence, kept_fresh

STATEMENT_SECONDS_MAX = 8

POSTGRES_UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InterfaceError,
    asyncpg.InvalidCachedStatementError,  # tables of another shape have taken the place of those it was prepared for
    asyncpg.InternalClientError,
    asyncpg.InvalidAuthorizationSpecificationError,  # a password that was changed while this runs
    asyncpg.InvalidCatalogNameError,  # a database that is being restored
)
"""What asyncpg raises while PostgreSQL is unavailable, or when it wants the transaction tried again;
asyncpg.DataError is an InterfaceError too, and means no such thing: catch it first where the data come from outside."""


def role_pool(
    database_url: str, connections: int, name: str, settings: dict[str, Any]
) -> AbstractAsyncContextManager[asyncpg.Pool]:
    """Connections with those `settings`, made when needed, open for the time of the context; metrics have the `name`.

    A session leaves nothing behind but perhaps an open transaction, so only that is undone before its next use.
    """
    return kept_fresh(
        asyncpg.create_pool(
            database_url,
            min_size=0,
            max_size=connections,
            max_inactive_connection_lifetime=postgres_link.IDLE_SECONDS_MAX,
            init=bound_silence,
            reset=_end_transaction,
            **settings,
        ),
        name,
    )


def session_settings(name: str, role: str, schema: str, seconds_max: float = STATEMENT_SECONDS_MAX) -> dict[str, Any]:
    """Settings of a connection that works as a role in a schema; `name` says in PostgreSQL what it is for.

    `seconds_max`: how long a statement may take.
    """
    session = {"role": role, "search_path": schema, "application_name": name}
    return {
        "timeout": postgres_link.CONNECT_SECONDS_MAX,
        "command_timeout": seconds_max,
        "connection_class": Link,
        "server_settings": session | postgres_link.SESSION,
    }


async def _end_transaction(connection: asyncpg.Connection) -> None:
    """A task that is cancelled while it begins a transaction may leave it open; this costs a round trip only then."""
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")
