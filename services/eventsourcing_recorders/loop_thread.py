"""An event loop on a thread of its own, for callers that block."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Generic, NamedTuple, TypeVar

from eventsourcing.persistence import InterfaceError, ProgrammingError

T = TypeVar("T")
Resource = TypeVar("Resource")


class _Life(NamedTuple):
    resource: Any
    loop: asyncio.AbstractEventLoop
    end: asyncio.Event


class LoopThread(Generic[Resource]):
    """Keeps a resource open on its loop until it is closed or forgotten. Any number of threads may call at once."""

    def __init__(self, opening: AbstractAsyncContextManager[Resource]) -> None:
        started: Future[_Life] = Future()
        self._thread = threading.Thread(target=_live, args=(opening, started), name="asyncpg recorders", daemon=True)
        self._thread.start()
        life = started.result()
        self.resource: Resource = life.resource
        self._loop = life.loop
        self._closing = threading.Lock()
        self._end = weakref.finalize(self, _call_soon, life.loop, life.end.set)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns or raises, run on the loop while this thread waits."""
        try:
            future = self._submit(coroutine)
        except Exception:
            coroutine.close()
            raise
        try:
            return future.result()
        except CancelledError:
            raise InterfaceError("The connection pool was closed before the answer came.") from None
        finally:
            future.cancel()  # where the wait was interrupted

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        if threading.current_thread() is self._thread:
            raise ProgrammingError("Waiting here would stop the loop that is waited for: await the asyncpg recorder.")
        with self._closing:  # what is accepted here reaches the loop before its end does
            if not self._end.alive or not self._thread.is_alive():
                raise InterfaceError("The connection pool is closed, or was made before this process was forked.")
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def call_soon(self, callback: Callable[[], object]) -> None:
        """Have the loop call this, without waiting; nothing happens after the end."""
        _call_soon(self._loop, callback)

    def close(self) -> None:
        """Close the resource and end the loop; callers that wait get InterfaceError."""
        with self._closing:
            self._end()
        if threading.current_thread() is not self._thread:
            self._thread.join()


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(callback)


def _live(opening: AbstractAsyncContextManager[Any], started: Future[_Life]) -> None:
    try:
        asyncio.run(_keep_open(opening, started))
    except BaseException as failure:
        if started.done():
            raise
        started.set_exception(failure)


async def _keep_open(opening: AbstractAsyncContextManager[Any], started: Future[_Life]) -> None:
    end = asyncio.Event()
    async with opening as resource:
        started.set_result(_Life(resource, asyncio.get_running_loop(), end))
        await end.wait()
