"""The stream of one test, and a connection to look at it."""

from collections.abc import AsyncIterator

import nats
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext


@pytest.fixture
async def connection(nats_url: str) -> AsyncIterator[Client]:
    client = await nats.connect(nats_url)
    yield client
    await client.close()


@pytest.fixture
async def jetstream(connection: Client) -> JetStreamContext:
    return connection.jetstream()


@pytest.fixture
async def stream(jetstream: JetStreamContext, log_id: int) -> AsyncIterator[str]:
    """The name of the log's stream, which goes away after the test."""
    name = f"HOURBOOK-{log_id}"
    yield name
    await jetstream.delete_stream(name)
