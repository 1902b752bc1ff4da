"""A connection to NATS that is no longer wanted while it is made."""

import asyncio
import gc
import warnings
from contextlib import suppress

from services.process.nats_connection import connect

STEPS = 40


async def test_who_is_cancelled_while_connecting_leaves_no_socket(nats_url: str):
    """At any step; nats-py may lose the cancellation, and connect."""
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        for steps in range(STEPS):
            connecting = asyncio.create_task(connect(nats_url))
            for _ in range(steps):
                await asyncio.sleep(0)
            connecting.cancel()
            with suppress(asyncio.CancelledError):
                await (await connecting).close()
        del connecting
        gc.collect()
    assert [str(warning.message) for warning in left] == []
