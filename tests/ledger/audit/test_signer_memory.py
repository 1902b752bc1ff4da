"""What the signer has signed it never contradicts, whatever the owner of the database does while it is stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.ledger.audit import checkpointer as checkpointing
from services.ledger.audit.checkpointer import VERIFIED_FILE, Checkpointer, keep_checkpointing
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.key_files import CannotSign
from services.ledger.audit.signer_memory import SignerMemory
from services.ledger.audit.statements import Surroundings
from services.ledger.audit.tree import StoredTree
from services.ledger.audit.watch import AuditWatch
from services.ledger.event_store.store import EventStore
from services.ledger.settings import terms
from tests.ledger.audit.mutations import REHASH
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.audit.test_checkpointer import grow, roots

FORGET_THE_TREE = ("DELETE FROM ledger.checkpoint", "DELETE FROM ledger.tile")
REWRITE = ("UPDATE ledger.event SET data = '{\"forged\":1}' WHERE position = 2", REHASH)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "key.pem"


async def sizes(store: EventStore) -> list[int]:
    return [size for size, _ in await StoredTree(store.readers, 0).page(0, 100)]


@pytest.mark.parametrize(
    "statements",
    [
        (*REWRITE, *FORGET_THE_TREE),
        REWRITE,
        (*REWRITE, *FORGET_THE_TREE, "DELETE FROM ledger.audit_key"),
        (*REWRITE, *FORGET_THE_TREE, "UPDATE ledger.identity SET ledger_id = gen_random_uuid()"),
        FORGET_THE_TREE,
        ("DELETE FROM ledger.event WHERE position > 2", *FORGET_THE_TREE),
        ("DELETE FROM ledger.event", *FORGET_THE_TREE),
        (
            "UPDATE ledger.event SET position = 19 - position WHERE position IN (4, 5)",
            "UPDATE ledger.event SET position = position - 10 WHERE position > 10",
            REHASH,
            *FORGET_THE_TREE,
        ),
        ("DELETE FROM ledger.checkpoint WHERE size = 5", "UPDATE ledger.tile SET hashes = substr(hashes, 1, 96)"),
    ],
)
async def test_a_past_that_was_rewritten_while_the_signer_was_stopped_is_not_signed(
    store: EventStore, key_file: Path, database_url: str, statements: tuple[str, ...]
):
    signer = Checkpointer(store.readers, 0, key_file)
    for events in (3, 2, 1):
        await grow(store, events)
        await signer.catch_up()
    await as_superuser(database_url, *statements)
    before = await sizes(store)
    await grow(store, 4)
    for _ in range(2):
        with pytest.raises(CannotSign):
            await Checkpointer(store.readers, 0, key_file).catch_up()
    assert await sizes(store) == before


async def test_what_was_signed_but_not_published_is_extended_by_what_is_signed_next(
    store: EventStore, key_file: Path, database_url: str
):
    signer = Checkpointer(store.readers, 0, key_file)
    for events in (3, 300):
        await grow(store, events)
        await signer.catch_up()
    await as_superuser(
        database_url,
        "DELETE FROM ledger.checkpoint WHERE size > 3",
        "DELETE FROM ledger.tile WHERE level > 0 OR index > 0",
        "UPDATE ledger.tile SET hashes = substr(hashes, 1, 96)",
    )
    await grow(store, 1)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    assert await sizes(store) == [3, 304]
    remembered = SignerMemory(key_file, 0).read()
    assert remembered
    assert (remembered.size, remembered.root, remembered.published_size) == (304, (await roots(store))[304], 3)


async def test_it_is_remembered_before_it_is_published(store: EventStore, key_file: Path, monkeypatch):
    async def cut_off(*_: object) -> bool:
        remembered = SignerMemory(key_file, 0).read()
        assert remembered
        assert remembered.size == 3
        raise asyncio.CancelledError

    monkeypatch.setattr(StoredTree, "grow", cut_off)
    await grow(store, 3)
    with pytest.raises(asyncio.CancelledError):
        await Checkpointer(store.readers, 0, key_file).catch_up()
    assert await sizes(store) == []


async def test_a_signer_of_an_earlier_version_is_followed_from_its_newest_checkpoint(store: EventStore, key_file: Path):
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    SignerMemory(key_file, 0).file.unlink()
    await Checkpointer(store.readers, 0, key_file).catch_up()
    remembered = SignerMemory(key_file, 0).read()
    assert remembered
    assert (remembered.size, remembered.root) == (3, (await roots(store))[3])


async def test_a_memory_that_cannot_be_read_is_not_taken_for_none(store: EventStore, key_file: Path):
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    memory = SignerMemory(key_file, 0)
    known = memory.file.read_bytes()
    for damaged in (b"", b"{}", b"[1]", known[:-9], known.replace(b'"size": 3', b'"size": -3')):
        memory.file.write_bytes(damaged)
        with pytest.raises(CannotSign, match=r"signed-0\.json"):
            await Checkpointer(store.readers, 0, key_file).catch_up()


@pytest.mark.parametrize("where", ["in the file", "in the database"])
async def test_nothing_is_signed_while_a_fault_of_the_audit_stands(
    store: EventStore, key_file: Path, database_url: str, where: str
):
    signer = Checkpointer(store.readers, 0, key_file)
    await grow(store, 3)
    await signer.catch_up()
    found = Cursor(faults={0: ("event 2 is another",)}, unsound=frozenset({0}))
    verified = key_file.with_name(VERIFIED_FILE)
    if where == "in the file":
        found.save(verified)
    else:
        await as_superuser(database_url, "INSERT INTO ledger.verification VALUES (0, 3, now(), '{fault}', false)")
    await grow(store, 1)
    for each in (signer, Checkpointer(store.readers, 0, key_file)):
        with pytest.raises(CannotSign, match="the audit found that"):
            await each.catch_up()
    of_a_read_model = replace(found, unsound=frozenset(), full_at=datetime.now(UTC))
    of_a_read_model.save(verified)
    await as_superuser(database_url, "UPDATE ledger.verification SET log_is_sound = true")
    await signer.catch_up()
    assert await sizes(store) == [3, 4]


@asynccontextmanager
async def signing(store: EventStore, key_file: Path) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_checkpointing(store.readers, Surroundings.of(1, terms()), key_file))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def signed(store: EventStore, expected: list[int]) -> None:
    """Until there are checkpoints of these sizes."""
    async with asyncio.timeout(60):
        while await sizes(store) != expected:
            await asyncio.sleep(0.01)


async def heard(store: EventStore, *, of: str) -> None:
    """Until the watch of another process hears of it; of nothing, when it is over."""
    watch = AuditWatch(store.readers, 1)
    async with asyncio.timeout(60):
        while True:
            await watch.look()
            if (of in str(watch.hindrances)) if of else not watch.hindrances:
                return
            await asyncio.sleep(0.01)


async def test_of_two_signers_with_one_key_the_second_waits_for_the_first(store: EventStore, key_file: Path):
    async with AsyncExitStack() as first:
        await first.enter_async_context(signing(store, key_file))
        await grow(store, 1)
        await signed(store, [1])
        async with signing(store, key_file):
            await heard(store, of="Another process on this machine signs")
            await first.aclose()
            await grow(store, 1)
            await signed(store, [1, 2])
            await heard(store, of="")


async def test_who_refuses_to_sign_says_so_to_health_and_goes_on_once_it_may(
    store: EventStore, key_file: Path, database_url: str, monkeypatch
):
    monkeypatch.setattr(checkpointing, "REST_SECONDS", 0.01)
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await as_superuser(database_url, "ALTER TABLE ledger.tile RENAME TO elsewhere")
    await grow(store, 1)
    async with signing(store, key_file):
        await heard(store, of="The signer of log 0 is hindered")
        await as_superuser(database_url, "DELETE FROM ledger.hindrance")
        await heard(store, of="The signer of log 0 is hindered")
        await as_superuser(database_url, "ALTER TABLE ledger.elsewhere RENAME TO tile")
        await heard(store, of="")
        await signed(store, [3, 4])
