"""Changes of alerts as Server-Sent Events, read once for all streams of a process."""

from collections.abc import AsyncIterator, Callable
from functools import partial

from asyncpg import Record
from asyncpg.pool import PoolAcquireContext
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from contracts.quantities import POSITION_MAX
from services.process.tail import Page, Tail
from services.process.wake import Wake
from services.projections.database import POSTGRES_UNAVAILABLE
from services.projections.debt_alerts import queries

Connecting = Callable[[], PoolAcquireContext]


def changes_of_alerts(connecting: Connecting) -> Tail:
    """Their end. The worker that makes them may be another process, so nothing rings for them: they are polled."""
    return Tail(partial(_newest, connecting), partial(_read, connecting), Wake(), POSTGRES_UNAVAILABLE)


async def kept_alive(changes: Tail, after: int) -> AsyncIterator[bytes]:
    """What comes after a number, and a comment whenever nothing has come for a while."""
    async for block in changes.follow(after, POSITION_MAX):
        yield block or KEEPALIVE_COMMENT


async def _newest(connecting: Connecting) -> int:
    async with connecting() as connection:
        return await queries.last_change(connection)


async def _read(connecting: Connecting, after: int, changes_max: int) -> Page | None:
    async with connecting() as connection:
        found = await queries.changes(connection, after, changes_max)
    return Page(found[-1]["number"], b"".join(map(_event, found))) if found else None


def _event(change: Record) -> bytes:
    return format_sse_event(data_str=change["payload"], event=change["type"], id=str(change["number"]))
