"""Connections to PostgreSQL as the projections' role, which sees no table of the ledger."""

from typing import Any

import asyncpg

POSTGRES_UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InterfaceError,
    asyncpg.InvalidCachedStatementError,  # tables of another shape have taken the place of those it was prepared for
    asyncpg.InternalClientError,
)
"""What asyncpg raises while PostgreSQL is unavailable, or when it wants the transaction tried again;
asyncpg.DataError is an InterfaceError too, and means no such thing: catch it first where the data come from outside."""


def pool(database_url: str, connections: int) -> asyncpg.Pool:
    """Connections of the projections' role, made when needed.

    A session leaves nothing behind but perhaps an open transaction, so only that is undone before its next use.
    """
    return asyncpg.create_pool(
        database_url,
        min_size=0,
        max_size=connections,
        reset=_end_transaction,
        **connection_settings("hourbook projections"),
    )


def connection_settings(name: str) -> dict[str, Any]:
    """Settings of a connection of the projections' role; `name` says in PostgreSQL what it is for."""
    session = {"role": "hourbook_projections", "search_path": "projections", "application_name": name}
    return {"timeout": 5, "command_timeout": 60, "server_settings": session}


async def _end_transaction(connection: asyncpg.Connection) -> None:
    """A task that is cancelled while it begins a transaction may leave it open; this costs a round trip only then."""
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")
