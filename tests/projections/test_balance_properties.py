"""On random histories the projection says what the events say when they are folded anew, at any instant (rule 12)."""

from datetime import datetime, timedelta
from itertools import pairwise
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.envelope import RecordedEvent
from contracts.quantities import KnownAt
from contracts.read_models import BalanceView
from services.ledger.audit.replay import replay
from services.projections.balances.accounts import accounts
from services.projections.balances.curve import history
from services.projections.balances.queries import balance
from services.projections.paging import cursor_after
from tests.projections.conftest import Applied
from tests.projections.histories import TURNS, Turn, play

EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
END = timedelta(days=900)


class Played:
    """A history that was recorded and projected."""

    def __init__(self, applied: Applied, turns: list[Turn]) -> None:
        self._applied = applied
        self.account_id = f"a-{uuid4().hex}"
        self.instants = play(applied.log, self.account_id, turns)
        self.lines: list[RecordedEvent] = [line for line in applied.log.lines if line.account_id == self.account_id]

    @property
    def now(self) -> datetime:
        return self.lines[-1].recorded_at

    async def projected(self, as_of: datetime, known_at: KnownAt) -> BalanceView:
        position = await self._applied.position()
        async with self._applied.database.acquire() as connection:
            return await balance(connection, self.account_id, as_of, known_at, self.now, position)

    def folded(self, as_of: datetime, known_at: KnownAt) -> BalanceView:
        return replay(self.account_id, self.lines, as_of, known_at)


def facts(view: BalanceView) -> dict[str, object]:
    """What projection and replay have to agree on."""
    lots = {(lot.lot_id, lot.package_id, lot.remaining_minutes, lot.starts_at) for lot in view.lots}
    return {
        "lots": lots,
        "suspended": view.suspended,
        "owed": view.owed_minutes,
        "planned": view.planned_minutes,
        "held": view.held_minutes,
    }


@EXAMPLES
@given(turns=TURNS, data=st.data())
async def test_projected_is_what_is_folded_anew(applied: Applied, turns: list[Turn], data: st.DataObject):
    played = Played(applied, turns)
    positions = [line.position for line in played.lines]
    for _ in range(10):
        as_of = data.draw(st.sampled_from([*played.instants, played.now + END]), "as of")
        known_at = data.draw(st.sampled_from([None, *positions, *played.instants]), "known at")
        assert facts(await played.projected(as_of, known_at)) == facts(played.folded(as_of, known_at))


@EXAMPLES
@given(turns=TURNS)
async def test_the_balance_now_is_that_of_everything_recorded(applied: Applied, turns: list[Turn]):
    played = Played(applied, turns)
    await applied.position()
    async with applied.database.acquire() as connection:
        kept = await balance(connection, played.account_id, None, None, played.now, 0)
        here = cursor_after("account_id", played.account_id[:-1])
        page = await accounts(
            connection, debt=None, expiring_within=None, suspended=None, cursor=here, limit=1, now=played.now
        )
    summed = await played.projected(played.now, None)
    assert kept == summed.model_copy(update={"position": 0})
    (listed,) = page.accounts
    assert listed.account_id == played.account_id
    assert (listed.held_minutes, listed.owed_minutes) == (summed.held_minutes, summed.owed_minutes)
    assert listed.suspended == summed.suspended


@EXAMPLES
@given(turns=TURNS, data=st.data())
async def test_the_curve_is_the_balance_at_every_instant(applied: Applied, turns: list[Turn], data: st.DataObject):
    played = Played(applied, turns)
    await applied.position()
    since = data.draw(st.sampled_from([None, *played.instants]), "from")
    positions = [line.position for line in played.lines]
    known_at = data.draw(st.sampled_from([None, *positions, *played.instants]), "known at")
    before = played.now + END
    async with applied.database.acquire() as connection:
        steps = await history(connection, played.account_id, since, before, known_at)
    assert since is None or steps[0].at == since
    for earlier, later in pairwise(steps):
        assert earlier.at < later.at
        assert earlier.balance_minutes != later.balance_minutes
    for at in played.instants:
        step = next((step for step in reversed(steps) if step.at <= at), None)
        if step or since is None:
            assert (await played.projected(at, known_at)).balance_minutes == (step.balance_minutes if step else 0)
