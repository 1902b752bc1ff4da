"""What is remembered of access is signed and audited as the logs of accounts are, and so is who gave each command."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts.access import Role
from contracts.access_events import KeyMade, KeyRevoked
from contracts.placement import ACCESS_LOG, every_log
from services.auditing.auditor import Audit
from services.ledger.access.log import AccessLog
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.notes import Note
from services.ledger.audit.tree import StoredTree
from services.ledger.clock import SystemClock
from services.ledger.event_store.identity import ledger_id_of
from services.ledger.event_store.migrations import migrate
from services.ledger.event_store.store import EventStore
from services.ledger.writing.personal_data import commit
from tests.ledger.audit.mutations import REHASH
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.event_store.events import event
from tests.ledger.roles import EVERY

KEY = "key-aaaaaaaaaaaaaaaa"
NAME = commit("the shop")
MADE = KeyMade(name=NAME.commitment, roles=(Role.ADMIN,), accounts=None, ends_at=None, secret_sha256="0" * 64)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[EventStore]:
    """A key was made and revoked, and has given two commands."""
    await migrate(database_url)
    async with EventStore.connected(database_url, role=EVERY) as opened:
        access = AccessLog(opened, SystemClock())
        await access.record(KEY, MADE, "local", (NAME,))
        await access.record(KEY, KeyRevoked(reason="lost"), "local")
        await opened.append(0, [event("a-1", 1, "k-1", actor=KEY), event("a-1", 2, "k-2", actor=KEY)], {})
        yield opened


@pytest.fixture
async def audit(store: EventStore, database_url: str, tmp_path: Path) -> Audit:
    """All logs are signed."""
    for log_id in every_log(1):
        await Checkpointer(store.readers, log_id, tmp_path / "key.pem").catch_up()
    return Audit(database_url, 1, tmp_path / "verified.json", with_projections=False)


async def faults(audit: Audit) -> dict[int, list[str]]:
    return {log_id: found.faults for log_id, found in (await audit.run(full=True)).items()}


async def test_it_is_signed_under_a_name_of_its_own_and_found_good(store: EventStore, audit: Audit):
    found = await audit.run(full=True)
    assert {log_id: (each.faults, each.size) for log_id, each in found.items()} == {ACCESS_LOG: ([], 2), 0: ([], 2)}
    latest = await StoredTree(store.readers, ACCESS_LOG).latest()
    assert latest
    said = Checkpoint.read(Note.parse(latest.note))
    assert (said.origin, said.size) == (f"hourbook/{await ledger_id_of(store.readers)}/access", 2)


async def test_what_follows_is_verified_from_where_it_was_left(store: EventStore, audit: Audit):
    await audit.run(full=True)
    await AccessLog(store, SystemClock()).record(KEY, KeyRevoked(reason="again"), "local")
    found = await audit.run(full=False)
    assert (found[ACCESS_LOG].faults, found[ACCESS_LOG].events) == ([], 1)


@pytest.mark.parametrize("log_id", every_log(1))
@pytest.mark.parametrize("actor", ["'key-bbbbbbbbbbbbbbbb'", "NULL"])
@pytest.mark.parametrize("rehashed", [False, True])
async def test_another_actor_is_found_also_where_the_hash_was_worked_out_anew(
    audit: Audit, database_url: str, log_id: int, actor: str, rehashed: bool
):
    where = f"WHERE log_id = {log_id} AND position = 2"
    rehash = (f"{REHASH} {where}",) if rehashed else ()
    await as_superuser(database_url, f"UPDATE ledger.event SET actor = {actor} {where}", *rehash)
    found = await faults(audit)
    assert found.pop(log_id)
    assert [*found.values()] == [[]]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.personal SET text = 'another shop' WHERE log_id = -1",
        "DELETE FROM ledger.personal WHERE log_id = -1",
        "INSERT INTO ledger.personal SELECT log_id, 2, commitment, salt, text FROM ledger.personal",
    ],
)
async def test_the_name_of_a_key_is_held_against_its_commitment(audit: Audit, database_url: str, statement: str):
    await as_superuser(database_url, statement)
    assert (await faults(audit))[ACCESS_LOG]
