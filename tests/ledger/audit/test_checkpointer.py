"""Checkpoints follow the log, whoever makes them; nothing is signed that is not what was signed before, and more."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from services.ledger.audit import checkpointer as checkpointing
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.key_files import CannotSign
from services.ledger.audit.keys import PublicKey, ledger_id_of, published, rotate, signing_key
from services.ledger.audit.merkle import EMPTY_ROOT, Frontier, NoSuchProof, is_consistent, root_from_inclusion
from services.ledger.audit.notes import Note
from services.ledger.audit.tree import StoredTree
from services.ledger.event_store.identity import origin
from services.ledger.event_store.store import EventStore
from services.process.stopping import end
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.event_store.events import event
from tests.ledger.roles import EVERY


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "key.pem"


async def grow(store: EventStore, events: int, log_id: int = 0) -> None:
    """So many more events, of an account each."""
    head = await store.head(log_id)
    await store.append(log_id, [event(f"a-{head + n}", 1, f"k-{head + n}") for n in range(events)], {})


def another_machine(key_file: Path, number: int = 0) -> Path:
    """A copy of the key, with which nothing has been signed yet."""
    copy = key_file.parent / f"machine-{number}" / key_file.name
    copy.parent.mkdir()
    copy.write_bytes(key_file.read_bytes())
    return copy


async def roots(store: EventStore, log_id: int = 0) -> list[bytes]:
    """The root at every size, worked out from all hashes."""
    frontier, found = Frontier(), [EMPTY_ROOT]
    for row in await store.readers.rows("SELECT hash FROM ledger.event WHERE log_id = $1 ORDER BY position", log_id):
        frontier.push(row["hash"])
        found.append(frontier.root())
    return found


async def keys(store: EventStore) -> list[PublicKey]:
    ledger_id = await ledger_id_of(store.readers)
    return [PublicKey.read(note, ledger_id) for _, note in await published(store.readers)]


async def test_a_checkpoint_covers_what_is_new_and_is_signed_by_a_published_key(store: EventStore, key_file: Path):
    checkpointer, tree = Checkpointer(store.readers, 0, key_file), StoredTree(store.readers, 0)
    await checkpointer.catch_up()
    assert await tree.latest() is None
    for events in (1, 2, 300):
        await grow(store, events)
        await checkpointer.catch_up()
        await checkpointer.catch_up()
    expected, (key,) = await roots(store), await keys(store)
    name = origin(await ledger_id_of(store.readers), 0)
    page = await tree.page(0, 10)
    assert [size for size, _ in page] == [1, 3, 303]
    for size, text in page:
        note = Note.parse(text)
        said = Checkpoint.read(note)
        assert said == Checkpoint(name, size, expected[size], said.clock)
        assert said.clock
        assert note.signed_by(name, key.raw)


async def test_a_checkpoint_ends_where_a_month_was_closed(store: EventStore, key_file: Path):
    types = ["TaskClosed", "MonthClosed", "TaskClosed", "MonthClosed", "TaskClosed"]
    events = [event(f"a-{n}", 1, f"k-{n}")._replace(type=each) for n, each in enumerate(types)]
    await store.append(0, events, {})
    await Checkpointer(store.readers, 0, key_file).catch_up()
    assert [size for size, _ in await StoredTree(store.readers, 0).page(0, 10)] == [4, 5]


async def test_what_is_appended_while_it_signs_waits_for_the_next_time(store: EventStore, key_file: Path):
    checkpointer, tree = Checkpointer(store.readers, 0, key_file), StoredTree(store.readers, 0)
    await grow(store, 300)

    async def never_rest() -> None:
        while True:
            await grow(store, 1)

    async with asyncio.timeout(20):
        appending = asyncio.create_task(never_rest())
        await checkpointer.catch_up()
        await end(appending)
    assert len(await tree.page(0, 100)) == 1
    await checkpointer.catch_up()
    latest = await tree.latest()
    assert latest
    assert latest.size == await store.head(0)


async def test_logs_have_trees_of_their_own(store: EventStore, key_file: Path):
    for log_id in (0, 1):
        await grow(store, 2 + log_id, log_id)
        await Checkpointer(store.readers, log_id, key_file).catch_up()
        latest = await StoredTree(store.readers, log_id).latest()
        assert latest is not None
        assert Checkpoint.read(Note.parse(latest.note)).root == (await roots(store, log_id))[-1]


async def test_proofs_from_tiles_are_those_of_the_log(store: EventStore, key_file: Path, monkeypatch):
    monkeypatch.setattr(checkpointing, "LEAVES_MAX", 200)
    checkpointer, tree = Checkpointer(store.readers, 0, key_file), StoredTree(store.readers, 0)
    for events in (3, 600, 97):
        await grow(store, events)
        await checkpointer.catch_up()
    expected = await roots(store)
    hashes = await tree.new_leaves(0, 1000)
    for position, size in ((1, 1), (1, 700), (257, 700), (700, 700), (256, 256), (300, 513)):
        path = await tree.inclusion(position, size)
        assert root_from_inclusion(position - 1, size, hashes[position - 1], path) == expected[size]
    for old, new in ((1, 700), (256, 700), (257, 512), (3, 3), (603, 700)):
        assert is_consistent(old, new, expected[old], expected[new], await tree.consistency(old, new))
    for impossible in (tree.inclusion(0, 5), tree.inclusion(6, 5), tree.inclusion(1, 701), tree.consistency(5, 4)):
        with pytest.raises(NoSuchProof):
            await impossible


async def test_several_at_once_make_one_chain(store: EventStore, key_file: Path, database_url: str):
    async with EventStore.connected(database_url, role=EVERY) as other:
        await signing_key(store.readers, key_file)
        stores = (store, other, store)
        several = [Checkpointer(each.readers, 0, another_machine(key_file, n)) for n, each in enumerate(stores)]
        for _ in range(10):
            await asyncio.gather(grow(store, 30), *(each.catch_up() for each in several))
        await asyncio.gather(*(each.catch_up() for each in several))
    expected = await roots(store)
    page = await StoredTree(store.readers, 0).page(0, 100)
    assert page[-1].size == 300
    for size, note in page:
        assert Checkpoint.read(Note.parse(note)).root == expected[size]


async def test_the_key_is_for_its_owner_alone_and_stays(store: EventStore, key_file: Path):
    first = await signing_key(store.readers, key_file)
    assert (first.number, key_file.stat().st_mode & 0o777) == (1, 0o600)
    again = await signing_key(store.readers, key_file)
    assert again.private.private_bytes_raw() == first.private.private_bytes_raw()
    rows = await store.readers.rows("SELECT note FROM ledger.audit_key")
    assert first.private.private_bytes_raw().hex() not in str(rows)


async def test_a_rotated_key_is_signed_by_the_one_before_and_signs_from_then_on(store: EventStore, key_file: Path):
    checkpointer, tree = Checkpointer(store.readers, 0, key_file), StoredTree(store.readers, 0)
    await grow(store, 1)
    await checkpointer.catch_up()
    assert await rotate(store.readers, key_file) == 2
    await grow(store, 1)
    await checkpointer.catch_up()
    ledger_id, (first, second) = await ledger_id_of(store.readers), await keys(store)
    assert second.follows(first, ledger_id)
    signers = [
        [key.number for key in (first, second) if Note.parse(note).signed_by(origin(ledger_id, 0), key.raw)]
        for _, note in await tree.page(0, 10)
    ]
    assert signers == [[1], [2]]
    assert not key_file.with_name("key.pem.next").exists()


async def test_a_rotation_that_was_cut_short_is_finished(store: EventStore, key_file: Path):
    await signing_key(store.readers, key_file)
    before = key_file.read_bytes()
    await rotate(store.readers, key_file)
    key_file.rename(key_file.with_name("key.pem.next"))
    key_file.write_bytes(before)
    assert (await signing_key(store.readers, key_file)).number == 2


async def test_without_its_key_a_ledger_signs_nothing_until_the_operator_has_acted(store: EventStore, key_file: Path):
    await signing_key(store.readers, key_file)
    key_file.rename(key_file.with_name("elsewhere"))
    await grow(store, 1)
    with pytest.raises(CannotSign, match="is missing"):
        await Checkpointer(store.readers, 0, key_file).catch_up()
    with pytest.raises(CannotSign, match="is missing"):
        await rotate(store.readers, key_file)
    assert await rotate(store.readers, key_file, lost=True) == 2
    await Checkpointer(store.readers, 0, key_file).catch_up()
    first, second = await keys(store)
    assert not second.follows(first, await ledger_id_of(store.readers))
    key_file.with_name("elsewhere").rename(key_file)
    with pytest.raises(CannotSign, match="not the newest key"):
        await signing_key(store.readers, key_file)


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM ledger.event WHERE position = 4",
        "UPDATE ledger.tile SET hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1)",
        "DELETE FROM ledger.tile",
        "DELETE FROM ledger.checkpoint WHERE size = 3",
        "UPDATE ledger.checkpoint SET note = replace(note, 'time 2', 'time 1')",
        "UPDATE ledger.checkpoint SET note = 'nothing'",
    ],
)
async def test_nothing_is_signed_on_top_of_a_forgery(
    store: EventStore, key_file: Path, database_url: str, tampering: str
):
    await grow(store, 3)
    running = Checkpointer(store.readers, 0, key_file)
    await running.catch_up()
    await grow(store, 2)
    await as_superuser(database_url, tampering)
    started_anew = Checkpointer(store.readers, 0, key_file)
    known_only_in_memory = "DELETE FROM ledger.checkpoint" in tampering
    for checked in [running] if known_only_in_memory else [running, started_anew]:
        with pytest.raises(CannotSign):
            await checked.catch_up()
    if "checkpoint" not in tampering:
        assert [size for size, _ in await StoredTree(store.readers, 0).page(0, 10)] == [3]


async def test_a_ledger_that_passes_for_another_signs_nothing(store: EventStore, key_file: Path, database_url: str):
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await grow(store, 2)
    await as_superuser(database_url, "UPDATE ledger.identity SET ledger_id = gen_random_uuid()")
    with pytest.raises(CannotSign):
        await Checkpointer(store.readers, 0, key_file).catch_up()


async def test_of_two_trees_that_part_only_the_one_signed_first_is_built_on(
    store: EventStore, key_file: Path, database_url: str
):
    """Somebody has cut the log and its tree, and another process, which knows of nothing, has signed what was left."""
    running = Checkpointer(store.readers, 0, key_file)
    for events in (2, 1):
        await grow(store, events)
        await running.catch_up()
    await as_superuser(
        database_url,
        "DELETE FROM ledger.event WHERE position > 2",
        "DELETE FROM ledger.checkpoint WHERE size > 2",
        "UPDATE ledger.tile SET hashes = substr(hashes, 1, 64)",
    )
    await grow(store, 3)
    await Checkpointer(store.readers, 0, another_machine(key_file)).catch_up()
    with pytest.raises(CannotSign, match="does not follow"):
        await running.catch_up()


async def test_checkpoints_and_keys_are_never_changed_not_even_by_a_superuser(
    store: EventStore, key_file: Path, database_url: str
):
    await grow(store, 1)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    superuser = await asyncpg.connect(database_url)
    try:
        for table in ("checkpoint", "audit_key"):
            for statement in (f"UPDATE ledger.{table} SET note = ''", f"DELETE FROM ledger.{table}"):
                with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changed"):
                    await superuser.execute(statement)
    finally:
        await superuser.close()
