"""Databases for tests on one server, each empty when it is taken.

To make one and drop it takes longer than most tests: PostgreSQL copies a template, and writes everything it has to disk
twice. So one that its test has left alone is emptied and used again. Where the disk is memory, files are copied within
milliseconds: there a database that has the schemas already is such a copy.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

LEFT_ALONE = """
    SELECT NOT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    ) AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)
"""
SCHEMAS = """
    SELECT format('%I', nspname) FROM pg_namespace
    WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg\\_%'
"""
RIGHTS = """
    SELECT format('REVOKE ALL ON DATABASE %I FROM %s', datname, grantee::regrole)
    FROM pg_database, aclexplode(datacl) WHERE datname = current_database() AND grantee NOT IN (0, datdba)
"""
# A copy of a database has none of the rights on it.
RIGHTS_FOR_COPY = """
    SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, $1::text, grantee::regrole)
    FROM pg_database, aclexplode(datacl) WHERE datname = $2 AND grantee NOT IN (0, datdba)
"""
# Its triggers let nothing be changed.
ANOTHER_LEDGER = """
    SET session_replication_role = replica;
    UPDATE ledger.identity SET ledger_id = gen_random_uuid();
"""


class Databases:
    """Those of one server, of which some lie ready.

    `make_schemas`: makes them in an empty database. `copies`: whether files are copied at once.
    """

    def __init__(
        self, server_url: str, make_schemas: Callable[[str], Awaitable[None]], *, copies: bool = False
    ) -> None:
        self._server_url = server_url
        self._make_schemas = make_schemas
        self._copies = copies
        self._ready: list[str] = []
        self._model: str | None = None

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str]:
        """The address of one; whoever is still connected after the context is cut off."""
        url = self._ready.pop() if self._ready else await self._make()
        try:
            yield url
        finally:
            if await self._emptied(url):
                self._ready.append(url)
            else:
                await self._drop(url)

    @asynccontextmanager
    async def with_schemas(self) -> AsyncIterator[str]:
        """The address of one that was migrated, a ledger of its own, with nothing recorded; otherwise like `empty`."""
        if not self._copies:
            async with self.empty() as url:
                await self._make_schemas(url)
                yield url
            return
        if self._model is None:
            self._model = await self._make()
            await self._make_schemas(self._model)
        url = await self._copy(self._model)
        try:
            yield url
        finally:
            await self._drop(url)

    async def drop(self) -> None:
        """All that lie ready."""
        for url in (*self._ready, *filter(None, [self._model])):
            await self._drop(url)

    async def _make(self) -> str:
        url = self._new()
        await _execute(self._server_url, f"CREATE DATABASE {_name(url)}")
        return url

    async def _copy(self, model: str) -> str:
        url = self._new()
        connection = await asyncpg.connect(self._server_url)
        try:
            await connection.execute(f"CREATE DATABASE {_name(url)} TEMPLATE {_name(model)} STRATEGY file_copy")
            for (right,) in await connection.fetch(RIGHTS_FOR_COPY, _name(url), _name(model)):
                await connection.execute(right)
        finally:
            await connection.close()
        await _execute(url, ANOTHER_LEDGER)
        return url

    def _new(self) -> str:
        return urlsplit(self._server_url)._replace(path=f"/test_{uuid4().hex}").geturl()

    async def _drop(self, url: str) -> None:
        await _execute(self._server_url, f"DROP DATABASE {_name(url)} WITH (FORCE)")

    async def _emptied(self, url: str) -> bool:
        """Whether it could be: somebody who stays might write to it still, when it is another test's."""
        connection = await asyncpg.connect(url)
        try:
            if not await connection.fetchval(LEFT_ALONE):
                return False
            for (schema,) in await connection.fetch(SCHEMAS):  # one by one: each table takes a lock, and they are few
                await connection.execute(f"DROP SCHEMA {schema} CASCADE")
            for (revocation,) in await connection.fetch(RIGHTS):
                await connection.execute(revocation)
            return True
        finally:
            await connection.close()


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
