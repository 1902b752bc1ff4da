"""A database that the program before migration 0017 kept, its rows as they were: this program goes on with it."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.auditing.auditor import Audit
from services.billing.database import ROLE as BILLING
from services.ledger.audit.balances import replayed, streams
from services.ledger.event_store.roles import ROLES as LEDGER
from services.ledger.event_store.store import EventStore
from services.ledger.settings import Settings
from services.operating.migration import bring_up_to_date, judged, standings
from services.process.postgres_roles import made
from services.projections.catalogue import ROLES as PROJECTIONS

EARLIER = Path(__file__).with_name("earlier_database.sql.gz")
"""Two customers, a purchase each, and three closings, of which one was reopened; 50 minutes are owed."""

ROWS = {
    "balances": "SELECT account_id, held_minutes, owed_minutes FROM projections.account ORDER BY account_id",
    "events": "SELECT log_id, position, event_id, data::text, hash, seal FROM ledger.event ORDER BY log_id, position",
    "checkpoints": "SELECT * FROM ledger.checkpoint ORDER BY log_id, size",
}

pytestmark = pytest.mark.usefixtures("one_log")


@pytest.fixture
async def earlier(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database as it was; roles belong to the whole server, so they are no part of it."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(made(*LEDGER, *PROJECTIONS, BILLING))
    await connection.execute(gzip.decompress(EARLIER.read_bytes()).decode())
    yield connection
    await connection.close()


async def test_an_earlier_database_is_migrated_and_nothing_in_it_has_changed(
    earlier: asyncpg.Connection, database_url: str, tmp_path: Path
):
    settings = Settings(database_url=database_url, logs=1)
    before = {name: await earlier.fetch(rows) for name, rows in ROWS.items()}
    assert all(before.values())
    assert judged(await standings(settings)) == 1
    await bring_up_to_date(settings)
    assert judged(await standings(settings)) == 0
    assert before == {name: await earlier.fetch(rows) for name, rows in ROWS.items()}

    found = await Audit(database_url, 1, tmp_path / "verified.json", with_projections=False).run(full=True)
    assert [fault for findings in found.values() for fault in findings.faults] == []
    async with EventStore.connected(database_url, 1) as store:
        known = {
            account_id: replayed(account_id, events, ()).booked_minutes
            async for account_id, events in streams(store, 0, await store.head(0), None)
        }
    assert known == {row["account_id"]: row["held_minutes"] - row["owed_minutes"] for row in before["balances"]}
