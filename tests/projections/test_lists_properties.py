"""Lists in every order, with every filter, at every time page completely, and agree with each account's balance."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from typing import Any, get_args

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.read_models import AccountSummary
from services.projections.balances.accounts import Sort, accounts
from services.projections.balances.packages import packages
from services.projections.balances.queries import balance
from tests.projections.conftest import Applied
from tests.projections.histories import TURNS, Turn, play

EXAMPLES = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NEVER = "9"
KEYS: dict[str, Callable[[AccountSummary], tuple[Any, ...]]] = {
    "account_id": lambda account: (account.account_id,),
    "customer_name": lambda account: (account.customer_name, account.account_id),
    "balance": lambda account: (account.balance_minutes, account.account_id),
    "-balance": lambda account: (account.balance_minutes, account.account_id),
    "expiry": lambda account: (
        account.next_expiry_at.isoformat() if account.next_expiry_at else NEVER,
        account.account_id,
    ),
    "run_out": lambda account: (account.run_out_on.p50 if account.run_out_on else date.max, account.account_id),
}
SOON = date(2026, 5, 1)
FORECAST = """
    INSERT INTO projections.forecast SELECT account_id, 1, now(), day, day, day
    FROM account CROSS JOIN LATERAL (SELECT $1::date + right(account_id, 1)::integer % 3 - 1) AS forecast (day)
    WHERE right(account_id, 1)::integer % 4 > 0 ON CONFLICT DO NOTHING
"""
"""For three of four accounts, some of them of the same day."""


async def listed(connection: asyncpg.Connection, limit: int, **asked: Any) -> list[AccountSummary]:
    """Every page, one after another."""
    found: list[AccountSummary] = []
    cursor = None
    while True:
        page = await accounts(connection, cursor=cursor, limit=limit, **asked)
        found += page.accounts
        if (cursor := page.next_cursor) is None:
            return found


@EXAMPLES
@given(histories=st.lists(TURNS, min_size=1, max_size=3), days=st.sampled_from((0, 1, 60, 400)), data=st.data())
async def test_every_combination_pages_completely_in_its_order(
    applied: Applied, histories: list[list[Turn]], days: int, data: st.DataObject
):
    """Also when packages have ended, and the ledger has not recorded that yet (rule 7.5)."""
    number = len({line.account_id for line in applied.log.lines})
    instants = [max(play(applied.log, f"a-{number + n}", turns)) for n, turns in enumerate(histories)]
    position = await applied.position()
    now = max(line.recorded_at for line in applied.log.lines) + timedelta(days=days)
    assert instants
    async with applied.database.acquire() as connection:
        await connection.execute(FORECAST, SOON)
        everybody = await listed(connection, 1000, debt=None, expiring_within=None, suspended=None, now=now)
        assert len(everybody) == number + len(histories)
        one = data.draw(st.sampled_from(everybody))
        stands = await balance(connection, one.account_id, now, None, now, position)
        assert (one.held_minutes, one.owed_minutes) == (stands.held_minutes, stands.owed_minutes)
        assert (one.planned_minutes, one.available_minutes) == (stands.planned_minutes, stands.available_minutes)
        first = min((lot.ends_at for lot in stands.lots), default=None)
        assert one.next_expiry_at == first
        assert one.next_expiry_minutes == sum(lot.remaining_minutes for lot in stands.lots if lot.ends_at == first)
        everything: dict[str, Any] = {"state": None, "since": None, "before": None, "cursor": None, "limit": 1000}
        held = (await packages(connection, one.account_id, now=now, **everything)).packages
        assert sorted((lot.lot_id, lot) for each in held for lot in each.lots) == sorted(
            (lot.lot_id, lot) for lot in stands.lots
        )
        assert all(each.state == "valid" for each in held if each.lots)
        choices = ((None, True, False), (None, 90), (None, True), (None, SOON))
        for sort, debt, within, suspended, before in product(get_args(Sort), *choices):
            filters: dict[str, Any] = {"debt": debt, "expiring_within": within, "suspended": suspended}
            filters["run_out_before"] = before
            expected = [
                account
                for account in everybody
                if (debt is None or debt == (account.balance_minutes < 0))
                and (not within or (account.next_expiry_at and account.next_expiry_at <= now + timedelta(days=within)))
                and (suspended is None or suspended == account.suspended)
                and (before is None or (account.run_out_on and account.run_out_on.p50 < before))
            ]
            found = await listed(connection, 2, sort=sort, now=now, **filters)
            assert found == sorted(expected, key=KEYS[sort], reverse=sort.startswith("-"))
