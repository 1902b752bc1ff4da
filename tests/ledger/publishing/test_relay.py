"""The stream is a copy of the log, whoever writes it and whatever happens to it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import orjson
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from prometheus_client import REGISTRY

from infra.embedded import EmbeddedNats
from services.ledger.event_store.database import LogWentBack
from services.ledger.event_store.epochs import lost_positions
from services.ledger.event_store.migrations import migrate
from services.ledger.event_store.store import EventStore
from services.ledger.publishing.jetstream import stream_name
from services.ledger.publishing.relay import keep_relaying, keep_ringing, wake_subject
from services.ledger.settings import Settings
from services.operating.new_epoch import restored_ledger
from services.process.lost_past import WENT_BACK
from services.process.nats_connection import connected
from services.process.stopping import end
from services.process.streams import owner_of
from services.process.wake import Wake
from tests.databases import Databases
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.event_store.events import event


@asynccontextmanager
async def relaying(store: EventStore, log_id: int, nats_url: str, replicas: int | None = None) -> AsyncIterator[Wake]:
    """A relay at work, and the bell that wakes it."""
    wake = Wake()
    task = asyncio.create_task(keep_relaying(store, log_id, nats_url, wake, replicas))
    try:
        yield wake
    finally:
        await end(task)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition; every look at it is a round trip."""
    async with asyncio.timeout(60):
        while not await holds():
            pass


async def append(store: EventStore, log_id: int, account_id: str, versions: range) -> None:
    await store.append(log_id, [event(account_id, v, f"{account_id}-{v}", data=f'{{"n": {v}}}') for v in versions], {})


async def copied(store: EventStore, log_id: int, jetstream: JetStreamContext, stream: str) -> list[RawStreamMsg]:
    """The messages, once the stream is a copy of the log: each event at the sequence that is its position."""
    events = [(event.position, event.event_id, event.data.encode()) for event in await store.page(log_id, 0, 10_000)]
    messages: list[RawStreamMsg] = []

    async def is_copy() -> bool:
        nonlocal messages
        try:
            messages = [await jetstream.get_msg(stream, seq=position) for position, _, _ in events if position]
            number = (await jetstream.stream_info(stream)).state.messages
        except NotFoundError:
            return False
        found = [(message.seq, (message.headers or {}).get("ce-id"), message.data) for message in messages]
        return found == events and number == len(events)

    await until(is_copy)
    return messages


async def test_events_arrive_in_order_at_their_positions_with_all_a_reader_needs(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str
):
    await append(store, log_id, "acc-1", range(1, 4))
    async with relaying(store, log_id, nats_url) as wake:
        await append(store, log_id, "acc-2", range(1, 3))
        wake.ring()
        messages = await copied(store, log_id, jetstream, stream)
    stored = (await store.page(log_id, 3, 1))[0]
    recorded = orjson.loads(stored.line(stored.position))
    assert messages[3].subject == f"hourbook.log.{log_id}.acc-2.TaskClosed"
    assert messages[3].headers == {
        "ce-specversion": "1.0",
        "ce-id": stored.event_id,
        "ce-type": "TaskClosed",
        "ce-source": f"urn:hourbook:log:{log_id}",
        "ce-subject": "acc-2",
        "ce-time": recorded["recorded_at"],
        "content-type": "application/json",
        "Hourbook-Position": "4",
        "Hourbook-Version": "1",
        "Hourbook-Schema-Version": "1",
        "Hourbook-Command": stored.command_id,
        "Hourbook-Fingerprint": recorded["fingerprint"],
        "Hourbook-Hash": (await store.hashes(log_id, 3, 1))[0],
        "Hourbook-Ledger": await store.ledger_id(),
        "Hourbook-Epoch": "1",
        "Nats-Expected-Stream": stream,
        "Nats-Expected-Last-Sequence": "3",
    }


async def test_what_another_process_commits_is_relayed_without_a_bell(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str
):
    async with relaying(store, log_id, nats_url):
        for version in range(1, 4):
            await append(store, log_id, "a", range(version, version + 1))
            await copied(store, log_id, jetstream, stream)


async def test_a_process_that_commits_rings_for_relays_in_others(nats_url: str, log_id: int, connection: Client):
    rung = asyncio.Event()

    async def heard(_: object) -> None:
        rung.set()

    await connection.subscribe(wake_subject(log_id), cb=heard)
    await connection.flush()
    wake = Wake()
    ringing = asyncio.create_task(keep_ringing(log_id, nats_url, wake))
    async with asyncio.timeout(60):
        await rung.wait()
        rung.clear()
        wake.ring()
        await rung.wait()
    await end(ringing)


async def test_two_relays_at_once_make_one_copy(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str
):
    async with relaying(store, log_id, nats_url) as one, relaying(store, log_id, nats_url) as other:
        for first in range(1, 401, 20):
            await append(store, log_id, "a", range(first, first + 20))
            one.ring()
            other.ring()
        await copied(store, log_id, jetstream, stream)


