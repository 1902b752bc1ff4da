"""The service at work inside a test, and waiting for what happens elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from services.problem_responses import install_problem_responses
from services.projections.api import router
from services.projections.health import router as health
from services.projections.running import running_projections
from services.projections.settings import Settings

WAIT_SECONDS_MAX = 20


@asynccontextmanager
async def client_of(settings: Settings, *, worker: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """The service at work, asked without a network between."""
    app = FastAPI()
    app.include_router(router)
    app.include_router(health)
    install_problem_responses(app)
    async with running_projections(settings, worker=worker) as app.state.projections:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://projections") as client:
            yield client


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when it holds."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.002)
