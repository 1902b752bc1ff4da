"""Work that outlasts outages of the servers it needs: it is tried again, and each outage is logged once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.process.stopping import stopping

Done = TypeVar("Done")

RETRY_SECONDS = 0.2
FORGOTTEN_SECONDS = 5.0
"""An outage that comes so long after the last failure is another one, and is logged again."""


async def outlasting(
    outages: tuple[type[Exception], ...],
    work: Callable[[], Awaitable[Done]],
    name: str,
    logger: logging.Logger,
    retry_seconds: float = RETRY_SECONDS,
) -> Done:
    """Work until it is done, from the beginning after each of these outages; CancelledError once it is to stop.

    Work that never ends by itself goes on until cancelled. `name` is who waits, as the subject of a sentence.
    """
    clock = asyncio.get_running_loop().time
    logged, failed_at = "", clock()
    while not stopping():
        try:
            return await work()
        except outages as outage:
            if logged != repr(outage) or clock() - failed_at > FORGOTTEN_SECONDS + retry_seconds:
                logger.warning("%s waits: %r", name, outage)
            logged, failed_at = repr(outage), clock()
        await asyncio.sleep(retry_seconds)
    raise asyncio.CancelledError
