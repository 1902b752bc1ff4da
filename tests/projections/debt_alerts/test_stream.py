"""Changes as Server-Sent Events: live, resumed without a gap, kept alive, ended with the service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from uvicorn.importer import import_from_string

from services.process import tail
from services.projections.settings import Settings
from tests.ledger.serving import serving
from tests.projections.debt_alerts.questions import Alerts
from tests.projections.questions import until_ready
from tests.projections.vocabulary import Log, closed, opened, paid

NUMBERS = list[int]


@pytest.fixture
async def service(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """The service behind a real server, once its alerts have begun."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HOURBOOK_LEDGER_URL", settings.ledger_url)
    monkeypatch.setenv("HOURBOOK_SANDBOX", "1")
    monkeypatch.delenv("NATS_URL", raising=False)
    async with (
        serving(import_from_string("services.projections.app:create_app")) as url,
        httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client,
    ):
        await until_ready(client)
        yield client


@asynccontextmanager
async def listening(client: httpx.AsyncClient, last: int | None = None) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """What arrives, once the service has begun to answer."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    async with client.stream("GET", "/v1/alerts/stream", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        async with aclosing(_events(answer)) as events:
            yield events


async def _events(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if line:
            event[name] = value
        else:
            yield event
            event = {}


async def numbers(events: AsyncIterator[dict[str, Any]], through: int) -> NUMBERS:
    """The ids of the changes that arrive, up to that one."""
    found: NUMBERS = []
    async with asyncio.timeout(60):
        while not found or found[-1] < through:
            event = await anext(events)
            if "id" in event:
                data = orjson.loads(event["data"])
                assert (data["number"], data["type"]) == (int(event["id"]), event["event"])
                found.append(data["number"])
    return found


def debts(log: Log, account_id: str) -> None:
    """Two changes."""
    if all(line.account_id != account_id for line in log.lines):
        log.record(account_id, opened())
    task_id = f"T-{log.position}"
    log.record(account_id, closed(task_id, on="2026-03-05", owed=60))
    log.record(account_id, paid({task_id: 60}, on="2026-03-06"))


async def test_a_stream_resumed_anywhere_misses_nothing_and_repeats_nothing(service: httpx.AsyncClient, log: Log):
    async with listening(service, last=0) as events:
        for name in ("a", "b", "c"):
            debts(log, name)
        assert await numbers(events, 4) == [1, 2, 3, 4]
    debts(log, "a")
    for last in range(9):
        async with listening(service, last) as events:
            if last < 8:
                assert await numbers(events, 8) == [*range(last + 1, 9)]
            else:
                debts(log, "b")
                assert await numbers(events, 10) == [9, 10]


async def test_without_an_id_a_stream_begins_with_the_present_and_a_list_says_where_it_stands(
    service: httpx.AsyncClient, log: Log
):
    alerts = Alerts(service, log)
    debts(log, "a")
    listed = await alerts()
    assert listed["last_change"] == 2
    async with listening(service) as events, listening(service, listed["last_change"]) as resumed:
        debts(log, "a")
        assert await numbers(events, 4) == await numbers(resumed, 4) == [3, 4]


async def test_a_quiet_stream_is_kept_alive(service: httpx.AsyncClient, log: Log, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tail, "QUIET_SECONDS", 0.01)
    async with listening(service) as events:
        assert (await anext(events)) == {"": "ping"}


async def test_a_service_stops_although_somebody_listens(service: httpx.AsyncClient, log: Log):
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        async with serving(import_from_string("services.projections.app:create_api")) as url:
            await Alerts(service, log).settled()
            answer = await client.send(client.build_request("GET", f"{url}/v1/alerts/stream"), stream=True)
        with pytest.raises(httpx.TransportError):
            await answer.aread()
