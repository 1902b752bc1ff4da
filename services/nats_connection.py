"""Connections to NATS that nobody leaves half made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from nats.aio.client import Client
from nats.errors import Error

CONNECT_SECONDS_MAX = 2


@asynccontextmanager
async def connected(nats_url: str, **options: Any) -> AsyncIterator[Client]:
    """A connection for the time of the context, which is not made again once it is lost.

    It is closed too where making it fails or is cancelled: nats-py forgets its socket then.
    """
    client = Client()
    try:
        await client.connect(nats_url, allow_reconnect=False, connect_timeout=CONNECT_SECONDS_MAX, **options)
        yield client
    finally:
        with suppress(Error, OSError):
            await client.close()
