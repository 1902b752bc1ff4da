"""With a synchronous standby nothing that was acknowledged is lost with the primary, whatever happened before."""

import asyncio
from pathlib import Path

import pytest

from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.running import Ledger, prepared, running_ledger
from services.ledger.settings import Settings
from services.ledger.writing.answers import Answer
from tests.ledger.commands import opening, purchase
from tests.reliability.standby import Pair, pair_of


def settings_of(pair: Pair) -> Settings:
    return Settings(database_url=pair.url, nats_url=None, sandbox=False, projections_url=None)


async def test_what_no_standby_has_is_acknowledged_to_nobody(server_folder: Path):
    """PostgreSQL commits on its own disk before it waits for the standby, and shows that once the wait is given up.

    Neither who waited nor who asks another process with the same key is told that it is recorded: it is not where the
    standby takes over.
    """
    async with pair_of(server_folder) as pair:
        await prepared(pair.url, 1)
        async with running_ledger(settings_of(pair)) as ledger, running_ledger(settings_of(pair)) as other:
            await ledger.submit(opening("oka"), "open")
            await asyncio.to_thread(pair.standby.kill)
            for each in (ledger, other):
                with pytest.raises(LedgerUnavailable):
                    await each.submit(purchase("oka"), "buy")
            await pair.fail_over()
            assert (await answered(ledger)).position == 2
            assert (await answered(other)).replayed
            assert await ledger.store.head(0) == 2


async def answered(ledger: Ledger) -> Answer:
    """Once the ledger has found the new primary."""
    while True:
        try:
            return await ledger.submit(purchase("oka"), "buy")
        except LedgerUnavailable:
            await asyncio.sleep(0.1)
