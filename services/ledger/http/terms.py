"""The routes of the terms: all versions, and how a new one is published (rule 3.4)."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from contracts.access import Right
from contracts.problems import InvalidField
from contracts.terms import EffectOfTerms, PublishedTerms, TermsVersion
from services.access.door import principal_of
from services.access.needs import KNOWN, needs
from services.ledger.http.requests import LedgerOf
from services.ledger.price_lists.effect import JUDGED, Effect
from services.ledger.price_lists.publication import CannotPublish, publish, require_next
from services.ledger.price_lists.recent_events import recorded_since
from services.ledger.running import Ledger
from services.process.openapi import problems
from services.process.problem_responses import InvalidRequest

router = APIRouter(prefix="/v1", tags=["log"])

TRIED_ON = timedelta(days=92)
"""Three months: what a version that is not published yet is tried on."""

CLOCKS_DIFFER = timedelta(days=1)


class TermsView(BaseModel):
    """The price list and coefficients, all versions, the earliest first."""

    versions: tuple[TermsVersion, ...]


@router.get("/terms", openapi_extra=problems("ledger-unavailable"))
@needs(KNOWN)
async def list_terms(ledger: LedgerOf) -> TermsView:
    """The price list and coefficients, all versions, those that are to come into force too."""
    return TermsView(versions=ledger.access.terms.versions)


@router.post(
    "/terms",
    status_code=201,
    response_model=PublishedTerms,
    responses={200: {"model": EffectOfTerms, "description": "A dry run: what it would have changed."}},
    openapi_extra=problems("ledger-unavailable"),
)
@needs(Right.TERMS)
async def publish_terms(
    body: TermsVersion,
    ledger: LedgerOf,
    request: Request,
    dry_run: Annotated[bool, Query()] = False,
) -> PublishedTerms | Response:
    """Publish a version of the terms, in force at least an hour later; earlier ones stay as they are.

    A dry run publishes nothing, and answers what the version would have changed in the last three months, by account.
    """
    try:
        if not dry_run:
            return await publish(ledger.access, body, principal_of(request.scope).id)
        now = await ledger.clock.now()
        await ledger.access.catch_up()
        require_next(body, ledger.access.state, now)
    except CannotPublish as misfit:
        raise InvalidRequest(InvalidField(field=misfit.field, remedy=misfit.remedy)) from misfit
    effect = await _tried(ledger, body, now - TRIED_ON)
    return Response(effect.model_dump_json(), media_type="application/json")


async def _tried(ledger: Ledger, version: TermsVersion, since: datetime) -> EffectOfTerms:
    effect = Effect(version, since)
    async for page in recorded_since(ledger.store, ledger.settings.logs, since - CLOCKS_DIFFER):
        for stored in page:
            if stored.type in JUDGED:
                effect.take(stored.account_id, stored.event())
    return EffectOfTerms(version=version, since=since, accounts=tuple(effect.accounts()))
