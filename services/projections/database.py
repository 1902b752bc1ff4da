"""Connections to PostgreSQL as the projections' role, which sees no table of the ledger."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg

from services.process import postgres_link
from services.process.postgres_link import Link, bound_silence, kept_fresh

ROLE = "hourbook_projections"
"""Reads and writes the rows of the read models, which belong to OWNER."""

OWNER = "hourbook_projections_owner"
"""Owns the schemas of the read models, and builds them anew; no role of the ledger's."""

READER = "hourbook_reader"
"""Reads the views for dashboards."""

AS_OWNER = (
    "SELECT set_config('role', $1::text, $2) WHERE has_database_privilege($1::text, current_database(), 'CREATE')"
)
"""Where a database of an earlier version lets no role make schemas, the login goes on making them."""

STATEMENT_SECONDS_MAX = 8
WHOLE_TABLES_SECONDS_MAX = 60

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


def pool(
    database_url: str,
    connections: int,
    seconds_max: float = STATEMENT_SECONDS_MAX,
    name: str = "projections",
    role: str = ROLE,
) -> AbstractAsyncContextManager[asyncpg.Pool]:
    """Connections of the projections' role, made when needed, open for the time of the context.

    `seconds_max`: how long a statement may take: more for what goes over whole tables. `name`: for metrics.
    `role`: what they may do.

    A session leaves nothing behind but perhaps an open transaction, so only that is undone before its next use.
    """
    return kept_fresh(
        asyncpg.create_pool(
            database_url,
            min_size=0,
            max_size=connections,
            init=bound_silence,
            reset=_end_transaction,
            **connection_settings("hourbook projections", seconds_max, role),
        ),
        name,
    )


def connection_settings(name: str, seconds_max: float = STATEMENT_SECONDS_MAX, role: str = ROLE) -> dict[str, Any]:
    """Settings of a connection of the projections' role; `name` says in PostgreSQL what it is for."""
    session = {"role": role, "search_path": "projections", "application_name": name}
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
