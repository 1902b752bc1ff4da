"""Databases for tests on one server, each empty when it is taken.

To make one and drop it takes longer than most tests: PostgreSQL copies a template, and writes everything it has to disk
twice. So one that its test has left alone is emptied and used again.
"""

from collections.abc import AsyncIterator
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


class Databases:
    """Those of one server, of which some lie ready."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._ready: list[str] = []

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

    async def drop(self) -> None:
        """All that lie ready."""
        while self._ready:
            await self._drop(self._ready.pop())

    async def _make(self) -> str:
        name = f"test_{uuid4().hex}"
        await self._execute(f"CREATE DATABASE {name}")
        return urlsplit(self._server_url)._replace(path=f"/{name}").geturl()

    async def _drop(self, url: str) -> None:
        await self._execute(f"DROP DATABASE {urlsplit(url).path.removeprefix('/')} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

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
