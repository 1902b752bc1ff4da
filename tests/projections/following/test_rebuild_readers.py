"""Readers go on while a projection is rebuilt: every answer rests on one state, and the position never goes back."""

import asyncio

import httpx
import pytest
from asyncpg import Pool

from services.projections.balances import BALANCES
from services.projections.following import feed, rebuild
from services.projections.following.feed import LogFeed
from services.projections.following.identity import FollowedLedger
from services.projections.following.rebuild import Rebuild
from services.projections.following.tracking import Tracking
from services.projections.settings import Settings
from tests.projections.questions import caught_up
from tests.projections.vocabulary import Log, closed, opened, purchased

BOUGHT = 1_000_000
REBUILDS = 5


async def test_no_answer_is_ever_wrong_or_older_than_the_one_before(
    log: Log, settings: Settings, client: httpx.AsyncClient, database: Pool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(feed, "PAGE_EVENTS", 100)
    monkeypatch.setattr(rebuild, "NEAR_EVENTS", 100)
    log.record("romashka", opened(), purchased("spring", BOUGHT, on="2026-03-01", until="2126-06-02"))
    over = asyncio.Event()
    positions: list[int] = []
    async with httpx.AsyncClient(base_url=settings.ledger_url, timeout=60, trust_env=False) as ledger:
        rebuilding = Rebuild(
            settings.database_url,
            [Tracking(BALANCES, log) for log in settings.log_names],
            [LogFeed(ledger, log, FollowedLedger(database), settings.logs) for log in settings.log_names],
        )
        async with asyncio.TaskGroup() as at_work:
            at_work.create_task(write(client, log, over))
            for _ in range(3):
                at_work.create_task(read(client, over, positions))
            rebuilds = 0
            while rebuilds < REBUILDS or len(positions) < 10 * REBUILDS:
                await rebuilding.run()
                rebuilds += 1
            over.set()


async def write(client: httpx.AsyncClient, log: Log, over: asyncio.Event) -> None:
    """Closings, a few at a time, each read back before the next."""
    while not over.is_set():
        for _ in range(10):
            log.record("romashka", closed(f"T-{log.position}", on="2026-03-05", draws={"spring": 10}))
        read_back = await caught_up(client, "/v1/accounts/romashka/balance", log.position)
        assert read_back.status_code == 200, read_back.text


async def read(client: httpx.AsyncClient, over: asyncio.Event, positions: list[int]) -> None:
    """Ask all the time, and add the position of each answer."""
    position = 2
    while not over.is_set():
        answer = await caught_up(client, "/v1/accounts/romashka/balance", 2)
        assert answer.status_code == 200, answer.text
        assert answer.json()["position"] >= position
        position = answer.json()["position"]
        assert answer.json()["balance_minutes"] == BOUGHT - 10 * (position - 2)
        positions.append(position)
