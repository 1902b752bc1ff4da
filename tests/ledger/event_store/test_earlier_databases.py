"""Databases that earlier versions of the program made go on working, with one log and with several."""

from pathlib import Path

import asyncpg
import pytest

from services.ledger.clock import SystemClock
from services.ledger.event_store import migrations
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.migrations import MIGRATIONS, migrate
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.running import running_ledger
from services.ledger.settings import Settings, terms
from services.ledger.writing.submissions import Submission
from tests.ledger.commands import closing, opening
from tests.ledger.event_store.events import append_as_before

KEYS_OF_ALL_ACCOUNTS = MIGRATIONS[:5]
PARTITIONS = Path(__file__).with_name("partitions_before_0006.sql")


@pytest.fixture(params=[1, 3], ids=["one log", "three logs"])
def settings(database_url: str, request: pytest.FixtureRequest) -> Settings:
    return Settings(database_url=database_url, logs=request.param, nats_url=None, projections_url=None)


async def make_with_keys_of_all_accounts(settings: Settings) -> None:
    """As the program of migration 0005 started it: the keys of all accounts were one space."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", KEYS_OF_ALL_ACCOUNTS)
        patch.setattr(migrations, "FUNCTIONS", [])
        await migrate(settings.database_url)
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute("INSERT INTO ledger.logs (number) VALUES ($1)", settings.logs)
    if settings.logs > 1:
        await connection.execute(PARTITIONS.read_text(encoding="utf-8"))
        await connection.execute("SELECT ledger.reserve(0, ARRAY['k'], 1)")
    await connection.close()


async def drafted(account_id: str, key: str) -> tuple[StoredEvent, ...]:
    """The events that open an account."""
    now = await SystemClock().now()
    return (
        Submission.of(opening(account_id), key, "local").decide(KnownAccount.unopened(account_id), terms(), now).events
    )


async def test_keys_become_each_account_s_own(settings: Settings):
    await make_with_keys_of_all_accounts(settings)
    async with running_ledger(settings) as ledger:
        log_of_a = ledger.log_of("a")
    await append_as_before(settings.database_url, log_of_a, *await drafted("a", "k"))
    async with running_ledger(settings) as ledger:
        assert (await ledger.submit(opening("a"), "k")).replayed
        for account_id in "bcdef":
            assert not (await ledger.submit(opening(account_id), "k")).replayed
        assert not (await ledger.submit(closing("a"), "k2")).replayed
        assert await ledger.store.readers.value("SELECT to_regclass('ledger.reservation')") is None
