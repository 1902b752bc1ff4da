"""The route of forecasts, which are worked out from the events at each question and kept nowhere."""

import asyncio

from fastapi import APIRouter

from contracts.access import Right
from contracts.forecasts import ForecastView
from contracts.quantities import AccountId
from services.access.needs import needs
from services.ledger.forecast.view import forecast_stored
from services.ledger.http.log_feed import account_pages
from services.ledger.http.requests import LedgerOf
from services.process.openapi import problems

router = APIRouter(prefix="/v1/accounts", tags=["balances"])


@router.get(
    "/{account_id}/forecast", openapi_extra=problems("account-not-found", "account-unreadable", "ledger-unavailable")
)
@needs(Right.BALANCES)
async def get_forecast(account_id: AccountId, ledger: LedgerOf) -> ForecastView:
    """When the balance is expected to run out, and what each package's end is expected to forfeit (rule 18)."""
    events = [event async for page in account_pages(ledger, account_id) for event in page]
    return await asyncio.to_thread(forecast_stored, account_id, events, await ledger.clock.now())
