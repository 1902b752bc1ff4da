"""A stream that is there already is made as it has to be, or it is said why it cannot be."""

import asyncio
import logging

import pytest
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy, StorageType, StreamConfig
from prometheus_client import REGISTRY

from services.ledger.audit.watch import AuditWatch
from services.ledger.clock import SystemClock
from services.ledger.event_store.store import EventStore
from services.ledger.publishing.jetstream import stream_config
from services.ledger.publishing.relay import keep_relaying
from services.ledger.readiness import Readiness
from services.ledger.settings import Settings
from services.process.stopping import end
from services.process.streams import misfits
from services.process.wake import Wake
from tests.ledger.publishing.test_relay import append, copied, relaying, until

CHANGED = {
    "subjects": ["elsewhere.>"],
    "max_age": 3600.0,
    "max_msgs": 1,
    "max_bytes": 100,
    "max_msgs_per_subject": 1,
    "max_msg_size": 10,
    "no_ack": True,
    "allow_direct": False,
    "duplicate_window": 1.0,
}
UNCHANGEABLE = {"storage": StorageType.MEMORY, "retention": RetentionPolicy.WORK_QUEUE}


def named(log_id: int, stream: str, **otherwise: object) -> StreamConfig:
    """A configuration that somebody made, all else being as it has to be."""
    subjects = otherwise.pop("subjects", None) or [f"{log_id}.elsewhere.>"]
    return stream_config(log_id, None).evolve(name=stream, subjects=subjects, **otherwise)


@pytest.mark.parametrize("field", [name for name in CHANGED if name != "subjects"])
async def test_what_jetstream_changes_is_changed(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str, field: str
):
    """Its subjects, too: without them nothing would be published."""
    await jetstream.add_stream(named(log_id, stream, **{field: CHANGED[field]}))
    await append(store, log_id, "a", range(1, 4))
    async with relaying(store, log_id, nats_url):
        await copied(store, log_id, jetstream, stream)
    found = (await jetstream.stream_info(stream)).config
    assert misfits(found, stream_config(log_id, None)) == {}


@pytest.mark.parametrize("field", UNCHANGEABLE)
async def test_what_jetstream_does_not_change_is_said_by_log_and_metrics(
    store: EventStore,
    nats_url: str,
    log_id: int,
    jetstream: JetStreamContext,
    stream: str,
    caplog: pytest.LogCaptureFixture,
    field: str,
):
    await jetstream.add_stream(named(log_id, stream, **{field: UNCHANGEABLE[field]}))
    with caplog.at_level(logging.WARNING):
        async with relaying(store, log_id, nats_url):

            async def said() -> bool:
                await asyncio.sleep(0)
                refused = REGISTRY.get_sample_value("hourbook_relay_refused", {"log": str(log_id)})
                unreached = REGISTRY.get_sample_value(
                    "hourbook_nats_unreached_seconds", {"part": "relay", "log": str(log_id)}
                )
                return refused == 1 and bool(unreached) and f"{stream} on NATS has" in caplog.text

            await until(said)
    assert f"{field} {UNCHANGEABLE[field].value}, not" in caplog.text
    assert "delete the stream, and it is made anew" in caplog.text


async def test_more_copies_than_there_are_servers_are_said(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str,
    caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    """Where the stream is to be made, and where it is there."""
    with caplog.at_level(logging.WARNING):
        relay = asyncio.create_task(keep_relaying(store, log_id, nats_url, Wake(), 3))
        await until(lambda: _said(caplog, f"NATS does not make {stream} in 3 copies (HOURBOOK_NATS_REPLICAS)"))
        await jetstream.add_stream(stream_config(log_id, None))
        await until(lambda: _said(caplog, f"{stream} on NATS has num_replicas 1, not 3, and NATS does not change it"))
        await end(relay)


async def _said(caplog: pytest.LogCaptureFixture, sentence: str) -> bool:
    await asyncio.sleep(0.01)
    return sentence in caplog.text


async def test_health_says_what_is_not_as_it_has_to_be(store: EventStore, nats_url: str, jetstream: JetStreamContext):
    await jetstream.add_stream(named(0, "HOURBOOK-0", storage=StorageType.MEMORY))
    settings = Settings(database_url="postgresql://not-asked/", nats_url=nats_url)
    readiness = Readiness(settings, store, SystemClock(), AuditWatch(store.readers, 1))
    watching = asyncio.create_task(readiness.watch_stream(nats_url))

    async def said() -> bool:
        await asyncio.sleep(0.01)
        sentences = (await readiness.parts(()))["relay"]
        return any("storage memory, not file" in each for each in sentences)

    try:
        await until(said)
    finally:
        await end(watching)
        await jetstream.delete_stream("HOURBOOK-0")


def test_a_number_of_copies_that_nobody_asks_for_stays():
    """So does what the stream's operator may say of it: where it is placed, how it is compressed."""
    found = stream_config(0, 3).evolve(description="ours", metadata={"team": "ledger"}, deny_purge=True)
    assert misfits(found, stream_config(0, None)) == {}
    assert misfits(found, stream_config(0, 1)) == {"num_replicas": 1}
