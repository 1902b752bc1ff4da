"""Connections to PostgreSQL as the projections' role, which sees no table of the ledger."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg

from services.process.postgres_pool import STATEMENT_SECONDS_MAX, role_pool, session_settings

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

WHOLE_TABLES_SECONDS_MAX = 60


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
    """
    return role_pool(database_url, connections, name, connection_settings("hourbook projections", seconds_max, role))


def connection_settings(name: str, seconds_max: float = STATEMENT_SECONDS_MAX, role: str = ROLE) -> dict[str, Any]:
    """Settings of a connection of the projections' role; `name` says in PostgreSQL what it is for."""
    return session_settings(name, role, "projections", seconds_max)
