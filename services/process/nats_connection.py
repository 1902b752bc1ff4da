"""Connections to NATS, none of which is left half made, and which say what NATS does not permit them.

A URL may name several servers of a cluster, separated by commas: each connection is made to any of them that answers.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import SystemRandom
from typing import Any

from nats.aio.client import Client
from nats.errors import Error

from services.process.nats_url import servers_of, user_of
from services.process.operator_error import CANNOT_START, OperatorError

CONNECT_SECONDS_MAX = 2
RETRY_SECONDS = 0.05

_PLAIN = re.compile(r"[\w-]+", re.ASCII)
_VIOLATION = re.compile(r'permissions violation for (\w+) (?:to|from)? ?"?([^"\s]+)', re.IGNORECASE)


class NotPermitted(Error):
    """NATS does not permit this login what the part has to do. No waiting changes that."""

    def __init__(self, user: str, verb: str, subject: str) -> None:
        """`subject`: as nats-py has it, in lower case."""
        deed = "publish to" if verb == "publish" else "subscribe to"
        subject = subject.upper() if subject.startswith("$js") else subject
        super().__init__(f"NATS does not permit {user} to {deed} {subject}: give its user that permission")

    def __str__(self) -> str:
        return str(self.args[0])


class Connection(Client):
    """A client that remembers what it was refused: to nats-py, that is a request without an answer."""

    refusal: NotPermitted | None = None

    async def permitted(self) -> None:
        """Returns once NATS has taken all that was sent until now; NotPermitted where it refused some of it.

        A first ping of nats-py overtakes what waits to be sent.
        """
        await self.flush()
        await self.flush()
        if self.refusal:
            raise self.refusal


async def connect(
    nats_url: str, error_cb: Callable[[Exception], Awaitable[None]] | None = None, **options: Any
) -> Connection:
    """A connection to the first of the servers, in random order, that lets it in; raises what hindered it otherwise."""
    hindrances: list[Exception] = []
    servers = servers_of(nats_url)
    for server in SystemRandom().sample(servers, len(servers)):
        try:
            return await _connect(server, error_cb, **options)
        except (Error, OSError) as hindrance:
            hindrances.append(hindrance)
    raise next((each for each in hindrances if _refuses_login(each)), hindrances[-1])


def _refuses_login(hindrance: Exception) -> bool:
    return "authorization" in str(hindrance).lower()


async def _connect(
    server: str, error_cb: Callable[[Exception], Awaitable[None]] | None = None, **options: Any
) -> Connection:
    """A connection that is not made again once it is lost; nats-py forgets its socket where this is cancelled.

    An error within seconds while NATS does not answer: by itself, nats-py would try for two minutes before it says so.
    Answers come to subjects of its own, `_INBOX.<user>`, so that a user can be kept from those of others.
    """
    client, user = Connection(), user_of(server)

    async def heard(error: Exception) -> None:
        if found := _VIOLATION.search(str(error)):
            client.refusal = NotPermitted(user or "this user", found[1].lower(), found[2])
        if error_cb:
            await error_cb(error)

    try:
        await client.connect(
            server,
            error_cb=heard,
            allow_reconnect=False,
            connect_timeout=CONNECT_SECONDS_MAX,
            max_reconnect_attempts=1,
            reconnect_time_wait=RETRY_SECONDS,
            **({"inbox_prefix": f"_INBOX.{user}"} if _PLAIN.fullmatch(user) else {}),
            **options,
        )
    except BaseException:
        with suppress(Error, OSError):
            await client.close()
        raise
    return client


@asynccontextmanager
async def connected(nats_url: str, **options: Any) -> AsyncIterator[Connection]:
    """A connection for the time of the context; once lost it is closed, and its user starts over.

    NotPermitted in place of what fails within the context for want of a permission. Errors are the caller's to meet
    in its own calls, where it names no `error_cb`.
    """

    async def ignore(_: Exception) -> None:
        """The call that uses the connection raises the same error."""

    client = await connect(nats_url, **{"error_cb": ignore, **options})
    try:
        yield client
    except (Error, OSError) as failure:
        if client.refusal and not isinstance(failure, NotPermitted):
            raise client.refusal from failure
        raise
    finally:
        with suppress(Error, OSError):
            await client.close()


async def log_in(nats_url: str) -> bool:
    """Whether NATS answers; OperatorError where it does and refuses the login."""

    async def in_silence(_: Exception) -> None:
        """The same error is raised."""

    try:
        client = await connect(nats_url, error_cb=in_silence)
    except (Error, OSError) as failure:
        if _refuses_login(failure):
            raise OperatorError(
                "NATS_URL: NATS refuses this user or password: correct them.", exit_code=CANNOT_START
            ) from None
        return False
    await client.close()
    return True
