"""Many rows in one statement: copied as they are, or as arrays for `unnest`, one for each column."""

from collections.abc import Iterable, Sequence
from typing import Any

from asyncpg import Connection

Row = tuple[Any, ...]


async def copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Add rows to a table by COPY, the fastest way there is; nothing, where there are no rows."""
    if rows:
        await connection.copy_records_to_table(table, columns=columns, records=rows)


async def insert(connection: Connection, statement: str, rows: Iterable[Row]) -> None:
    """Execute a statement whose parameters are the rows' columns; nothing, where there are no rows."""
    if columns := list(zip(*rows, strict=True)):
        await connection.execute(statement, *columns)
