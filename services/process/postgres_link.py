"""Connections to PostgreSQL that end soon where the server has gone without a word, as when its machine has failed.

A server that is killed resets its connections. One whose machine is gone, or whose packets are lost, is noticed by
nothing but the time that passes.
"""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from services.process import metrics
from services.process.stopping import end

CONNECT_SECONDS_MAX = 3
SILENCE_SECONDS_MAX = 6
IDLE_SECONDS_MAX = 60
"""What was opened in a rush is given back: PostgreSQL keeps some 4 MB for each connection."""

PING_SECONDS_MAX = 2
PING_EVERY_SECONDS = 2
ANSWERED_SECONDS = 1
"""A connection that has answered so lately is not asked whether it does."""


SESSION = {
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": str(SILENCE_SECONDS_MAX * 1000),
}
"""What PostgreSQL does on its side: it lets go of the locks of a process that has vanished."""

_OF_SOCKET = {"TCP_KEEPIDLE": 3, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": SILENCE_SECONDS_MAX * 1000}


NODE_LOST = ("server closed the connection unexpectedly", "failure on connection marked as essential")
"""Words by which Citus says that a node has gone, with no better code than that of an internal error."""


def named(error: asyncpg.InternalServerError) -> asyncpg.PostgresError:
    """The error, or that of a lost connection where it says that a node of Citus has gone."""
    return asyncpg.ConnectionFailureError(str(error)) if any(words in str(error) for words in NODE_LOST) else error


class Link(asyncpg.Connection):
    """Ends itself when an answer does not come in time: to roll back would take as long again.

    A commit that is cancelled would no more wait for its standby, and be seen by all though one server alone has it.
    """

    answered_at = float("-inf")

    async def execute(self, *asked: Any, **options: Any) -> Any:
        return await self._in_time(super().execute(*asked, **options))

    async def executemany(self, *asked: Any, **options: Any) -> Any:
        return await self._in_time(super().executemany(*asked, **options))

    async def fetch(self, *asked: Any, **options: Any) -> Any:
        return await self._in_time(super().fetch(*asked, **options))

    async def fetchrow(self, *asked: Any, **options: Any) -> Any:
        return await self._in_time(super().fetchrow(*asked, **options))

    async def fetchval(self, *asked: Any, **options: Any) -> Any:
        return await self._in_time(super().fetchval(*asked, **options))

    async def copy_records_to_table(self, *asked: Any, **options: Any) -> Any:
        return await self._in_time(super().copy_records_to_table(*asked, **options))

    async def _in_time(self, answer: Awaitable[Any]) -> Any:
        try:
            found = await answer
        except TimeoutError:
            self.terminate()
            raise
        except asyncpg.InternalServerError as error:
            if (known := named(error)) is not error:
                raise known from error
            raise
        self.answered_at = time.monotonic()
        return found


async def bound_silence(connection: asyncpg.Connection) -> None:
    """Let the kernel end this connection when nothing it sends is acknowledged any more; an `init` of a pool."""
    link = connection._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg has no other way to its socket
    if link is None or link.family not in {socket.AF_INET, socket.AF_INET6} or sys.platform != "linux":
        return
    with socket.socket(fileno=socket.dup(link.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _OF_SOCKET.items():
            same.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


@asynccontextmanager
async def kept_fresh(pool: asyncpg.Pool, name: str) -> AsyncIterator[asyncpg.Pool]:
    """The pool, open for the time of the context; its connections are made anew once one of them has fallen silent.

    Metrics call it by its name.
    """
    await pool
    metrics.CONNECTIONS.labels(name).set_function(pool.get_size)
    metrics.CONNECTIONS_BUSY.labels(name).set_function(lambda: pool.get_size() - pool.get_idle_size())
    metrics.CONNECTIONS_MAX.labels(name).set(pool.get_max_size())
    pinging = asyncio.create_task(_keep_pinging(pool))
    try:
        yield pool
    finally:
        await end(pinging)
        await _close(pool)


async def _close(pool: asyncpg.Pool) -> None:
    """With a word to the server, if it answers."""
    try:
        async with asyncio.timeout(PING_SECONDS_MAX):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _keep_pinging(pool: asyncpg.Pool) -> None:
    while True:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await ping(pool)
        await asyncio.sleep(PING_EVERY_SECONDS)


async def ping(pool: asyncpg.Pool) -> None:
    """Ask for an answer by the connection that was used last, unless it has answered just now.

    Where none comes in time, all that are open are given up.
    """
    if pool.get_idle_size() == 0:
        return
    try:
        async with asyncio.timeout(PING_SECONDS_MAX):
            async with pool.acquire() as connection:
                if time.monotonic() - connection.answered_at > ANSWERED_SECONDS:
                    await connection.execute("SELECT", timeout=PING_SECONDS_MAX)
    except TimeoutError:
        await pool.expire_connections()
