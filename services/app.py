"""Commands and queries behind one address: what `hourbook up` serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.ledger import api as ledger_api
from services.ledger.running import running_ledger
from services.ledger.settings import Settings as LedgerSettings
from services.problem_responses import install_problem_responses
from services.projections import api as projections_api
from services.projections.running import running_projections
from services.projections.settings import Settings as ProjectionsSettings


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    """Both services, each with its own settings, role and connections."""
    async with (
        running_ledger(LedgerSettings()) as app.state.ledger,
        running_projections(ProjectionsSettings(), worker=False) as app.state.projections,
    ):
        yield


def create_app() -> FastAPI:
    """The application, for uvicorn."""
    app = FastAPI(title="Hourbook", version="1", lifespan=_running)
    app.include_router(ledger_api.router)
    app.include_router(projections_api.router)
    install_problem_responses(app)
    return app
