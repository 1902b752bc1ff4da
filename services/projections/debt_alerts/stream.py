"""Changes of alerts as Server-Sent Events, read once for all streams of a process."""

from collections.abc import AsyncIterator, Callable, Collection
from functools import partial

import orjson
from asyncpg import Record
from asyncpg.pool import PoolAcquireContext
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from contracts.quantities import POSITION_MAX
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.tail import Page, Tail
from services.process.wake import Wake
from services.projections.debt_alerts import queries

EVENT_END = b"\n\n"
Connecting = Callable[[], PoolAcquireContext]


def changes_of_alerts(connecting: Connecting) -> Tail:
    """Their end. The worker that makes them may be another process, so nothing rings for them: they are polled."""
    return Tail(partial(_newest, connecting), partial(_read, connecting), Wake(), POSTGRES_UNAVAILABLE)


async def kept_alive(changes: Tail, after: int, scope: Collection[str] | None) -> AsyncIterator[bytes]:
    """What comes after a number, about the accounts in scope, and a comment whenever nothing has come for a while."""
    blocks = changes.follow(after, POSITION_MAX)
    async for block in blocks if scope is None else _in_scope(blocks, scope):
        yield block or KEEPALIVE_COMMENT


async def _in_scope(blocks: AsyncIterator[bytes], scope: Collection[str]) -> AsyncIterator[bytes]:
    """The events about these accounts, out of blocks that are cut anywhere; an empty block where no event has come.

    Nothing at all is sent for what happens elsewhere, for that would tell that it does.
    """
    begun = b""
    async for block in blocks:
        *ended, begun = (begun + block).split(EVENT_END)
        kept = [event for event in ended if _account_of(event) in scope]
        if kept or not block:
            yield b"".join(event + EVENT_END for event in kept)


def _account_of(event: bytes) -> str:
    data = event.partition(b"data: ")[2].partition(b"\n")[0]
    return orjson.loads(data)["data"]["account_id"]


async def _newest(connecting: Connecting) -> int:
    async with connecting() as connection:
        return await queries.last_change(connection)


async def _read(connecting: Connecting, after: int, changes_max: int) -> Page | None:
    async with connecting() as connection:
        found = await queries.changes(connection, after, changes_max)
    return Page(found[-1]["number"], b"".join(map(_event, found))) if found else None


def _event(change: Record) -> bytes:
    return format_sse_event(data_str=change["payload"], event=change["type"], id=str(change["number"]))
