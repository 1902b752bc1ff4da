"""The routes of forecasts and of what would have been: worked out from the events at each question, kept nowhere."""

import asyncio

from fastapi import APIRouter

from contracts.access import Right
from contracts.forecasts import ForecastView
from contracts.quantities import AccountId
from contracts.what_if import WhatIf, WhatIfView
from services.access.needs import needs
from services.ledger.forecast.view import forecast_stored
from services.ledger.http.log_feed import account_events
from services.ledger.http.requests import LedgerOf
from services.ledger.what_if.answer import what_if_stored
from services.process.openapi import problems

router = APIRouter(prefix="/v1/accounts", tags=["balances"])


OF_ACCOUNT = ("account-not-found", "account-unreadable", "ledger-unavailable")
OF_PURCHASES = ("unknown-plan", "effective-in-future", "package-already-purchased")


@router.get("/{account_id}/forecast", openapi_extra=problems(*OF_ACCOUNT))
@needs(Right.BALANCES)
async def get_forecast(account_id: AccountId, ledger: LedgerOf) -> ForecastView:
    """When the balance is expected to run out, and what each package's end is expected to forfeit (rule 18)."""
    events = await account_events(ledger, account_id)
    return await asyncio.to_thread(forecast_stored, account_id, events, await ledger.clock.now())


@router.post("/{account_id}/what-if", openapi_extra=problems(*OF_ACCOUNT, *OF_PURCHASES))
@needs(Right.BALANCES)
async def get_what_if(account_id: AccountId, body: WhatIf, ledger: LedgerOf) -> WhatIfView:
    """How the account would have gone with other purchases or other terms, beside how it went. Records nothing."""
    events = await account_events(ledger, account_id)
    now = await ledger.clock.now()
    return await asyncio.to_thread(what_if_stored, account_id, events, body, ledger.access.terms, now)
