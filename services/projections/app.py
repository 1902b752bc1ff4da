"""The projections service as an application of its own, with its worker or without."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.datastructures import State

from services.access.guard import guard
from services.process.application import furnish
from services.process.health import health_routes
from services.process.logins import as_part
from services.process.openapi import PUBLISHED
from services.process.settings import read
from services.projections.access import followed_door
from services.projections.routes import ROUTES
from services.projections.running import running_projections
from services.projections.settings import Settings


def create_app() -> FastAPI:
    """Queries and the worker in one process, for uvicorn."""
    return _app(worker=True)


def create_api() -> FastAPI:
    """Queries alone; the worker runs elsewhere."""
    return _app(worker=False)


def _app(*, worker: bool) -> FastAPI:
    routes = [*ROUTES, *health_routes(_parts, _notices)]
    app = FastAPI(title="Hourbook projections", lifespan=_running(worker=worker), routes=routes, **PUBLISHED)
    furnish(app)
    guard(app, lambda scope: scope["app"].state.door)
    return app


def _running(*, worker: bool) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings = read(Settings, **as_part("projections", "worker"))
        async with (
            running_projections(settings, worker=worker) as app.state.projections,
            followed_door(app.state.projections.ledger) as app.state.door,
        ):
            yield

    return lifespan


async def _parts(state: State) -> dict[str, list[str]]:
    return await state.projections.parts()


async def _notices(state: State) -> list[str]:
    return await state.projections.notices()
