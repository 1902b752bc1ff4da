"""A connection to NATS that is no longer wanted while it is made, and one to any server of a cluster."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from nats.errors import Error

from infra.data_folder import free_port
from services.process.nats_connection import connect, log_in
from services.process.nats_url import servers_of, user_of
from services.process.operator_error import OperatorError

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


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("nats://host:4222", ["nats://host:4222"]),
        ("nats://a:1,b:2", ["nats://a:1", "nats://b:2"]),
        ("tls://u:p@a:1, b", ["tls://u:p@a:1", "tls://u:p@b"]),
        ("nats://u:p@a:1,nats://b:2", ["nats://u:p@a:1", "nats://u:p@b:2"]),
        ("nats://u:p@a:1,nats://v:q@b:2,w@c", ["nats://u:p@a:1", "nats://v:q@b:2", "nats://w@c"]),
        ("nats://a,", ["nats://a", "nats://"]),
    ],
)
def test_a_url_names_servers_which_have_the_login_of_the_first(url: str, servers: list[str]):
    assert servers_of(url) == servers


def test_the_user_is_that_of_the_first_server():
    assert user_of("nats://relay:p@a:1,b:2") == "relay"
    assert user_of("nats://a:1,b:2") == ""


@pytest.fixture
async def deaf() -> AsyncIterator[str]:
    """A server that accepts connections and never says anything, as one that stands still."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_connection_is_made_to_any_server_that_answers(nats_url: str, deaf: str):
    """In whatever order they are tried: one that nobody listens at, one that is silent, and one that works."""
    for _ in range(3):
        client = await connect(f"{nats_url},127.0.0.1:{free_port()},{deaf}")
        assert client.is_connected
        await client.close()


async def test_what_hindered_is_raised_where_no_server_answers(deaf: str):
    with pytest.raises((Error, OSError)):
        await connect(f"nats://127.0.0.1:{free_port()},{deaf}", error_cb=in_silence)


async def in_silence(_: Exception) -> None:
    """What it says is raised, too."""


async def test_a_refused_login_is_said_though_other_servers_do_not_answer(nats_url: str):
    place = nats_url.rpartition("@")[2]
    with pytest.raises(OperatorError, match="refuses this user or password"):
        await log_in(f"nats://nobody:wrong@{place},127.0.0.1:{free_port()}")
