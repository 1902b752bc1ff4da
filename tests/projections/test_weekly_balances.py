"""The balances of some accounts week by week are those that the curve has at the end of each week."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings

from services.projections.balances.curve import history, weekly_balances
from services.projections.balances.movements import week_start
from tests.projections.conftest import Applied
from tests.projections.histories import TURNS, Turn
from tests.projections.test_balance_properties import Played

WEEKS = 60


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(turns=TURNS)
async def test_each_week_ends_with_what_the_curve_says(applied: Applied, turns: list[Turn]):
    played = Played(applied, turns)
    await applied.position()
    now = played.now
    async with applied.database.acquire() as connection:
        (found,) = await weekly_balances(connection, [played.account_id, "nobody"], WEEKS, now)
        steps = await history(connection, played.account_id, None, now + timedelta(microseconds=1))
    ends = [week_start(now) - timedelta(weeks=weeks, microseconds=1) for weeks in range(WEEKS - 2, -1, -1)]
    expected = [next((step.balance_minutes for step in reversed(steps) if step.at <= at), 0) for at in [*ends, now]]
    assert list(found.weekly_balance_minutes) == expected
