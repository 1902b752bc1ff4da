"""A schema in PostgreSQL, and what a program makes of it; any number of processes may look at it at once.

It is changed by numbered migrations, each applied once, and by texts that can be executed again, which are replaced
where they have changed. What was applied stands in its table `migration`, by name. A migration called
`0021_what.since_0020.sql` takes away what programs without migration 0020 use: those refuse the schema. All others
only add, so that a program of an earlier release works on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import asyncpg

_SERVES_SINCE = re.compile(r"\.since_(\d+)\.sql$")
# Only where it is missing: the right to make schemas is asked for even where there is nothing to make.
_MAKE = """
DO $$ BEGIN
    IF to_regnamespace('{schema}') IS NULL THEN
        CREATE SCHEMA {schema};
    END IF;
END $$;
CREATE TABLE IF NOT EXISTS {schema}.migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
"""
_HAS_BEGUN = "SELECT to_regclass($1) IS NOT NULL"
# A clock that stands still within a transaction cannot tell the last of several.
_RECORD = """
INSERT INTO {schema}.migration VALUES ($1, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET applied_at = excluded.applied_at
"""


@dataclass(frozen=True)
class Standing:
    """What stands in a database, compared with what a program makes of it.

    `missing`: what was never there. `replaced`: texts in whose place another program's stand now. `newer`: migrations
    of later releases. `refusing`: those of them that no longer serve this program.
    """

    schema: str
    missing: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()
    refusing: tuple[str, ...] = ()

    @property
    def due(self) -> tuple[str, ...]:
        """What `hourbook migrate` does; texts of a later release are left to it."""
        return self.missing if self.newer else self.missing + self.replaced

    def lacking(self, *names: str) -> "Standing":
        """The same where these are missing too, such as roles."""
        return replace(self, missing=(*names, *self.missing))


@dataclass(frozen=True)
class Schema:
    """What a program makes of a schema. `kind` is what its texts are called, such as functions."""

    name: str
    migrations: Sequence[Path] = ()
    texts: Sequence[str] = ()
    kind: str = "texts"

    @property
    def beginning(self) -> str:
        """SQL that makes the schema, with nothing in it but what was applied."""
        return _MAKE.format(schema=self.name)

    async def standing(self, connection: asyncpg.Connection) -> Standing:
        """How far the database is."""
        applied = await self._applied(connection)
        own = [file.name for file in self.migrations]
        newer = [name for name in applied if name.endswith(".sql") and name not in own]
        latest = next((name for name in reversed(applied) if name.startswith(f"{self.kind} ")), None)
        stands = not self.texts or self._digest in applied or bool(newer)
        return Standing(
            self.name,
            missing=(*(name for name in own if name not in applied), *([] if stands else [self.kind])),
            replaced=(self.kind,) if self.texts and stands and latest != self._digest else (),
            newer=tuple(newer),
            refusing=tuple(name for name in newer if _serves_since(name) > max(map(_number, own), default=0)),
        )

    async def apply(self, connection: asyncpg.Connection) -> None:
        """Apply what is due, within the caller's transaction and lock, after `beginning`."""
        due = (await self.standing(connection)).due
        for file in self.migrations:
            if file.name in due:
                await connection.execute(file.read_text(encoding="utf-8"))
                await connection.execute(_RECORD.format(schema=self.name), file.name)
        if self.kind in due:
            for text in self.texts:
                await connection.execute(text)
            await self.record(connection)

    async def record(self, connection: asyncpg.Connection) -> None:
        """The texts stand there now."""
        await connection.execute(_RECORD.format(schema=self.name), self._digest)

    async def _applied(self, connection: asyncpg.Connection) -> list[str]:
        """Names, the last that was applied last."""
        if not await connection.fetchval(_HAS_BEGUN, f"{self.name}.migration"):
            return []
        rows = await connection.fetch(f"SELECT name FROM {self.name}.migration ORDER BY applied_at, name")  # noqa: S608
        return [row["name"] for row in rows]

    @property
    def _digest(self) -> str:
        """What stands for all texts among what was applied; earlier ones stay, so that their program knows them."""
        return f"{self.kind} {sha256(''.join(self.texts).encode()).hexdigest()}"


def _number(name: str) -> int:
    digits = re.match(r"\d+", name)
    return int(digits[0]) if digits else 0


def _serves_since(name: str) -> int:
    """The migration that a program has to know which works on a schema with this one; 0 for every program."""
    found = _SERVES_SINCE.search(name)
    return int(found[1]) if found else 0
