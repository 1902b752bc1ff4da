"""Commands and queries behind one address: what `hourbook up` serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.ledger.api import ROUTES as COMMANDS
from services.ledger.problems import install_problems
from services.ledger.running import running_ledger
from services.ledger.settings import Settings as LedgerSettings
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
    routes = [*COMMANDS, *queries.routes, *reports.routes]
    app = FastAPI(title="Hourbook", version="1", lifespan=_running, routes=routes)
    app.add_api_route("/health/live", live, include_in_schema=False)
    app.add_api_route("/health/ready", ready, include_in_schema=False)
    app.add_api_route("/metrics", metrics, include_in_schema=False)
    install_problems(app)
    return app


async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


async def ready(request: Request) -> JSONResponse:
    """200 when commands are recorded and queries answered; 503 with the reasons otherwise."""
    faults = await request.app.state.ledger.faults() + await request.app.state.projections.faults()
    return JSONResponse({"status": "not ready" if faults else "ready", "faults": faults}, 503 if faults else 200)


async def metrics() -> Response:
    """For Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
