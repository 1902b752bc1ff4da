"""The log of access is signed and verified like those of accounts."""

import asyncio
from pathlib import Path

from contracts.placement import ACCESS_LOG
from services.ledger.audit.checkpointer import keep_checkpointing
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.tree import StoredTree
from services.ledger.audit.verification import verify
from services.ledger.event_store.store import EventStore
from services.ledger.writing.personal_data import commit
from services.process.stopping import end
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.event_store.events import event


async def test_it_is_signed_and_what_is_changed_in_it_is_found(store: EventStore, tmp_path: Path, database_url: str):
    name = commit("Anna")
    made = event("key-1", 1, "k-1", data=f'{{"name":"{name.commitment}"}}')._replace(type="KeyMade", personal=(name,))
    await store.append(ACCESS_LOG, [made], {})
    signing = asyncio.create_task(keep_checkpointing(store.readers, 1, tmp_path / "key.pem"))
    async with asyncio.timeout(60):
        while await StoredTree(store.readers, ACCESS_LOG).latest() is None:
            await asyncio.sleep(0.01)
    await end(signing)
    found, cursor = await verify(store.readers, 1, Cursor(), full=True)
    assert (found[ACCESS_LOG].faults, cursor.logs[ACCESS_LOG].size) == ([], 1)
    await as_superuser(database_url, f"UPDATE ledger.event SET data = '{{}}' WHERE log_id = {ACCESS_LOG}")
    found, _ = await verify(store.readers, 1, cursor, full=True)
    assert found[ACCESS_LOG].faults
    assert found[0].faults == []
