"""The views for dashboards, and the role that reads them and nothing else.

Tables under views can be dropped only together with them: a rebuild drops both and makes the views again, in one
transaction.
"""

from contextlib import suppress
from pathlib import Path

import asyncpg

from services.projections.nodes import distribute

VIEWS = Path(__file__).with_name("reporting.sql").read_text(encoding="utf-8")
"""Makes schema, views, comments and grants, as often as executed."""

GRANTS = """
GRANT USAGE ON SCHEMA projections TO hourbook_projections;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projections TO hourbook_projections;
GRANT USAGE ON SCHEMA projections TO hourbook_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA projections TO hourbook_auditor;
"""


async def open_to_readers(connection: asyncpg.Connection) -> None:
    """What is made anew whenever tables are: grants, and the views over them.

    Views over tables of another version, which have other columns, wait until those are replaced as well.
    """
    await connection.execute(GRANTS)
    with suppress(asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        async with connection.transaction():
            await connection.execute(VIEWS)
    await distribute(connection, "projections")
