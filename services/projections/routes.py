"""Every route of the projections: those of the rooms, and what goes over all accounts or over all projections."""

from typing import Annotated

from asyncpg import Connection
from fastapi import APIRouter, Query, Request, Response

from contracts.access import Right
from contracts.read_models import LogView, ProjectionView
from contracts.totals import Totals, TotalsList
from services.access.door import principal_of
from services.access.needs import KNOWN, needs
from services.projections.balances import BALANCES
from services.projections.balances.routes import router as balances
from services.projections.balances.routes import weekly
from services.projections.balances.totals import totals_of_day
from services.projections.debt_alerts.routes import of_account as alerts_of_account
from services.projections.debt_alerts.routes import router as alerts
from services.projections.following.tracking import Cut
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.month_routes import router as months
from services.projections.monthly_reports.routes import router as reports
from services.projections.monthly_reports.totals import totals_of_months
from services.projections.parameters import MinPosition
from services.projections.read_models import Projections
from services.projections.readings import OF_ALL
from services.projections.tasks.routes import router as tasks
from services.projections.totals_parameters import AskedTotals

HALTED = "It has halted. GET /health/details says why, with the right operate."

own = APIRouter(prefix="/v1")


@own.get("/totals", tags=["balances"], openapi_extra=OF_ALL)
@needs(Right.ALL_ACCOUNTS)
async def get_totals(
    request: Request, response: Response, asked: Annotated[AskedTotals, Query()], minimum: MinPosition = 0
) -> TotalsList:
    """Totals over all accounts: of a day by effect, of a month, or of every month of a range, by booking."""
    projections: Projections = request.app.state.projections
    async with projections.snapshot(minimum, MONTHLY_REPORTS if asked.months else BALANCES) as (connection, at):
        response.headers["Hourbook-Position"] = str(at.position)
        return TotalsList(totals=await _totals(connection, asked))


async def _totals(connection: Connection, asked: AskedTotals) -> tuple[Totals, ...]:
    if asked.day:
        return (await totals_of_day(connection, asked.day),)
    return await totals_of_months(connection, asked.months)


@own.get("/projections", tags=["projections"], openapi_extra=OF_ALL)
@needs(KNOWN)
async def list_projections(
    request: Request, response: Response, minimum: MinPosition = 0
) -> tuple[ProjectionView, ...]:
    """Where every projection stands: asked with `Hourbook-Min-Position`, once all of them have come that far.

    Where there are several logs, that far in each of them, or to its end.
    """
    projections: Projections = request.app.state.projections
    places = await projections.places(minimum)
    response.headers["Hourbook-Position"] = str(min(at.position for at in places.values()))
    in_detail = principal_of(request.scope).operates
    return tuple(_view(name, at, in_detail=in_detail) for name, at in places.items())


def _view(name: str, at: Cut, *, in_detail: bool) -> ProjectionView:
    def shown(halted: str | None) -> str | None:
        return halted and (halted if in_detail else HALTED)

    logs = (
        LogView(log=n, position=place.position, halted=shown(place.halted), halted_accounts=len(place.halted_accounts))
        for n, place in enumerate(at.places)
    )
    return ProjectionView(name=name, position=at.position, halted=shown(at.halted), logs=tuple(logs))


ROUTES = [
    *balances.routes, *weekly.routes, *tasks.routes, *own.routes, *reports.routes, *months.routes, *alerts.routes,
    *alerts_of_account.routes,
]  # fmt: skip
"""Side by side: a router inside a router is matched anew on each level, at a price."""