async def test_a_relay_goes_on_where_the_last_one_stopped(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str
):
    for versions in (range(1, 6), range(6, 11)):
        await append(store, log_id, "a", versions)
        async with relaying(store, log_id, nats_url):
            await copied(store, log_id, jetstream, stream)


async def test_a_deleted_stream_is_filled_again_though_nothing_new_is_committed(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str
):
    await append(store, log_id, "a", range(1, 21))
    async with relaying(store, log_id, nats_url):
        await copied(store, log_id, jetstream, stream)
        await jetstream.delete_stream(stream)
        await copied(store, log_id, jetstream, stream)


async def test_a_stream_deleted_between_two_commits_is_filled_again(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str
):
    await append(store, log_id, "a", range(1, 21))
    async with relaying(store, log_id, nats_url) as wake:
        await copied(store, log_id, jetstream, stream)
        await jetstream.delete_stream(stream)
        await append(store, log_id, "a", range(21, 41))
        wake.ring()
        await copied(store, log_id, jetstream, stream)


async def test_a_stream_that_is_no_copy_is_said_loudly_and_replaced(
    store: EventStore,
    nats_url: str,
    log_id: int,
    jetstream: JetStreamContext,
    stream: str,
    caplog: pytest.LogCaptureFixture,
):
    """Its last event is not ours, as after the database was restored; it says nothing of a ledger, as of old."""
    await jetstream.add_stream(name=stream, subjects=[f"hourbook.log.{log_id}.>"])
    for number in range(30):
        await jetstream.publish(f"hourbook.log.{log_id}.x.TaskClosed", b"{}", headers={"ce-id": str(number)})
    await append(store, log_id, "a", range(1, 6))
    with caplog.at_level(logging.ERROR):
        async with relaying(store, log_id, nats_url):
            await copied(store, log_id, jetstream, stream)
    assert "not a copy" in caplog.text
    assert owner_of(await jetstream.stream_info(stream)) == await store.ledger_id()


async def test_a_stream_of_an_earlier_version_is_adopted_with_all_that_is_in_it(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str
):
    await append(store, log_id, "a", range(1, 4))
    await jetstream.add_stream(name=stream, subjects=[f"hourbook.log.{log_id}.>"])
    for each in await store.page(log_id, 0, 3):
        subject = f"hourbook.log.{log_id}.a.TaskClosed"
        await jetstream.publish(subject, each.data.encode(), headers={"ce-id": each.event_id})
    created = (await jetstream.stream_info(stream)).created
    await append(store, log_id, "a", range(4, 6))
    async with relaying(store, log_id, nats_url):
        await copied(store, log_id, jetstream, stream)
    assert owner_of(await jetstream.stream_info(stream)) == await store.ledger_id()
    assert (await jetstream.stream_info(stream)).created == created


async def test_a_stream_of_another_ledger_is_refused_and_left_alone(
    store: EventStore,
    databases: Databases,
    nats_url: str,
    log_id: int,
    jetstream: JetStreamContext,
    stream: str,
    caplog: pytest.LogCaptureFixture,
):
    async with databases.empty() as url:
        await migrate(url)
        async with EventStore.connected(url) as others:
            await append(others, log_id, "theirs", range(1, 4))
            async with relaying(others, log_id, nats_url):
                await copied(others, log_id, jetstream, stream)
            await append(store, log_id, "ours", range(1, 9))
            async with relaying(store, log_id, nats_url):

                async def refused() -> bool:
                    await asyncio.sleep(0)
                    return "belongs to ledger" in caplog.text

                await until(refused)
                assert REGISTRY.get_sample_value("hourbook_relay_refused", {"log": str(log_id)}) == 1
                await append(others, log_id, "theirs", range(4, 9))
                async with relaying(others, log_id, nats_url):
                    await copied(others, log_id, jetstream, stream)
            assert await store.ledger_id() in caplog.text
            assert owner_of(await jetstream.stream_info(stream)) == await others.ledger_id()


@pytest.mark.parametrize("end", [7, 10, 14])
async def test_a_log_that_goes_back_under_the_relay_is_copied_as_it_is_then_in_a_new_epoch(
    store: EventStore,
    database_url: str,
    nats_url: str,
    log_id: int,
    jetstream: JetStreamContext,
    stream: str,
    end: int,
    caplog: pytest.LogCaptureFixture,
):
    """It has grown again before the relay looks: no further, as far or further than what was published.

    Before the new epoch the stream stays as it is, with what the log has lost.
    """
    await append(store, log_id, "a", range(1, 11))
    async with relaying(store, log_id, nats_url) as wake:
        await copied(store, log_id, jetstream, stream)
        await as_superuser(
            database_url,
            f"DELETE FROM ledger.event WHERE log_id = {log_id} AND position > 5",
            f"""INSERT INTO ledger.event
            SELECT {log_id}, n, 'b', n - 5, gen_random_uuid(), 'b-' || n, '\\x01', 'TaskClosed', 1, now(), '{{}}',
                '\\x00' FROM generate_series(6, {end}) AS n""",
        )
        wake.ring()

        async def said() -> bool:
            await asyncio.sleep(0)
            return WENT_BACK in caplog.text

        await until(said)
        assert (await jetstream.stream_info(stream)).state.last_seq == 10
        await as_superuser(database_url, "INSERT INTO ledger.epoch VALUES (2)")
        messages = await copied(store, log_id, jetstream, stream)
    assert {(message.headers or {})["Hourbook-Epoch"] for message in messages} == {"2"}
    assert len(messages) == end


