"""The forecast of an account from its events (rule 18)."""

from collections.abc import Sequence
from datetime import datetime

from contracts.forecasts import ExpectedDay, ExpectedEnd, ExpectedMinutes, ExpectedMoney, ForecastView
from services.ledger.domain.account import Account, due, fold
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.forecast.expectation import percentiles, ways
from services.ledger.forecast.usage import WEEK, usage


def forecast_stored(account_id: str, events: Sequence[StoredEvent], now: datetime) -> ForecastView:
    """Of the account's whole stream, in order; AccountUnreadable where an event does not fit those before it."""
    known = KnownAccount.of(account_id, events)
    return forecast(known.account, events[-1].position or 0, now)


def forecast(account: Account, position: int, now: datetime) -> ForecastView:
    """Repeats itself for the same events on the same day."""
    account = fold(account, due(account, now))
    past = usage(account, now)
    outcomes = ways(account, past, now, f"{account.account_id} {position}")
    ends = [account.packages[package_id] for _, _, package_id in account.to_expire]
    return ForecastView(
        account_id=account.account_id,
        as_of=now,
        position=position,
        weeks_of_history=len(past) // WEEK,
        run_out_on=ExpectedDay(**percentiles([each.run_out_on for each in outcomes])),
        ends=tuple(
            ExpectedEnd(
                package_id=package.package_id,
                ends_at=package.ends_at,
                forfeited_minutes=ExpectedMinutes(
                    **percentiles([each.forfeited[package.package_id].forfeited_minutes for each in outcomes])
                ),
                forfeited_amount_kopecks=ExpectedMoney(
                    **percentiles([each.forfeited[package.package_id].forfeited_amount_kopecks for each in outcomes])
                ),
            )
            for package in ends
        ),
    )
