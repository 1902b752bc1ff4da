"""Recording time runs forward in a log, but for as much as clocks differ: what was known at an instant stays so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.key_files import CannotSign
from services.ledger.audit.notes import Note
from services.ledger.audit.tree import StoredTree
from services.ledger.audit.verification import verify
from services.ledger.event_store.appending import ClockBehind
from services.ledger.event_store.store import EventStore
from tests.ledger.audit.mutations import REHASH
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.event_store.events import event

WEEKS = timedelta(weeks=6)
MINUTE = timedelta(minutes=1)


async def record(store: EventStore, *instants: datetime) -> None:
    """An event of an account of its own at each of these instants."""
    head = await store.head(0)
    events = [event(f"a-{head + n}", 1, f"k-{head + n}")._replace(recorded_at=at) for n, at in enumerate(instants)]
    await store.append(0, events, {})


async def backdate(database_url: str, position: int, by: timedelta) -> None:
    """As who owns the database can, who hashes it anew."""
    minutes = by // MINUTE
    moved = f"recorded_at = recorded_at - interval '{minutes} minutes'"
    await as_superuser(database_url, f"UPDATE ledger.event SET {moved} WHERE position = {position}", REHASH)


async def test_an_append_before_what_is_recorded_is_refused_and_leaves_nothing(store: EventStore):
    now = datetime.now(UTC)
    await record(store, now, now - 3 * MINUTE)
    for instants in ([now - WEEKS], [now - 5 * MINUTE], [now, now - WEEKS]):
        with pytest.raises(ClockBehind, match="clock of this process"):
            await record(store, *instants)
    assert await store.head(0) == 2


async def test_an_append_before_the_newest_checkpoint_is_refused(store: EventStore, tmp_path: Path):
    """Although the events before it are older still."""
    now = datetime.now(UTC)
    await record(store, now - WEEKS)
    await Checkpointer(store.readers, 0, tmp_path / "key.pem").catch_up()
    with pytest.raises(ClockBehind):
        await record(store, now - WEEKS + MINUTE)
    await record(store, now)


async def test_a_checkpoint_says_how_far_the_clock_has_come(store: EventStore, tmp_path: Path):
    now = datetime.now(UTC)
    await record(store, now + 3 * MINUTE)
    await Checkpointer(store.readers, 0, tmp_path / "key.pem").catch_up()
    latest = await StoredTree(store.readers, 0).latest()
    assert latest
    assert Checkpoint.read(Note.parse(latest.note)).clock == now + 3 * MINUTE


@pytest.mark.parametrize("by", [WEEKS, 20 * MINUTE, -20 * MINUTE, -WEEKS])
@pytest.mark.parametrize("started_anew", [True, False])
async def test_the_key_signs_nothing_that_is_misdated(
    store: EventStore, tmp_path: Path, database_url: str, by: timedelta, started_anew: bool
):
    signer = Checkpointer(store.readers, 0, tmp_path / "key.pem")
    await record(store, datetime.now(UTC))
    await signer.catch_up()
    await record(store, datetime.now(UTC))
    await backdate(database_url, 2, by)
    with pytest.raises(CannotSign, match="event 2 was not recorded between"):
        await (Checkpointer(store.readers, 0, tmp_path / "key.pem") if started_anew else signer).catch_up()


@pytest.mark.parametrize("full", [True, False])
async def test_the_audit_finds_what_is_misdated(store: EventStore, tmp_path: Path, database_url: str, full: bool):
    now = datetime.now(UTC)
    signer = Checkpointer(store.readers, 0, tmp_path / "key.pem")
    await record(store, now, now - 4 * MINUTE)
    await signer.catch_up()
    found, cursor = await verify(store.readers, 1, Cursor(), full=True)
    assert found[0].faults == []
    cursor.save(tmp_path / "verified.json")
    cursor = Cursor.load(tmp_path / "verified.json")
    await record(store, datetime.now(UTC), datetime.now(UTC))
    assert (await verify(store.readers, 1, cursor, full=full))[0][0].faults == []
    await backdate(database_url, 3, 6 * MINUTE)
    (fault,) = (await verify(store.readers, 1, cursor, full=full))[0][0].faults
    assert fault.startswith("event 3 says it was recorded at")
