"""The stream in a NATS cluster whose servers are killed: a copy of the log, whoever of them runs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from nats.errors import Error
from prometheus_client import REGISTRY

from services.ledger.event_store.store import EventStore
from services.process.nats_connection import connected
from services.process.stopping import end, stopping
from services.process.wake import Wake
from tests.conftest import reachable_folder
from tests.ledger.publishing.test_relay import append, copied, relaying, until
from tests.nats_cluster import NODES, STREAM, NatsCluster, started


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[NatsCluster]:
    """Three servers, and the logins of their users as this process finds them."""
    with reachable_folder() as folder, started(folder) as servers:
        servers.keep_logins(folder / "logins")
        monkeypatch.setenv("HOURBOOK_LOGINS", str(folder / "logins"))
        yield servers


async def is_copy(store: EventStore, cluster: NatsCluster) -> None:
    """Return when the stream has the log, event by event; servers come and go meanwhile."""

    async def looked() -> bool:
        with suppress(Error, OSError):
            async with connected(cluster.url("relay")) as client:
                await copied(store, 0, client.jetstream(timeout=1), STREAM)
                return True
        return False

    await until(looked)


@asynccontextmanager
async def recording(store: EventStore, wake: Wake, account_id: str) -> AsyncIterator[None]:
    """Events come one after another."""

    async def record() -> None:
        version = 0
        while not stopping():
            version += 1
            await append(store, 0, account_id, range(version, version + 1))
            wake.ring()
            await asyncio.sleep(0.01)

    task = asyncio.create_task(record())
    try:
        yield
    finally:
        await end(task)


async def unreached() -> bool:
    """Whether the relay says that it cannot publish."""
    await asyncio.sleep(0.05)
    return bool(REGISTRY.get_sample_value("hourbook_nats_unreached_seconds", {"part": "relay", "log": "0"}))


async def test_the_stream_is_a_copy_whoever_dies_and_waits_for_a_majority(
    store: EventStore, cluster: NatsCluster, caplog: pytest.LogCaptureFixture
):
    """It has one copy first, and three by the setting: one server may die then, also while it leads."""
    await cluster.decides()
    await append(store, 0, "before", range(1, 4))
    async with relaying(store, 0, cluster.url("relay")):
        await is_copy(store, cluster)
    async with relaying(store, 0, cluster.url("relay"), 3) as wake:
        leader = await cluster.leader()
        follower, _ = (node for node in NODES if node != leader)
        async with recording(store, wake, "a"):
            cluster.kill(follower)
            await published_more(store, cluster)
            cluster.kill(leader)
            await until(unreached)
        recorded = len(await store.page(0, 0, 10_000))
        cluster.start(follower)
        await is_copy(store, cluster)
    assert len(await store.page(0, 0, 10_000)) == recorded
    assert "not a copy" not in caplog.text


async def published_more(store: EventStore, cluster: NatsCluster) -> None:
    """Return when something is published that was recorded after this was asked."""
    goal = len(await store.page(0, 0, 10_000)) + 1

    async def reached() -> bool:
        with suppress(Error, OSError):
            async with connected(cluster.url("relay")) as client:
                return (await client.jetstream(timeout=1).stream_info(STREAM)).state.last_seq >= goal
        return False

    await until(reached)
