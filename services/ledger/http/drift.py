"""The routes of what connectors say of the portals that work comes from: where each differs, and how it is."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from contracts.access import Right
from contracts.drift import Drift, DriftBody, PortalState, PortalStateBody, PortalStates
from contracts.quantities import Month
from services.access.door import principal_of
from services.access.needs import needs
from services.ledger.drift import records
from services.ledger.http.log import Parameters
from services.ledger.http.requests import LedgerOf
from services.process.openapi import problems

router = APIRouter(prefix="/v1", tags=["portals"])


class OfMonth(Parameters):
    """Of which month."""

    month: Month


@router.get("/drift", openapi_extra=problems("ledger-unavailable"))
@needs(Right.ALL_ACCOUNTS, whole=True)
async def get_drift(asked: Annotated[OfMonth, Query()], ledger: LedgerOf) -> Drift:
    """Where a month of the portal and of the ledger differ, as its connector compared them last."""
    return await records.drift(ledger.store.readers, asked.month)


@router.put("/drift/{month}", openapi_extra=problems("ledger-unavailable"))
@needs(Right.TASKS, whole=True)
async def record_drift(month: Month, body: DriftBody, ledger: LedgerOf, request: Request) -> Drift:
    """Keep a comparison of a month; earlier ones stay as they are."""
    await records.record(ledger.store.readers, month, body, principal_of(request.scope).id)
    return await records.drift(ledger.store.readers, month)


@router.get("/portals", openapi_extra=problems("ledger-unavailable"))
@needs(Right.ALL_ACCOUNTS, whole=True)
async def list_portals(ledger: LedgerOf) -> PortalStates:
    """How each portal is, as its connector said last."""
    return PortalStates(portals=await records.portals(ledger.store.readers))


@router.put("/portals/own", openapi_extra=problems("ledger-unavailable"))
@needs(Right.TASKS, whole=True)
async def record_portal(body: PortalStateBody, ledger: LedgerOf, request: Request) -> PortalState:
    """Say how the portal of this connector is, in place of what it said before."""
    return await records.say(ledger.store.readers, body, principal_of(request.scope).id)
