"""The auditor cannot be blinded: what it found stands outside the database, and nothing that is there ends it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from services.auditing import auditor
from services.auditing.auditor import Audit
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.cursor import Cursor
from services.ledger.event_store.store import EventStore
from services.ledger.running import prepared
from services.process.stopping import end
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.audit.test_checkpointer import grow
from tests.ledger.roles import EVERY


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[EventStore]:
    await prepared(database_url, 1)
    async with EventStore.connected(database_url, role=EVERY) as opened:
        yield opened


@pytest.fixture
async def audit(store: EventStore, database_url: str, tmp_path: Path) -> Audit:
    """Of a log of ten events, signed and found good."""
    await grow(store, 10)
    await Checkpointer(store.readers, 0, tmp_path / "key.pem").catch_up()
    made = Audit(database_url, 1, tmp_path / "verified.json", with_projections=False)
    assert (await made.run(full=True))[0].faults == []
    return made


async def said_in_the_database(store: EventStore) -> list[str]:
    return await store.readers.value("SELECT faults FROM ledger.verification WHERE log_id = 0")


async def full_at_in_the_database(store: EventStore) -> datetime:
    return await store.readers.value("SELECT full_at FROM ledger.verification WHERE log_id = 0")


UNREADABLE = {
    "no time": "UPDATE ledger.event SET recorded_at = 'infinity' WHERE position = 3",
    "the time before all": "UPDATE ledger.event SET recorded_at = '-infinity' WHERE position = 3",
    "a year that Python does not have": "UPDATE ledger.event SET recorded_at = '12345-01-01' WHERE position = 3",
    "another column": "ALTER TABLE ledger.event DROP COLUMN command_id CASCADE",
    "another type": "ALTER TABLE ledger.event ALTER COLUMN hash TYPE text USING encode(hash, 'hex')",
    "no hash": "ALTER TABLE ledger.event ALTER COLUMN hash DROP NOT NULL; UPDATE ledger.event SET hash = NULL",
    "no table": "ALTER TABLE ledger.event RENAME TO elsewhere",
    "no checkpoints": "DROP TABLE ledger.checkpoint",
    "no tiles": "DROP TABLE ledger.tile",
    "no keys": "DROP TABLE ledger.audit_key",
    "no keys of seals": "DROP TABLE ledger.seal_key",
    "no key of seals": "INSERT INTO ledger.seal_key VALUES (1, 'nothing')",
    "no seals": "ALTER TABLE ledger.event DROP COLUMN seal",
    "no identity": "DELETE FROM ledger.identity",
    "a view that fails": "ALTER TABLE ledger.event RENAME TO elsewhere;"
    " CREATE VIEW ledger.event AS SELECT *, 1 / (position - 3) AS trap FROM ledger.elsewhere",
}


@pytest.mark.parametrize("what", UNREADABLE)
@pytest.mark.parametrize("full", [True, False])
async def test_what_cannot_be_read_is_a_fault_and_ends_no_audit(
    store: EventStore, audit: Audit, database_url: str, what: str, full: bool
):
    await grow(store, 1)
    superuser = await asyncpg.connect(database_url)
    await superuser.execute(f"ALTER TABLE ledger.event DISABLE TRIGGER ALL; {UNREADABLE[what]}")
    await superuser.close()
    found = await audit.run(full=full)
    if full or what not in {"no time", "the time before all", "a year that Python does not have"}:
        assert found[0].faults
        assert not found[0].log_is_sound
        assert Cursor.load(audit.cursor_file).faults[0] == tuple(found[0].faults)


async def test_faults_stand_until_everything_was_gone_over_whatever_is_deleted_in_the_database(
    store: EventStore, audit: Audit, database_url: str
):
    await as_superuser(database_url, "UPDATE ledger.event SET data = '[]' WHERE position = 3")
    assert (await audit.run(full=True))[0].faults
    await as_superuser(database_url, "DELETE FROM ledger.verification")
    again = (await audit.run(full=False))[0]
    assert (again.events, bool(again.faults)) == (10, True)
    assert await said_in_the_database(store) == again.faults
    await as_superuser(database_url, "UPDATE ledger.event SET data = '{}' WHERE position = 3")
    assert (await audit.run(full=False))[0].faults == []
    assert Cursor.load(audit.cursor_file).faults == {}


async def until_verified(store: EventStore, *, faulty: bool) -> None:
    async with asyncio.timeout(60):
        while bool(await said_in_the_database(store)) != faulty:
            await asyncio.sleep(0.01)


async def test_everything_is_gone_over_once_a_day_however_often_the_auditor_is_started(
    store: EventStore, audit: Audit, database_url: str
):
    await as_superuser(database_url, "UPDATE ledger.event SET data = '[]' WHERE position = 3")
    cursor = Cursor.load(audit.cursor_file)
    assert cursor.full_at
    replace(cursor, full_at=cursor.full_at - auditor.FULL_EVERY + timedelta(hours=1)).save(audit.cursor_file)
    assert (await audit.run(full=False))[0].faults == []
    assert await full_at_in_the_database(store) == Cursor.load(audit.cursor_file).full_at
    replace(cursor, full_at=cursor.full_at - auditor.FULL_EVERY).save(audit.cursor_file)
    running = asyncio.create_task(audit.keep_running(60))
    await until_verified(store, faulty=True)
    assert await full_at_in_the_database(store) > cursor.full_at
    await end(running)


async def test_the_auditor_looks_once_more_before_it_stops(store: EventStore, audit: Audit, database_url: str):
    await as_superuser(database_url, "DELETE FROM ledger.verification")
    running = asyncio.create_task(audit.keep_running(3600))
    async with asyncio.timeout(60):
        while await said_in_the_database(store) is None:
            await asyncio.sleep(0.01)
    await grow(store, 1)
    await as_superuser(database_url, "UPDATE ledger.event SET data = '[]' WHERE position = 11")
    await end(running)
    assert await said_in_the_database(store)
