"""Commands, queries, billing and the web pages behind one address: what `hourbook up` serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
from fastapi import FastAPI
from starlette.datastructures import State

from services.access.guard import guard
from services.billing.payments.routes import STATEMENTS
from services.billing.routes import ROUTES as BILLING
from services.billing.running import running_billing
from services.billing.sending.state import unsent_notices
from services.billing.settings import Settings as BillingSettings
from services.ledger.http.commands import ROUTES as COMMANDS
from services.ledger.http.problems import furnish_ledger
from services.ledger.running import running_ledger
from services.ledger.settings import Settings as LedgerSettings
from services.operating.backup.outcomes import show_backups
from services.operating.backup.settings import BackupSettings
from services.pages.beside_api import BesideApi, is_page
from services.pages.settings import PagesSettings
from services.pages.site import Site
from services.process.health import health_routes
from services.process.in_process import InProcess
from services.process.logins import as_part
from services.process.openapi import PUBLISHED
from services.process.settings import read
from services.projections.routes import ROUTES as QUERIES
from services.projections.running import running_projections
from services.projections.settings import Settings as ProjectionsSettings


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    """All services, each with its own settings, role and connections; relay, expiry and worker run elsewhere."""
    async with (
        running_ledger(read(LedgerSettings, **as_part("ledger", "ledger"))) as app.state.ledger,
        running_projections(read(ProjectionsSettings, **as_part("projections")), worker=False) as app.state.projections,
        running_billing(read(BillingSettings, **as_part("billing")), app) as app.state.billing,
    ):
        app.state.parts = app.state.ledger.work
        yield


def create_app() -> FastAPI:
    """The application, for uvicorn."""
    routes = [*COMMANDS, *QUERIES, *BILLING, *health_routes(_parts, _notices, _beside)]
    show_backups(read(BackupSettings).folder)
    app = FastAPI(title="Hourbook", lifespan=_running, routes=routes, **PUBLISHED)
    app.add_middleware(BesideApi, site=lambda: Site(partial(_within, app), read(PagesSettings)))
    furnish_ledger(app, is_page, STATEMENTS)
    guard(app, lambda scope: scope["app"].state.ledger.door)
    return app


def _within(app: FastAPI, client: tuple[str, int]) -> httpx.AsyncBaseTransport:
    """The API, asked by the pages without a socket, as if the browser itself had asked."""
    return InProcess(app, client)


async def _parts(state: State) -> dict[str, list[str]]:
    return await state.ledger.parts() | await state.projections.parts() | await state.billing.parts()


async def _beside(state: State) -> dict[str, list[str]]:
    return await state.ledger.parts_beside()


async def _notices(state: State) -> list[str]:
    return await state.ledger.notices() + await state.projections.notices() + await unsent_notices(state.billing)
