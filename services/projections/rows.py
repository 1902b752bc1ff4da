"""Many rows in one statement: the columns of a batch, as arrays for `unnest`."""

from collections.abc import Iterable
from typing import Any

from asyncpg import Connection

Row = tuple[Any, ...]


async def insert(connection: Connection, statement: str, rows: Iterable[Row]) -> None:
    """Execute a statement whose parameters are the rows' columns; nothing, where there are no rows."""
    if columns := list(zip(*rows, strict=True)):
        await connection.execute(statement, *columns)
