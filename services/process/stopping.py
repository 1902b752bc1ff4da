"""Work that goes on until it is stopped, by its operator or by its caller."""

import asyncio
import signal
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

import uvloop


class PartEnded(Exception):
    """A part of this process has ended, and nobody has stopped it."""


def raise_where_ended(parts: Iterable[asyncio.Task[None]]) -> None:
    """Raise the error of the first of these tasks that has ended, or PartEnded; nothing while all go on."""
    for part in parts:
        if part.done():
            part.result()
            raise PartEnded(f"{part.get_name()} has ended.")


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run it until SIGINT or SIGTERM, then let it clean up."""

    async def until_stopped() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        await end(working)
        if not working.cancelled():
            working.result()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop that uvicorn gives the services
        runner.run(until_stopped())


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these until all have ended, also where the caller is cancelled meanwhile.

    Again and again: a cancellation can get lost in asyncio.wait_for of Python 3.11, which nats-py uses.
    """
    ending, cancelled = set(tasks), False
    while ending := {task for task in ending if not task.done()}:
        for task in ending:
            task.cancel()
        try:
            await asyncio.wait(ending, timeout=1)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


def stopping() -> bool:
    """Whether this task was cancelled: nats-py, through asyncio.wait_for of Python 3.11, may lose the exception."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def finish(work: Coroutine[Any, Any, Any], seconds_max: float) -> None:
    """Do one thing more although this task is cancelled, however often; it is given up after so many seconds."""
    clock = asyncio.get_running_loop().time
    finishing, deadline = asyncio.ensure_future(work), clock() + seconds_max
    while not finishing.done() and clock() < deadline:
        with suppress(asyncio.CancelledError):
            await asyncio.wait({finishing}, timeout=deadline - clock())
    await end(finishing)
    if not finishing.cancelled():
        finishing.result()
