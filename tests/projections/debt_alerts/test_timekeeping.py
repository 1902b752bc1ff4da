"""Time passes for alerts by itself, never past an event that is still on its way."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import httpx

from services.process.stopping import end
from services.projections.debt_alerts import DEBT_ALERTS
from services.projections.debt_alerts.timekeeping import Timekeeper
from services.projections.following.feed import LogFeed
from services.projections.following.identity import FollowedLedger
from services.projections.following.logged import Logged
from services.projections.following.tracking import Place, Tracking
from services.projections.settings import Settings
from tests.projections.questions import client_of, until
from tests.projections.vocabulary import Log, moment, opened, purchased


async def test_outside_the_sandbox_time_is_the_real_one(settings: Settings, log: Log):
    log.record("calm", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    async with client_of(settings.model_copy(update={"sandbox": False})) as client:

        async def lost() -> bool:
            found = (await client.get("/v1/alerts", params={"kind": "expiring"})).json()["alerts"]
            return [alert["closed_at"] for alert in found] == ["2026-06-01T21:00:00Z"]

        await until(lost)
        assert 'hourbook_alerts_open{kind="low_balance"}' in (await client.get("/metrics")).text


class Watching(Tracking):
    """Says when somebody has looked how far the projection is."""

    def __init__(self) -> None:
        super().__init__(DEBT_ALERTS, "0")
        self.looked = asyncio.Event()

    async def place(self, database: asyncpg.Pool | asyncpg.Connection) -> Place:
        place = await super().place(database)
        self.looked.set()
        return place


async def test_no_time_passes_before_the_projection_has_come_as_far_as_the_log(
    settings: Settings, database: asyncpg.Pool, log: Log
):
    """The successor was bought in time, but the projection has not heard of it yet."""

    async def clock() -> datetime:
        return moment("2026-05-25")

    async with httpx.AsyncClient(base_url=settings.ledger_url, timeout=60, trust_env=False) as ledger:
        tracking = Watching()
        keeper = Timekeeper(database, [tracking], [LogFeed(ledger, "0", FollowedLedger(database))], clock, timedelta())
        await keeper.begin()
        log.record("calm", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
        await apply(database, tracking, log)
        log.record("calm", purchased("summer", 1200, on="2026-05-01", until="2026-08-02", succeeds=["spring"]))
        tracking.looked.clear()
        looking = asyncio.create_task(keeper.look())
        await tracking.looked.wait()
        await apply(database, tracking, log)
        await looking
    assert await database.fetch("SELECT FROM alert") == []


class Halted(Tracking):
    """Never moves; says how long each wait for it was to be, and waits no time."""

    def __init__(self) -> None:
        super().__init__(DEBT_ALERTS, "0")
        self.waits: list[float] = []
        self.asked_often = asyncio.Event()

    async def wait_for_move(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) == 20:
            self.asked_often.set()
        await asyncio.sleep(0)


async def test_a_projection_that_does_not_move_is_asked_ever_less(settings: Settings, database: asyncpg.Pool, log: Log):
    async def clock() -> datetime:
        return moment("2026-05-25")

    log.record("calm", opened())
    async with httpx.AsyncClient(base_url=settings.ledger_url, timeout=60, trust_env=False) as ledger:
        halted = Halted()
        keeper = Timekeeper(database, [halted], [LogFeed(ledger, "0", FollowedLedger(database))], clock, timedelta())
        looking = asyncio.create_task(keeper.look())
        await halted.asked_often.wait()
        await end(looking)
    assert halted.waits[0] < 0.1
    assert halted.waits[-1] >= 1


async def apply(database: asyncpg.Pool, tracking: Tracking, log: Log) -> None:
    """As a worker does it."""
    place = await tracking.begin(database)
    batch = [Logged.read(line) for line in log.lines[place.position :]]
    async with database.acquire() as connection, connection.transaction():
        await tracking.advance(connection, place, batch)
        await DEBT_ALERTS.project(connection, batch)
