"""Where a live table, or a view over such, is not what follows from the log: row by row and column by column.

Tables, keys and columns are read from PostgreSQL, so that a table that is new is compared without a word of its own.
"""

import re
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

from asyncpg import Connection, Record

from contracts.placement import log_of
from services.projections.nodes import is_distributed
from services.projections.views import VIEWS

LEFT_OUT = {
    "alert_frontier": "tells when alerts began to be delivered, and up to where; that follows from when workers ran",
    "alert_numbering": "counts the changes of alerts in the order in which they were found, which logs do not tell",
    "alert_change": "keeps what was delivered, by earlier versions too, and of events that a restored log has lost",
    "alert_publication": "tells what NATS has acknowledged",
    "alert_endpoint": "tells up to where deliveries to an endpoint are entered",
    "alert_delivery": "tells what an endpoint has answered, and when",
    "forecast": "tells what the ledger has answered, and when; that follows from when workers asked",
    "followed_ledger": "names the ledger; a worker that meets another halts",
    "migration": "tells which texts of the schema were executed here, and when",
    "tracking": "is what the comparison rests on: its event and hash are compared with the log's",
}
"""Tables of the schema `projections` that no fold of the log makes, each with what stands in them instead."""

LEFT_OUT_COLUMNS = {
    ("halted_account", "reason"): "is in the words of the version that has met the event, and of what came with it",
}

ROWS_MAX = 10
"""So many rows of a table are named, and the others counted."""
SHOWN_MAX = 60

_COLUMNS = """
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required
    FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_KEY = """
    SELECT ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey::int2[]))
    FROM pg_index WHERE indrelid = to_regclass($1) AND indisunique AND indpred IS NULL AND indexprs IS NULL
    ORDER BY indisprimary DESC, indexrelid LIMIT 1
"""
# Others than the auditor could be shown something else by these.
_IS_PLAIN = """
    SELECT relkind = 'r' AND NOT relrowsecurity AND NOT relhasrules FROM pg_class WHERE oid = to_regclass($1)
"""
_MADE = "SELECT pg_get_viewdef(to_regclass($1))"
_THERE = """
    SELECT CASE relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE (nspname, relname) = ('reporting', $1)
"""
_MADE_VIEW = re.compile(r"CREATE OR REPLACE VIEW reporting\.(\w+) AS\s(.*?);\n", re.DOTALL)


class Difference(NamedTuple):
    """A row, or a column of it, that is not what follows from the log; the first rows of a table, and a count."""

    projection: str
    table: str
    said: str
    account_id: str | None = None

    def log_id(self, logs: int) -> int:
        """The log of its account; the first for what is of all accounts."""
        return log_of(self.account_id, logs) if self.account_id else 0

    def __str__(self) -> str:
        return f"the projection {self.projection} is not what the log makes of it: {self.table}{self.said}"


class Column(NamedTuple):
    """A column of a table."""

    name: str
    type: str
    required: bool


async def differences_of(connection: Connection, projection: str, table: str) -> AsyncIterator[Difference]:
    """Between the live table of that name and the temporary one, in the connection's transaction."""
    live, built = f"projections.{table}", f"pg_temp.{table}"
    columns, there = [await _columns(connection, each, table) for each in (built, live)]
    if sorted(columns) != sorted(there) or not await connection.fetchval(_IS_PLAIN, live):
        yield Difference(projection, table, " is not the table that this program makes, and nothing in it is compared")
        return
    live = await _at_hand(connection, table)
    key = await connection.fetchval(_KEY, built) or [column.name for column in columns]
    counted = [await connection.fetchval(f"SELECT count(*) FROM {each}") for each in (live, built)]  # noqa: S608
    rows = await connection.fetch(_differing_rows(live, built, columns, key))
    for row in rows:
        for said in _told(row, columns, key):
            yield Difference(projection, table, said, _account_of(row, columns))
    more = rows[0]["rows"] - len(rows) if rows else abs(counted[0] - counted[1])
    if more:
        yield Difference(projection, table, f" has {counted[0]} rows, the log makes {counted[1]}; {more} more differ")


