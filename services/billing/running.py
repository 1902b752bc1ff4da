"""Billing at work in a process: what its routes ask, and what its rooms do by themselves."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import asyncpg
import httpx
from asyncpg.pool import PoolConnectionProxy
from fastapi import Depends, FastAPI, Request

from contracts.quantities import parse_instant
from services.access.caller import asking
from services.billing.database import migrate, pool
from services.billing.hourbook import ANSWER_SECONDS_MAX, SOON, Hourbook
from services.billing.settings import Settings
from services.documents.seller import Seller, seller
from services.process import erasure_journal
from services.process.postgres_link import CONNECT_SECONDS_MAX
from services.process.postgres_login import log_in
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.problem_responses import ProblemError
from services.process.settings import parsed
from services.process.stopping import end

HEALTH_SECONDS_MAX = 1
MIGRATION_SECONDS_MAX = 10
MIGRATION_RETRY_SECONDS = 0.2
UNREACHABLE = "The database of billing cannot be reached, or has no schema yet."
OUTAGES = ("billing-unavailable", "ledger-unavailable")
"""What every route of billing can answer while a server is unavailable."""

Connection = asyncpg.Connection | PoolConnectionProxy


@dataclass(frozen=True)
class Billing:
    """What the rooms work with, in one process."""

    settings: Settings
    pool: asyncpg.Pool
    hourbook: Hourbook
    """Asked with the key of billing's own; a route asks `hourbook.as_caller(request)` instead."""
    seller: Seller
    migration: asyncio.Task[None]

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection as billing's role; raises `billing-unavailable` while PostgreSQL is, or has no schema."""
        with self._reaching_postgres():
            async with self.pool.acquire(timeout=CONNECT_SECONDS_MAX) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection whose statements count together or not at all."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @contextmanager
    def _reaching_postgres(self) -> Iterator[None]:
        try:
            if not self.migration.done() or self.migration.exception():
                raise ConnectionError("the schema is not there yet")
            yield
        except asyncpg.DataError:  # an InterfaceError too, but the fault is ours
            raise
        except POSTGRES_UNAVAILABLE as outage:
            detail = "The database of billing cannot be reached now, or has too much to do. Try again."
            raise ProblemError("billing-unavailable", detail, headers=SOON) from outage

    async def now(self, hourbook: Hourbook) -> datetime:
        """The present; in the sandbox, what the test clock says to whoever asks."""
        if not self.settings.sandbox:
            return datetime.now(UTC)
        return parse_instant((await hourbook.get("/v1/test-clock"))["now"])

    async def keep_erasures(self, known: Iterable[str]) -> None:
        """Write an account's erasures into the journal outside the database; raises `billing-unavailable`."""
        try:
            await asyncio.to_thread(erasure_journal.keep, self.settings.erasures_file, known)
        except OSError as failure:
            detail = f"The journal of erasures cannot be written ({failure.strerror}); nothing was erased. Try again."
            raise ProblemError("billing-unavailable", detail, headers=SOON) from failure

    async def parts(self) -> dict[str, list[str]]:
        """What is against billing, a sentence each."""
        try:
            async with asyncio.timeout(HEALTH_SECONDS_MAX), self.connection() as connection:
                await connection.fetchval("SELECT count(*) FROM migration")
        except (ProblemError, TimeoutError):
            return {"billing": [UNREACHABLE]}
        return {"billing": []}


async def _billing(request: Request) -> Billing:
    return request.app.state.billing


async def _hourbook(request: Request) -> Hourbook:
    return request.app.state.billing.hourbook.as_caller(request)


BillingOf = Annotated[Billing, Depends(_billing)]
"""For a route."""

CallersHourbook = Annotated[Hourbook, Depends(_hourbook)]
"""For a route: Hourbook's other routes, asked as its caller."""


@asynccontextmanager
async def running_billing(settings: Settings, joined: FastAPI | None = None) -> AsyncIterator[Billing]:
    """Ready for questions, also while PostgreSQL or Hourbook is unavailable.

    `joined`: the application that has Hourbook's other routes too; without it they are asked at `hourbook_url`.
    """
    async with _client(settings, joined) as client, pool(settings.database_url) as connections:
        migration = asyncio.create_task(_migrate(settings.database_url))
        try:
            await asyncio.wait([migration], timeout=MIGRATION_SECONDS_MAX)
            if migration.done():
                migration.result()
            of_file = parsed("HOURBOOK_SELLER_FILE", settings.seller_file, seller)
            yield Billing(settings, connections, Hourbook(client), of_file, migration)
        finally:
            await end(migration)


def _client(settings: Settings, joined: FastAPI | None) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    if joined is None:
        return httpx.AsyncClient(**asking(settings.hourbook_url, settings.key_file), timeout=ANSWER_SECONDS_MAX)
    return httpx.AsyncClient(transport=httpx.ASGITransport(joined), base_url="http://localhost")


async def _migrate(database_url: str) -> None:
    """Bring the schema up to date as soon as PostgreSQL answers; OperatorError where it refuses."""
    while True:
        await log_in(database_url)
        with suppress(*POSTGRES_UNAVAILABLE):
            return await migrate(database_url)
        await asyncio.sleep(MIGRATION_RETRY_SECONDS)
