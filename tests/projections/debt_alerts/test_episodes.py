"""Each change is told once, in order, however often the log is read anew; what is old is never told."""

from collections.abc import Sequence
from uuid import uuid4

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.debt_alerts.episodes import NotBegun, begin
from services.projections.debt_alerts.projection import catch_up_in_time, pass_time, project
from services.projections.debt_alerts.watch import Change, Watched, after
from services.projections.following.logged import Logged
from services.projections.settings import Settings
from tests.projections.debt_alerts.questions import Alerts
from tests.projections.histories import TURNS, Turn, play
from tests.projections.questions import client_of
from tests.projections.vocabulary import Log, closed, moment, opened, paid, purchased

CHANGES = """
    SELECT account_id || ' ' || kind || ' ' || episode || ' ' || type FROM projections.alert_change ORDER BY number
"""

NUMBERS = "SELECT array_agg(number ORDER BY number) FROM projections.alert_change"

ALERTS = """
    SELECT account_id, kind, episode, opened_at, updated_at, closed_at, position, details FROM {}.alert ORDER BY 1, 2, 3
"""


async def applied(database: asyncpg.Pool, lines: Sequence, schema: str = "projections") -> None:
    """Applied to the tables of that schema, as a rebuild does it."""
    async with database.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL search_path = {schema}")
        await project(connection, [Logged.read(line) for line in lines])


async def told(database: asyncpg.Pool) -> list[str]:
    rows = [row[0] for row in await database.fetch(CHANGES)]
    assert await database.fetchval(NUMBERS) == ([*range(1, len(rows) + 1)] or None)
    return rows


@pytest.fixture
async def rebuilt(database: asyncpg.Pool, database_url: str) -> str:
    """Another schema with the alerts' own tables, empty."""
    owner = await asyncpg.connect(database_url)
    await owner.execute("CREATE SCHEMA rebuilt; SET search_path = rebuilt")
    await owner.execute(DEBT_ALERTS.schema)
    await owner.execute("GRANT USAGE ON SCHEMA rebuilt TO hourbook_projections")
    await owner.execute("GRANT ALL ON ALL TABLES IN SCHEMA rebuilt TO hourbook_projections")
    await owner.close()
    return "rebuilt"


def debts(log: Log, *account_ids: str) -> None:
    for account_id in account_ids:
        log.record(account_id, opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
        log.record(account_id, closed("T-1", on="2026-03-05", draws={"spring": 1200}, owed=60))
        log.record(account_id, paid({"T-1": 60}, on="2026-03-06"))


ONE_ACCOUNT = [
    "a debt 1 alert.opened",
    "a debt 1 alert.closed",
    "a low_balance 1 alert.opened",
]


async def test_changes_are_numbered_in_the_order_of_their_events(database: asyncpg.Pool, log: Log):
    await begin(database, [0], moment("2026-01-01"))
    debts(log, "a", "b")
    await applied(database, log.lines)
    assert await told(database) == [*ONE_ACCOUNT, *(line.replace("a ", "b ", 1) for line in ONE_ACCOUNT)]
    payload = orjson.loads(await database.fetchval("SELECT payload FROM projections.alert_change WHERE number = 2"))
    assert (payload["number"], payload["type"], payload["timestamp"]) == (2, "alert.closed", "2026-03-05T21:00:00Z")
    assert (payload["data"]["account_id"], payload["data"]["closed_at"]) == ("a", payload["timestamp"])


async def test_nothing_is_applied_before_it_is_known_where_the_log_ends(database: asyncpg.Pool, log: Log):
    debts(log, "a")
    with pytest.raises(NotBegun):
        await applied(database, log.lines)
    assert await database.fetchval("SELECT count(*) FROM alert") == 0


async def test_what_lies_before_the_end_of_an_old_log_is_silent_and_there(database: asyncpg.Pool, log: Log):
    log.record("a", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    log.record("b", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    log.record("a", closed("T-1", on="2026-03-05", draws={"spring": 1200}, owed=60))
    await begin(database, [log.position], moment("2026-05-25"))
    log.record("a", closed("T-2", on="2026-05-26", owed=60))
    for line in log.lines:
        await applied(database, [line])
    assert await told(database) == ["a debt 1 alert.updated"]
    await pass_time(database, moment("2026-05-27"))
    assert await database.fetchval("SELECT opened_at FROM alert WHERE kind = 'expiring'") == moment("2026-05-19")
    assert len(await told(database)) == 1
    await pass_time(database, moment("2026-06-02"))
    assert (await told(database))[1:] == ["b expiring 1 alert.closed", "b low_balance 1 alert.opened"]


async def test_a_deployment_on_an_old_log_is_silent(customers: Log, settings: Settings, log: Log):
    async with client_of(settings) as client:
        alerts = Alerts(client, customers)
        assert (await alerts())["last_change"] == 0
        assert await alerts.open() == ["debtor debt 1", "debtor suspended 1", "low low_balance 1"]
        customers.record("debtor", closed("T-2", on="2026-03-20", owed=60))
        assert (await alerts())["last_change"] == 1


async def test_a_rebuild_makes_the_same_alerts_and_tells_nobody(database: asyncpg.Pool, log: Log, rebuilt: str):
    await begin(database, [0], moment("2026-01-01"))
    debts(log, "a", "b", "c")
    log.record("d", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    await applied(database, log.lines)
    await pass_time(database, moment("2026-07-01"))
    before = await told(database)
    assert "d expiring 1 alert.closed" in before
    await applied(database, log.lines[:5], rebuilt)
    await applied(database, log.lines[5:], rebuilt)
    async with database.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL search_path = {rebuilt}")
        await catch_up_in_time(connection)
    assert await told(database) == before
    made, again = [await database.fetch(ALERTS.format(schema)) for schema in ("projections", rebuilt)]
    assert len(made) == 8
    assert [tuple(row) for row in made] == [tuple(row) for row in again]


async def test_a_rebuild_that_comes_further_than_the_live_version_tells_what_that_one_then_does_not(
    database: asyncpg.Pool, log: Log, rebuilt: str
):
    await begin(database, [0], moment("2026-01-01"))
    debts(log, "a")
    await applied(database, log.lines[:2])
    await applied(database, log.lines, rebuilt)
    await applied(database, log.lines[2:])
    assert await told(database) == ONE_ACCOUNT


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(turns=TURNS, cuts=st.lists(st.integers(1, 6), min_size=60, max_size=60), looks=st.sets(st.integers(0, 59)))
async def test_what_is_told_does_not_depend_on_batches_nor_on_who_looks_when(
    database: asyncpg.Pool, log: Log, turns: list[Turn], cuts: list[int], looks: set[int]
):
    await begin(database, [0], moment("2026-01-01"))
    account_id, first = f"a-{uuid4().hex}", log.position
    play(log, account_id, turns)
    watched: Watched | None = None
    expected: list[Change] = []
    for line in log.lines[first:]:
        watched, made = after(watched, Logged.read(line))
        expected += made
    for number, size in enumerate(cuts):
        if batch := log.lines[first : first + size]:
            if number in looks:
                await pass_time(database, batch[0].recorded_at)
            await applied(database, batch)
            first += size
    rows = await database.fetch(
        "SELECT kind, type, episode, change, at FROM projections.alert_change WHERE account_id = $1 ORDER BY number",
        account_id,
    )
    assert [tuple(row) for row in rows] == [
        (change.kind, change.type, change.episode.number, change.episode.changes, change.episode.updated_at)
        for change in expected
    ]
