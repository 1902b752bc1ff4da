"""A relay whose user may only publish: what it may not do itself the keeper does, and what nobody permits it says."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest
from nats.js import JetStreamContext
from prometheus_client import REGISTRY

from infra.embedded import EmbeddedNats
from services.ledger.audit.watch import AuditWatch
from services.ledger.clock import SystemClock
from services.ledger.event_store.store import EventStore
from services.ledger.publishing.relay import keep_ringing
from services.ledger.readiness import Readiness
from services.ledger.settings import Settings
from services.operating.nats_logins import give_users, keep_logins
from services.process.logins import nats_file
from services.process.stopping import end
from services.process.wake import Wake
from tests.ledger.publishing.test_relay import append, copied, relaying, until

STREAM = "HOURBOOK-0"
REFUSED = "hourbook_relay_refused"


@pytest.fixture
def server(server_folder: Path) -> Iterator[EmbeddedNats]:
    """A server that knows a user for each part; their URLs are in its folder `logins`."""
    server = EmbeddedNats(server_folder / "nats")
    give_users(server, server_folder / "logins", 1)
    with server:
        keep_logins(server, server_folder / "logins")
        yield server


@pytest.fixture
def logins(server: EmbeddedNats, server_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process finds the login of the keeper."""
    monkeypatch.setenv("HOURBOOK_LOGINS", str(server_folder / "logins"))
    return server_folder / "logins"


@pytest.fixture
async def jetstream(server: EmbeddedNats) -> AsyncIterator[JetStreamContext]:
    """By who may everything."""
    client = await nats.connect(server.url)
    yield client.jetstream()
    await client.close()


def url_of(logins: Path, user: str) -> str:
    return nats_file(logins, user).read_text().strip()


async def forge(jetstream: JetStreamContext) -> None:
    """By the owner of the server, who alone can."""
    await jetstream.publish("hourbook.log.0.a.TaskClosed", b"{}")


async def test_what_somebody_else_publishes_into_the_stream_is_gone_with_the_next_event(
    store: EventStore, logins: Path, jetstream: JetStreamContext
):
    """The relay itself may not delete it: the keeper's login does, and the stream is filled again."""
    await append(store, 0, "a", range(1, 4))
    async with relaying(store, 0, url_of(logins, "relay")) as wake:
        await copied(store, 0, jetstream, STREAM)
        await forge(jetstream)
        await append(store, 0, "a", range(4, 6))
        wake.ring()
        await copied(store, 0, jetstream, STREAM)


async def test_a_stream_of_an_earlier_version_is_adopted(store: EventStore, logins: Path, jetstream: JetStreamContext):
    """It names no ledger."""
    await jetstream.add_stream(name=STREAM, subjects=["hourbook.log.0.>"])
    await append(store, 0, "a", range(1, 3))
    async with relaying(store, 0, url_of(logins, "relay")):
        await copied(store, 0, jetstream, STREAM)


async def test_a_relay_that_may_not_publish_says_so_and_which_permission_it_lacks(
    store: EventStore, logins: Path, caplog: pytest.LogCaptureFixture
):
    await append(store, 0, "a", range(1, 2))
    with caplog.at_level(logging.WARNING):
        async with relaying(store, 0, url_of(logins, "alerts")):

            async def told() -> bool:
                await asyncio.sleep(0)
                return "NATS does not permit alerts to publish to $JS.API.STREAM" in caplog.text

            await until(told)
            assert REGISTRY.get_sample_value(REFUSED, {"log": "0"}) == 1


async def test_a_relay_without_a_keeper_says_what_it_may_not_do(
    store: EventStore, server: EmbeddedNats, server_folder: Path, jetstream: JetStreamContext,
    caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    logins = server_folder / "logins"
    await append(store, 0, "a", range(1, 4))
    async with relaying(store, 0, url_of(logins, "relay")) as wake:
        await copied(store, 0, jetstream, STREAM)
        await forge(jetstream)
        await append(store, 0, "a", range(4, 6))
        wake.ring()

        async def told() -> bool:
            await asyncio.sleep(0)
            return f"NATS does not permit relay to publish to $JS.API.STREAM.DELETE.{STREAM}" in caplog.text

        await until(told)


async def test_health_names_the_permission_that_the_service_lacks(store: EventStore, logins: Path):
    settings = Settings(database_url="postgresql://not-asked/", nats_url=url_of(logins, "alerts"))
    readiness = Readiness(settings, store, SystemClock(), AuditWatch(store.readers, 1))
    watching = asyncio.create_task(readiness.watch_stream(url_of(logins, "alerts")))

    async def told() -> bool:
        await asyncio.sleep(0.05)
        return any("NATS does not permit alerts" in each for each in (await readiness.parts(()))["relay"])

    await until(told)
    await end(watching)


async def test_who_may_not_ring_says_so(logins: Path, caplog: pytest.LogCaptureFixture):
    wake = Wake()
    ringing = asyncio.create_task(keep_ringing(0, url_of(logins, "worker"), wake))

    async def told() -> bool:
        wake.ring()
        await asyncio.sleep(0)
        return "NATS does not permit worker to publish to hourbook.wake.0" in caplog.text

    await until(told)
    await end(ringing)