async def _at_hand(connection: Connection, table: str) -> str:
    """The name of the live table, or of a copy of one whose rows stand on several nodes: those have no places here."""
    live = f"projections.{table}"
    if not await is_distributed(connection):
        return live
    await connection.execute(f"CREATE TEMPORARY TABLE live_{table} AS TABLE {live}; ANALYZE live_{table}")
    return f"pg_temp.live_{table}"


async def _columns(connection: Connection, name: str, table: str) -> list[Column]:
    found = [Column(*row) for row in await connection.fetch(_COLUMNS, name)]
    return [column for column in found if (table, column.name) not in LEFT_OUT_COLUMNS]


def _differing_rows(live: str, built: str, columns: Iterable[Column], key: Iterable[str]) -> str:
    """Bytes are compared, not what compares as equal: 1.0 is not 1.00 for those who read it."""
    required = {column.name for column in columns if column.required}
    same = " AND ".join(
        f'live."{name}" = built."{name}"' if name in required else _same_or_both_absent(name) for name in key
    )
    order = ", ".join(f'coalesce(live."{name}", built."{name}")' for name in key)
    names = [column.name for column in columns]
    rows = {side: ", ".join(f'{side}."{name}"' for name in names) for side in ("live", "built")}
    texts = {side: ", ".join(f'{side}."{name}"::text' for name in names) for side in ("live", "built")}
    return f"""
        SELECT live.ctid IS NOT NULL AS is_there, built.ctid IS NOT NULL AS is_made, count(*) OVER () AS rows,
               ARRAY[{texts["live"]}] AS live, ARRAY[{texts["built"]}] AS built
        FROM {live} AS live FULL JOIN {built} AS built ON {same}
        WHERE live.ctid IS NULL OR built.ctid IS NULL OR ROW({rows["live"]})::record *<> ROW({rows["built"]})::record
        ORDER BY {order} LIMIT {ROWS_MAX}
    """  # noqa: S608 - names from PostgreSQL's catalogue


def _same_or_both_absent(name: str) -> str:
    """In a form by which PostgreSQL can join."""
    texts = (f"coalesce({side}.\"{name}\"::text, '')" for side in ("live", "built"))
    absent = (f'({side}."{name}" IS NULL)' for side in ("live", "built"))
    return f"{' = '.join(texts)} AND {' = '.join(absent)}"


def _told(row: Record, columns: Iterable[Column], key: Iterable[str]) -> Iterable[str]:
    """What differs in a row, a sentence for each column."""
    names = [column.name for column in columns]
    live, built = dict(zip(names, row["live"], strict=True)), dict(zip(names, row["built"], strict=True))
    known = live if row["is_there"] else built
    place = ", ".join(f"{name} {known[name]}" for name in key)
    if not row["is_made"]:
        yield f" has a row that follows from no event ({place})"
    elif not row["is_there"]:
        yield f" lacks a row ({place})"
    else:
        for name in names:
            if live[name] != built[name]:
                yield (
                    f" ({place}): {name} is {_shown(live[name], built[name])}, and follows from the log as "
                    f"{_shown(built[name], live[name])}"
                )


def _shown(value: str | None, other: str | None) -> str:
    """Of a long text, from a little before where the other begins to differ."""
    if value is None:
        return "absent"
    same = next((n for n, (a, b) in enumerate(zip(value, other or "", strict=False)) if a != b), 0)
    start = max(0, same - 10) if len(value) > SHOWN_MAX else 0
    cut = value[start : start + SHOWN_MAX]
    return f"{'…' * (start > 0)}{cut}{'…' * (start + SHOWN_MAX < len(value))}"


def _account_of(row: Record, columns: Iterable[Column]) -> str | None:
    values = row["live"] if row["is_there"] else row["built"]
    return dict(zip((column.name for column in columns), values, strict=True)).get("account_id")


async def differing_views(connection: Connection) -> list[Difference]:
    """The views for dashboards that are not those of this program; what they read is compared as tables."""
    found: list[Difference] = []
    for name, query in _MADE_VIEW.findall(VIEWS):
        await connection.execute(f"CREATE TEMPORARY VIEW reporting_{name} AS {query}")
        made = await connection.fetchval(_MADE, f"pg_temp.reporting_{name}")
        if await connection.fetchval(_THERE, name) != made:
            found.append(Difference("reporting", name, " is not the view that this program makes"))
    return found
