"""Connections to NATS that nobody leaves half made."""

from contextlib import suppress
from typing import Any

from nats.aio.client import Client
from nats.errors import Error

CONNECT_SECONDS_MAX = 2


async def connect(nats_url: str, **options: Any) -> Client:
    """A connection that is not made again once it is lost; nats-py forgets its socket where this is cancelled."""
    client = Client()
    try:
        await client.connect(nats_url, allow_reconnect=False, connect_timeout=CONNECT_SECONDS_MAX, **options)
    except BaseException:
        with suppress(Error, OSError):
            await client.close()
        raise
    return client
