"""Is the schema what the migrations make? A view in a table's place, a trigger or another function could show an audit
one log and readers another.

What the migrations make is not written down a second time: they are run in a schema of another name, and rolled back.
"""

import re

import asyncpg

from services.ledger.event_store import migrations

EXPECTED = "hourbook_expected"
"""The name of the schema that is made and rolled back."""

_LISTED = r"""
WITH namespace AS (
    SELECT oid, nspowner, nspacl FROM pg_namespace WHERE nspname = $1
), relation AS (
    SELECT c.*, relowner = nspowner AS owned FROM pg_class AS c JOIN namespace ON namespace.oid = relnamespace
    WHERE relkind NOT IN ('i', 'I') -- an index is listed with its table
), function AS (
    SELECT p.*, proowner = nspowner AS owned FROM pg_proc AS p JOIN namespace ON namespace.oid = pronamespace
), granted AS (
    SELECT 'table ' || relname AS what, relowner AS owner, coalesce(relacl, acldefault('r', relowner)) AS acl
    FROM relation WHERE relkind <> 'c'
    UNION ALL SELECT 'function ' || proname, proowner, coalesce(proacl, acldefault('f', proowner)) FROM function
    UNION ALL SELECT 'schema', nspowner, coalesce(nspacl, acldefault('n', nspowner)) FROM namespace
)
SELECT format(
    'relation %s of kind %s, %s, row security %s %s, partition %s, owned like the schema %s', relname, relkind,
    relpersistence, relrowsecurity, relforcerowsecurity, coalesce(pg_get_expr(relpartbound, oid), 'no'), owned
) AS line FROM relation
UNION ALL SELECT format(
    'column %s of %s is %s, not null %s, collation %s, default %s, generated %s', attname, relname,
    format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation,
    coalesce(pg_get_expr(adbin, adrelid), 'none'), attgenerated
) FROM pg_attribute JOIN relation ON relation.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0 AND NOT attisdropped
UNION ALL SELECT format('constraint of %s: %s, valid %s', relname, pg_get_constraintdef(c.oid), convalidated)
FROM pg_constraint AS c JOIN relation ON relation.oid = conrelid WHERE contype <> 'n' -- listed with the column
UNION ALL SELECT format(
    'index of %s: %s, valid %s, ready %s', relname,
    regexp_replace(pg_get_indexdef(indexrelid), 'INDEX \S+ ON (ONLY )?', 'INDEX ON '), indisvalid, indisready
) FROM pg_index JOIN relation ON relation.oid = indrelid
UNION ALL SELECT format('trigger of %s: %s, enabled %s', relname, pg_get_triggerdef(t.oid), tgenabled)
FROM pg_trigger AS t JOIN relation ON relation.oid = tgrelid WHERE NOT tgisinternal
UNION ALL SELECT format('rule of %s: %s', relname, pg_get_ruledef(r.oid))
FROM pg_rewrite AS r JOIN relation ON relation.oid = ev_class
UNION ALL SELECT format('policy %s of %s', polname, relname) FROM pg_policy JOIN relation ON relation.oid = polrelid
UNION ALL SELECT format(
    'function %s, owned like the schema %s: %s', proname, owned,
    CASE WHEN prokind <> 'a' THEN pg_get_functiondef(oid) END
) FROM function
UNION ALL SELECT format(
    '%s may %s %s', CASE grantee WHEN owner THEN 'its owner' WHEN 0 THEN 'everybody' ELSE grantee::regrole::text END,
    privilege_type, what
) FROM granted, aclexplode(acl)
UNION ALL SELECT format('type %s', typname) FROM pg_type JOIN namespace ON namespace.oid = typnamespace
WHERE typtype <> 'c' AND typcategory <> 'A'
UNION ALL SELECT format('operator %s', oprname) FROM pg_operator JOIN namespace ON namespace.oid = oprnamespace
"""
# By these a function or a table of another schema could stand for one of PostgreSQL, and triggers could be silent.
_SESSION = r"""
SELECT format('%s is %s', name, setting) AS line FROM pg_settings
WHERE (name = 'search_path' AND setting ~ '\mpg_catalog\M')
    OR (name = 'session_replication_role' AND setting <> 'origin')
"""
# Where Citus has distributed the tables, their shards stand beside them; without Citus nobody reads this setting.
_WITHOUT_SHARDS = "SET citus.override_table_visibility = on"
_APPLIED = "SELECT name FROM ledger.migration WHERE name LIKE '%.sql'"
_NAMED = re.compile(r"\bledger\b")


class Catalogue:
    """The schema of the log in one database."""

    def __init__(self, database_url: str, logs: int) -> None:
        self._database_url = database_url
        self._logs = logs
        self._expected: frozenset[str] | None = None

    async def differences(self) -> list[str]:
        """What is there and should not be, and what is not and should, a sentence each."""
        connection = await asyncpg.connect(self._database_url, timeout=10)
        try:
            await connection.execute(_WITHOUT_SHARDS)
            applied = {row["name"] for row in await connection.fetch(_APPLIED)}
            if unknown := applied - {file.name for file in migrations.MIGRATIONS}:
                return [f"the schema is not that of this program: it does not know the migrations {sorted(unknown)}"]
            if self._expected is None:
                self._expected = await self._made(connection)
            there = await listed(connection, "ledger")
            session = [row["line"] for row in await connection.fetch(_SESSION)]
        finally:
            await connection.close()
        more, less = sorted(there - self._expected), sorted(self._expected - there)
        return [
            *(f"the schema has what no migration has made: {_shortened(line)}" for line in more),
            *(f"the schema lacks what a migration has made: {_shortened(line)}" for line in less),
            *(f"the database's settings are not to be trusted: {line}" for line in session),
        ]

    async def _made(self, connection: asyncpg.Connection) -> frozenset[str]:
        """What the migrations make, in a transaction of which nothing stays."""
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("SET LOCAL check_function_bodies = off")
            for text in migrations.texts(self._logs):
                await connection.execute(_NAMED.sub(EXPECTED, text))
            made = await listed(connection, EXPECTED)
        finally:
            await transaction.rollback()
        return frozenset(line.replace(EXPECTED, "ledger") for line in made)


async def listed(connection: asyncpg.Connection, schema: str) -> frozenset[str]:
    """What a schema consists of, a line each."""
    return frozenset(row["line"] for row in await connection.fetch(_LISTED, schema))


def _shortened(line: str) -> str:
    """Enough to know which function or table it is."""
    return line.replace("\n", " ")[:200]
