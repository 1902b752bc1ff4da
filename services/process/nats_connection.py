"""Connections to NATS, none of which is left half made."""

from contextlib import suppress
from typing import Any

from nats.aio.client import Client
from nats.errors import Error

from services.process.operator_error import CANNOT_START, OperatorError

CONNECT_SECONDS_MAX = 2
RETRY_SECONDS = 0.05


async def connect(nats_url: str, **options: Any) -> Client:
    """A connection that is not made again once it is lost; nats-py forgets its socket where this is cancelled.

    An error within seconds while NATS does not answer: by itself, nats-py would try for two minutes before it says so.
    """
    client = Client()
    try:
        await client.connect(
            nats_url,
            allow_reconnect=False,
            connect_timeout=CONNECT_SECONDS_MAX,
            max_reconnect_attempts=1,
            reconnect_time_wait=RETRY_SECONDS,
            **options,
        )
    except BaseException:
        with suppress(Error, OSError):
            await client.close()
        raise
    return client


async def log_in(nats_url: str) -> bool:
    """Whether NATS answers; OperatorError where it does and refuses the login."""

    async def in_silence(_: Exception) -> None:
        """The same error is raised."""

    try:
        client = await connect(nats_url, error_cb=in_silence)
    except (Error, OSError) as failure:
        if "authorization" in str(failure).lower():
            raise OperatorError(
                "NATS_URL: NATS refuses this user or password: correct them.", exit_code=CANNOT_START
            ) from None
        return False
    await client.close()
    return True
