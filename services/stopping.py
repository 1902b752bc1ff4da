"""Work that goes on until the operator stops it."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run it until SIGINT or SIGTERM, then let it clean up."""

    async def until_stopped() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        working, told = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
        await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
        while not working.done():
            working.cancel()  # again and again: a cancellation can get lost in asyncio.wait_for of Python 3.11
            await asyncio.wait({working}, timeout=1)
        if not working.cancelled():
            working.result()

    asyncio.run(until_stopped())
