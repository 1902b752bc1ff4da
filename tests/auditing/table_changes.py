"""Changes that the owner of the database makes to read models: a value, a row less, a row more, in any table."""

from typing import NamedTuple

from asyncpg import Connection

from services.auditing.side_tables import TABLES

COLUMNS = """
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
    WHERE attrelid = to_regclass('projections.' || $1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
LIMITS = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname) FROM pg_constraint
    WHERE connamespace = 'projections'::regnamespace AND contype IN ('c', 'f', 'p', 'u')
    UNION ALL SELECT 'ALTER TABLE projections.account ALTER balance_minutes DROP EXPRESSION'
"""
OTHER = {
    "bigint": "coalesce({0}, 0) + 1",
    "integer": "coalesce({0}, 0) + 1",
    "text": "coalesce({0}, '') || 'x'",
    "text[]": "{0} || 'x'::text",
    "boolean": "NOT {0}",
    "date": "CASE WHEN isfinite({0}) THEN {0} + 1 ELSE current_date END",
    "timestamp with time zone": "CASE WHEN isfinite({0}) THEN {0} + interval '1 microsecond' ELSE now() END",
    "json": "(regexp_replace({0}::text, '[0-9]', '7') || ' ')::json",
    "jsonb": "coalesce({0}, '{{}}') || '{{\"inn\": \"0\"}}'",
}
"""What somebody makes of a value, by its type."""


class ColumnOf(NamedTuple):
    """A column of a live table, and its type."""

    table: str
    name: str
    type: str


class RowOf(NamedTuple):
    """A row of a live table, as it stands there at present."""

    table: str
    at: str


async def columns(connection: Connection) -> list[ColumnOf]:
    """All of all read models."""
    return [ColumnOf(table, *row) for table in TABLES for row in await connection.fetch(COLUMNS, table)]


async def rows(connection: Connection, table: str) -> list[RowOf]:
    """All of a table."""
    found = await connection.fetch(f"SELECT ctid::text AS at FROM projections.{table}")
    return [RowOf(table, row["at"]) for row in found]


async def lift_limits(connection: Connection) -> None:
    """Nothing is refused that PostgreSQL would refuse to a worker."""
    for (statement,) in await connection.fetch(LIMITS):
        await connection.execute(statement)


async def change_value(connection: Connection, column: ColumnOf, row: RowOf) -> str:
    """What it was, as text."""
    other = OTHER[column.type].format(f'"{column.name}"')
    place = f"projections.{row.table} WHERE ctid = '{row.at}'"
    before = await connection.fetchval(f'SELECT "{column.name}"::text FROM {place}')
    table, where = place.split(" ", 1)
    assert await connection.execute(f'UPDATE {table} SET "{column.name}" = {other} {where}') == "UPDATE 1"
    return before


async def delete_row(connection: Connection, row: RowOf) -> None:
    await connection.execute(f"DELETE FROM projections.{row.table} WHERE ctid = '{row.at}'")


async def repeat_row(connection: Connection, row: RowOf) -> None:
    table = f"projections.{row.table}"
    await connection.execute(f"INSERT INTO {table} SELECT * FROM {table} WHERE ctid = '{row.at}'")