async def test_a_forged_message_that_has_stopped_appends_is_dismissed_and_begins_no_epoch(
    store: EventStore, database_url: str, server_folder: Path, tmp_path: Path
):
    """It says of itself that it is the ledger's next event, as the relay's own login may publish."""
    await append(store, 0, "a", range(1, 4))
    settings = {"database_url": database_url, "sandbox": False, "audit_key_file": tmp_path / "audit" / "key.pem"}
    with EmbeddedNats(server_folder) as server:
        async with relaying(store, 0, server.url), connected(server.url) as client:
            jetstream = client.jetstream()
            await copied(store, 0, jetstream, stream_name(0))
            headers = {"Hourbook-Ledger": await store.ledger_id(), "Hourbook-Position": "4", "ce-id": "forged"}
            await jetstream.publish("hourbook.log.0.a.TaskClosed", b"{}", headers=headers)

            async def has_stopped() -> bool:
                await asyncio.sleep(0)
                return bool(await lost_positions(store.readers))

            await until(has_stopped)
            with pytest.raises(LogWentBack):
                await append(store, 0, "a", range(4, 5))
            async with restored_ledger(Settings(nats_url=server.url, **settings)) as ledger:
                survey = await ledger.survey()
                assert (survey.noticed, survey.is_proved) == (True, False)
                await ledger.dismiss(survey)
            await append(store, 0, "a", range(4, 5))
            await copied(store, 0, jetstream, stream_name(0))
    assert await store.epoch() == 1


async def test_an_event_larger_than_a_message_may_be_stops_no_other(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str, connection: Client
):
    sizes = [10, connection.max_payload - 5000, connection.max_payload - 10, connection.max_payload * 2, 10]
    for version, size in enumerate(sizes, 1):
        await store.append(log_id, [event("a", version, f"k{version}", data=json_of(size))], {})
    async with relaying(store, log_id, nats_url):
        last = (await store.page(log_id, len(sizes) - 1, 1))[0]

        async def has_last() -> bool:
            try:
                message = await jetstream.get_msg(stream, seq=len(sizes))
            except NotFoundError:
                return False
            return (message.headers or {}).get("ce-id") == last.event_id

        await until(has_last)
    messages = [await jetstream.get_msg(stream, seq=position) for position in range(1, len(sizes) + 1)]
    assert [len(message.data or b"") for message in messages] == [sizes[0], sizes[1], 0, 0, sizes[4]]
    omitted = ["Hourbook-Data-Omitted" in (message.headers or {}) for message in messages]
    assert omitted == [False, False, True, True, False]


def json_of(size: int) -> str:
    """A document of so many bytes."""
    return '"' + "x" * (size - 2) + '"'


async def test_a_stream_with_a_hole_is_replaced(
    store: EventStore, nats_url: str, log_id: int, jetstream: JetStreamContext, stream: str
):
    await append(store, log_id, "a", range(1, 4))
    events = await store.page(log_id, 0, 3)
    await jetstream.add_stream(name=stream, subjects=[f"hourbook.log.{log_id}.>"])
    for each in events:
        await jetstream.publish(f"hourbook.log.{log_id}.a.TaskClosed", b"{}", headers={"ce-id": each.event_id})
    await jetstream.delete_msg(stream, 2)
    async with relaying(store, log_id, nats_url):
        await copied(store, log_id, jetstream, stream)


async def test_the_relay_waits_for_nats_and_goes_on_when_it_is_back(store: EventStore, server_folder, log_id: int):
    server = EmbeddedNats(server_folder / "nats")
    await asyncio.to_thread(server.start)
    try:
        async with relaying(store, log_id, server.url) as wake:
            await append(store, log_id, "a", range(1, 11))
            wake.ring()
            await copied_on(store, log_id, server.url)
            await asyncio.to_thread(server.kill)
            await append(store, log_id, "a", range(11, 21))
            wake.ring()
            await asyncio.to_thread(server.start)
            await copied_on(store, log_id, server.url)
    finally:
        await asyncio.to_thread(server.stop)


async def copied_on(store: EventStore, log_id: int, url: str) -> None:
    client = await nats.connect(url)
    try:
        await copied(store, log_id, client.jetstream(), f"HOURBOOK-{log_id}")
    finally:
        await client.close()
