"""The views for dashboards, and the role that reads them and nothing else.

Tables under views can be dropped only together with them: a rebuild drops both and makes the views again, in one
transaction.
"""

from contextlib import suppress
from pathlib import Path

import asyncpg

READER_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hourbook_reader') THEN
        CREATE ROLE hourbook_reader NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
"""
"""Outside a transaction: roles belong to the whole cluster, where another database may be creating the same one."""

VIEWS = Path(__file__).with_name("reporting.sql").read_text(encoding="utf-8")
"""Makes schema, views, comments and grants, as often as executed."""

GRANTS = """
GRANT USAGE ON SCHEMA projections TO hourbook_projections;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projections TO hourbook_projections;
"""


async def open_to_readers(connection: asyncpg.Connection) -> None:
    """What is made anew whenever tables are: grants, and the views over them.

    Views over tables of another version, which have other columns, wait until those are replaced as well.
    """
    await connection.execute(GRANTS)
    with suppress(asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        async with connection.transaction():
            await connection.execute(VIEWS)
