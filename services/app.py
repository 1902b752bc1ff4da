"""Commands and queries behind one address: what `hourbook up` serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.datastructures import State

from services.health import health_routes
from services.ledger.api import ROUTES as COMMANDS
from services.ledger.problems import install_problems
from services.ledger.running import running_ledger
from services.ledger.settings import Settings as LedgerSettings
from services.projections.alerts_api import router as alerts
from services.projections.api import router as queries
from services.projections.reports_api import router as reports
from services.projections.running import running_projections
from services.projections.settings import Settings as ProjectionsSettings


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    """Both services, each with its own settings, role and connections; relay, expiry and worker run elsewhere."""
    async with (
        running_ledger(LedgerSettings()) as app.state.ledger,
        running_projections(ProjectionsSettings(), worker=False) as app.state.projections,
    ):
        yield


def create_app() -> FastAPI:
    """The application, for uvicorn."""
    routes = [*COMMANDS, *queries.routes, *reports.routes, *alerts.routes, *health_routes(_faults)]
    app = FastAPI(title="Hourbook", version="1", lifespan=_running, routes=routes)
    install_problems(app)
    return app


async def _faults(state: State) -> list[str]:
    return await state.ledger.faults() + await state.projections.faults()
