"""The service at work inside a test, and waiting for what happens elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from contracts.placement import log_of
from services.access.door import Door
from services.access.guard import guard
from services.access.limits import Limits, LimitSettings
from services.access.state import NothingKnown
from services.process.application import furnish
from services.process.health import health_routes
from services.projections.routes import ROUTES
from services.projections.running import running_projections
from services.projections.settings import Settings
from tests.projections.following.log_server import LOGS, lines_of
from tests.projections.vocabulary import Log
from tests.published import require_declared

WAIT_SECONDS_MAX = 60


@asynccontextmanager
async def client_of(settings: Settings, *, worker: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """The service at work, asked without a network between; it answers nothing that its document does not declare."""
    health = health_routes(lambda state: state.projections.parts(), lambda state: state.projections.notices())
    app = FastAPI(routes=[*ROUTES, *health])
    furnish(app)
    guard(app, lambda _: Door(NothingKnown(), Limits(LimitSettings()), is_open=True))
    async with running_projections(settings, worker=worker) as app.state.projections:
        transport = httpx.ASGITransport(app)
        hooks = {"response": [require_declared]}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", event_hooks=hooks) as client:
            yield client


async def until_ready(client: httpx.AsyncClient) -> None:
    """Return when nothing is wrong and the alerts have begun: what was recorded before they had is silent."""

    async def is_ready() -> bool:
        return (await client.get("/health/ready")).status_code == 200

    await until(is_ready)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when it holds."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await condition():
            await asyncio.sleep(0.002)


async def caught_up(client: httpx.AsyncClient, path: str, position: int, **asked: Any) -> httpx.Response:
    """The answer once the projection has come to that position, however long that takes on this machine."""
    headers = {"Hourbook-Min-Position": str(position)}
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while True:
            answer = await client.get(path, params=asked, headers=headers)
            if answer.status_code != 503 or not answer.json()["type"].endswith(":projection-behind"):
                return answer


class Queries:
    """Questions that wait for everything in the log."""

    def __init__(self, client: httpx.AsyncClient, log: Log) -> None:
        self._client = client
        self._log = log

    async def __call__(self, path: str, **asked: Any) -> Any:
        answer = await self.answer(path, **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def answer(self, path: str, **asked: Any) -> httpx.Response:
        renamed = {"from" if name == "since" else name: value for name, value in asked.items()}
        return await caught_up(self._client, f"/v1/accounts{path}", self.end_of_log(path), **renamed)

    def end_of_log(self, path: str) -> int:
        """Where the log of the account that is asked about ends; of all logs, further than any."""
        _, account_id, *_ = [*path.split("/"), ""]
        return len(lines_of(self._log, log_of(account_id, LOGS))) if account_id else self._log.position


async def pages(ask: Queries, path: str, rows: str, **asked: Any) -> list[list[Any]]:
    """Page after page by cursor."""
    found: list[list[Any]] = []
    while not found or asked["cursor"]:
        page = await ask(path, **asked)
        found.append(page[rows])
        asked["cursor"] = page["next_cursor"]
    return found
