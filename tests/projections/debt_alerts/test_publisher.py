"""Changes on JetStream: one message each, in order, through outages and with several publishers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import nats
import orjson
import pytest
from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy, StorageType

from infra.embedded import EmbeddedNats
from services.projections.debt_alerts import publisher
from services.projections.settings import Settings
from tests.projections.questions import client_of, until, until_ready
from tests.projections.vocabulary import Log, closed, opened, paid


@pytest.fixture
def account_id() -> str:
    """The stream is one for all accounts: a subject of the test's own."""
    return f"a-{uuid4().hex}"


@asynccontextmanager
async def publishing(settings: Settings, nats_url: str, processes: int = 1) -> AsyncIterator[None]:
    """Services at work that have begun."""
    async with AsyncExitStack() as running:
        for _ in range(processes):
            client = await running.enter_async_context(client_of(settings.model_copy(update={"nats_url": nats_url})))
            await until_ready(client)
        yield


def debts(log: Log, account_id: str, times: int) -> None:
    """Two changes each time."""
    if all(line.account_id != account_id for line in log.lines):
        log.record(account_id, opened())
    for _ in range(times):
        task_id = f"T-{log.position}"
        log.record(account_id, closed(task_id, on="2026-03-05", owed=60))
        log.record(account_id, paid({task_id: 60}, on="2026-03-06"))


async def messages(nats_url: str, account_id: str, count: int) -> list[Msg]:
    """All that the stream has of the account, once there are so many."""
    client = await nats.connect(nats_url)
    try:
        jetstream = client.jetstream()
        subject = f"hourbook.alerts.{account_id}.debt"
        await until(lambda: _is_kept(client, subject))
        subscription = await jetstream.subscribe(subject, ordered_consumer=True, deliver_policy=DeliverPolicy.ALL)
        found = [await subscription.next_msg(timeout=60) for _ in range(count)]
        info = await jetstream.stream_info("HOURBOOK-ALERTS", subjects_filter=f"hourbook.alerts.{account_id}.>")
        assert sum((info.state.subjects or {}).values()) == count
        return found
    finally:
        await client.close()


async def _is_kept(client: nats.NATS, subject: str) -> bool:
    """Whether a stream has it: one that was made otherwise has it once the publisher has seen to that."""
    try:
        await client.jetstream().find_stream_name_by_subject(subject)
    except nats.js.errors.NotFoundError:
        return False
    return True


async def test_each_change_is_one_message_whoever_publishes(
    settings: Settings, nats_url: str, log: Log, account_id: str
):
    async with publishing(settings, nats_url, processes=2):
        debts(log, account_id, times=30)
        found = await messages(nats_url, account_id, 60)
    changes = [orjson.loads(message.data) for message in found]
    assert [change["number"] for change in changes] == [*range(1, 61)]
    assert [change["type"] for change in changes] == ["alert.opened", "alert.closed"] * 30
    headers = found[0].headers or {}
    assert headers["ce-id"] == headers["Nats-Msg-Id"] == changes[0]["id"]
    assert (headers["ce-type"], headers["ce-subject"], headers["ce-specversion"]) == ("alert.opened", account_id, "1.0")
    assert headers["ce-time"] == "2026-03-04T21:00:00Z"


async def test_what_was_not_acknowledged_in_an_outage_is_published_after_it(
    settings: Settings, database: asyncpg.Pool, log: Log, account_id: str, server_folder: Path
):
    with EmbeddedNats(server_folder) as server:
        async with publishing(settings, server.url):
            debts(log, account_id, times=2)
            await messages(server.url, account_id, 4)
            server.kill()
            debts(log, account_id, times=3)
            server.start()
            await messages(server.url, account_id, 10)


async def test_what_a_crash_let_be_sent_twice_is_there_once(
    settings: Settings, nats_url: str, database: asyncpg.Pool, log: Log, account_id: str
):
    async with publishing(settings, nats_url):
        debts(log, account_id, times=5)
        await messages(nats_url, account_id, 10)
    await database.execute("UPDATE projections.alert_publication SET number = 3")
    async with publishing(settings, nats_url):
        debts(log, account_id, times=1)
        await messages(nats_url, account_id, 12)


async def test_a_stream_that_was_made_otherwise_is_made_as_it_has_to_be(
    settings: Settings, database: asyncpg.Pool, log: Log, account_id: str, server_folder: Path
):
    """Its limits stay: they are its operator's."""
    with EmbeddedNats(server_folder) as server:
        client = await nats.connect(server.url)
        await client.jetstream().add_stream(
            name="HOURBOOK-ALERTS", subjects=["elsewhere"], no_ack=True, max_msg_size=10, max_age=3600
        )
        async with publishing(settings, server.url):
            debts(log, account_id, times=2)
            await messages(server.url, account_id, 4)
        assert (await client.jetstream().stream_info("HOURBOOK-ALERTS")).config.max_age == 3600
        await client.close()


async def test_a_stream_that_cannot_be_made_so_is_in_health_until_it_is_deleted(
    settings: Settings, database: asyncpg.Pool, log: Log, account_id: str, server_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    """Also to a process that publishes nothing."""
    monkeypatch.setattr(publisher, "HINDERED_TIME_MAX", timedelta())
    with EmbeddedNats(server_folder) as server:
        client = await nats.connect(server.url)
        await client.jetstream().add_stream(
            name="HOURBOOK-ALERTS", subjects=["hourbook.alerts.>"], storage=StorageType.MEMORY
        )
        elsewhere = settings.model_copy(update={"nats_url": server.url})
        async with client_of(elsewhere) as worker, client_of(elsewhere, worker=False) as api:
            await until(lambda: _says(api, "HOURBOOK-ALERTS on NATS has storage memory, not file"))
            await client.jetstream().delete_stream("HOURBOOK-ALERTS")
            await until_ready(worker)
            debts(log, account_id, times=1)
            await messages(server.url, account_id, 2)
            await until_ready(api)
        await client.close()


async def _says(client: httpx.AsyncClient, sentence: str) -> bool:
    answer = (await client.get("/health/details", params={"part": "alerts"})).json()
    return any(sentence in fault for fault in answer["faults"])
