"""The routes of alerts: a list, a stream of their changes, and what became of the webhooks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from contracts.access import Right
from contracts.alerts import AlertChange, AlertDeliveryPage, AlertPage, ForeseenAlerts
from contracts.envelope import Recorded
from contracts.problems import InvalidField
from contracts.quantities import POSITION_MAX, AccountId
from services.access.door import principal_of
from services.access.needs import needs
from services.process.openapi import problems
from services.process.problem_responses import InvalidRequest
from services.process.tail import Tail
from services.projections.debt_alerts import DEBT_ALERTS, queries, stream
from services.projections.debt_alerts.foreseen import NotOfADryRun, foreseen
from services.projections.debt_alerts.parameters import AskedAlerts, AskedDeliveries
from services.projections.read_models import Projections
from services.projections.readings import OF_ACCOUNT, OF_ALL, Reading, reading_of

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])
of_account = APIRouter(prefix="/v1/accounts", tags=["alerts"])

Read = Annotated[Reading, reading_of(DEBT_ALERTS)]
LastEventId = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=POSITION_MAX)]


@router.get("", openapi_extra=OF_ALL)
@needs(Right.BALANCES, listing=True)
async def list_alerts(read: Read, asked: Annotated[AskedAlerts, Query()]) -> AlertPage:
    """Alerts open and closed, the newest first, a page (rule 13)."""
    return await queries.alerts(read.connection, scope=read.principal.accounts, **asked.model_dump())


@router.get("/deliveries", openapi_extra=OF_ALL)
@needs(Right.BALANCES, listing=True)
async def list_deliveries(read: Read, asked: Annotated[AskedDeliveries, Query()]) -> AlertDeliveryPage:
    """What was sent to webhooks and what came of it, the newest first, a page.

    Where it was sent to, and why it was not taken, is shown whole with the right `operate`, and never with a secret.
    """
    accounts, in_detail = read.principal.accounts, read.principal.operates
    return await queries.deliveries(read.connection, asked.cursor, asked.limit, accounts, in_detail=in_detail)


@of_account.post("/{account_id}/alerts/foreseen", openapi_extra=OF_ACCOUNT)
@needs(Right.BALANCES)
async def list_foreseen_alerts(read: Read, account_id: AccountId, body: Recorded) -> ForeseenAlerts:
    """Which alerts a command would open, update or close, by what its dry run answered; nothing is kept or sent."""
    try:
        return await foreseen(read.connection, account_id, body.events)
    except NotOfADryRun as misfit:
        remedy = "send what a dry run of this account has answered, as it is"
        raise InvalidRequest(InvalidField(field="events", remedy=remedy)) from misfit


async def _beginning(request: Request, last_event_id: LastEventId = None) -> int:
    """The number after which the stream goes on: what the caller has had, else the present."""
    projections: Projections = request.app.state.projections
    with projections.reaching_postgres():
        present = await projections.alert_changes.present()
    return present if last_event_id is None else last_event_id


class Changes(StreamingResponse):
    """Server-Sent Events, one for each change of an alert."""

    media_type = "text/event-stream"


@router.get(
    "/stream",
    response_class=Changes,
    responses={200: {"model": AlertChange}},
    openapi_extra=problems("too-many-requests", "projections-unavailable"),
)
@needs(Right.BALANCES, listing=True, streams=True)
async def stream_alerts(request: Request, after: Annotated[int, Depends(_beginning)]) -> Response:
    """Changes as they are committed, each with its number as `id`; after `Last-Event-ID`, or from now on without it.

    A list says in `last_change` where a stream goes on that misses nothing after it; 0 is the beginning of all.
    """
    changes: Tail = request.app.state.projections.alert_changes
    changes.require_room()
    return Changes(
        stream.kept_alive(changes, after, principal_of(request.scope).accounts), headers={"Cache-Control": "no-cache"}
    )
