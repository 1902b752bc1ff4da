"""The ledger service as an application of its own, with relay and expiry or without."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.datastructures import State

from services.access.guard import guard
from services.ledger.http.commands import ROUTES
from services.ledger.http.problems import furnish_ledger
from services.ledger.running import running_ledger
from services.ledger.settings import LOGINS_OF, Settings
from services.process.health import health_routes
from services.process.logins import as_part
from services.process.openapi import PUBLISHED
from services.process.settings import read


def create_app() -> FastAPI:
    """Commands, relay and expiry in one process, for uvicorn."""
    return _app(background=True)


def create_api() -> FastAPI:
    """Commands alone; relay and expiry run elsewhere."""
    return _app(background=False)


def _app(*, background: bool) -> FastAPI:
    routes = [*ROUTES, *health_routes(_parts, _notices, _beside)]
    app = FastAPI(title="Hourbook ledger", lifespan=_running(background=background), routes=routes, **PUBLISHED)
    furnish_ledger(app)
    guard(app, lambda scope: scope["app"].state.ledger.door)
    return app


def _running(*, background: bool) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        logins = as_part(*LOGINS_OF[None if background else "api"])
        async with running_ledger(read(Settings, **logins), relay=background, expiry=background) as app.state.ledger:
            app.state.parts = app.state.ledger.work
            yield

    return lifespan


async def _parts(state: State) -> dict[str, list[str]]:
    return await state.ledger.parts()


async def _beside(state: State) -> dict[str, list[str]]:
    return await state.ledger.parts_beside()


async def _notices(state: State) -> list[str]:
    return await state.ledger.notices()
