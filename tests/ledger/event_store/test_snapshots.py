"""Snapshots are a cache: with them and without them everything is the same, and a cold account reads a tail."""

import asyncio
import pickle
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given

from contracts.envelope import Recorded
from services.ledger.domain.account import Account
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.snapshots import Snapshots, packed, unpacked
from services.ledger.event_store.store import EventStore
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from services.ledger.writing.answers import Answer
from services.ledger.writing.history import SNAPSHOT_EVENTS, History
from services.ledger.writing.warm_accounts import WarmAccounts
from tests.ledger import vocabulary
from tests.ledger.commands import closing, opening, purchase
from tests.ledger.domain.histories import Numbers, histories, next_step
from tests.ledger.several_logs import log_with


@given(histories())
def test_a_history_goes_on_from_a_snapshot_as_it_would_without(history: list[Numbers]):
    story, restored = vocabulary.given(), vocabulary.given()
    for given_numbers in history:
        restored.account = unpacked(packed(restored.account))
        step = next_step(story, given_numbers)
        story.when(step)
        restored.when(step)
        assert restored.latest == story.latest
        assert restored.account == story.account


class Exit:
    """Would end the program, if a snapshot could hold it."""

    def __reduce__(self) -> tuple[object, ...]:
        return exit, ()


def test_bytes_that_hold_anything_else_are_refused():
    with pytest.raises(pickle.UnpicklingError, match="holds no"):
        unpacked(zlib.compress(pickle.dumps(Exit())))


async def long_account(ledger: Ledger, tasks: int) -> KnownAccount:
    """An account with so many closings, and its state in the end."""
    await ledger.submit(opening("a"), "k1")
    await ledger.submit(purchase("a"), "k2")
    answers = [ledger.submit(closing("a", f"T-{n}"), f"close-{n}") for n in range(tasks)]
    last = Recorded.model_validate_json((await answers[-1]).body)
    return await fresh(ledger.store, last.version)


async def fresh(store: EventStore, version: int) -> KnownAccount:
    """The account as a process that has just started reads it."""
    known = (await History(store, log_with("a"), WarmAccounts(10)).current(["a"]))["a"]
    assert known.account.version == version
    return known


async def kept(store: EventStore) -> KnownAccount:
    """The snapshot, as soon as there is one."""
    snapshots = Snapshots(store.readers, log_with("a"))
    while not (found := await snapshots.read(["a"])):
        pass
    return found["a"]


def suspended(known: KnownAccount) -> KnownAccount:
    """A state that shows, for no event has made it."""
    return known._replace(account=known.account._replace(suspended=True))


async def at_version(store: EventStore, known: KnownAccount, version: int) -> KnownAccount:
    """The state, as if it were that of an earlier event."""
    event = (await store.account_page(log_with("a"), "a", version - 1, 1))[0]
    return known._replace(account=known.account._replace(version=version), event_id=event.event_id)


async def test_a_long_account_is_read_from_a_snapshot_and_a_tail(ledger: Ledger, other_ledger: Ledger):
    known = await long_account(ledger, SNAPSHOT_EVENTS + 20)
    snapshot = await kept(ledger.store)
    assert SNAPSHOT_EVENTS <= snapshot.account.version <= known.account.version
    again = Recorded.model_validate_json((await other_ledger.submit(closing("a", "T-next"), "next")).body)
    assert again.version == known.account.version + 1
    assert again.balance.balance_minutes == known.account.balance_minutes - 10


async def test_the_tail_is_all_that_is_read_of_the_events(ledger: Ledger):
    known = await long_account(ledger, 30)
    await Snapshots(ledger.store.readers, log_with("a")).keep(suspended(await at_version(ledger.store, known, 20)))
    assert (await fresh(ledger.store, known.account.version)).account.suspended


async def test_a_snapshot_of_another_program_is_passed_over_and_replaced(ledger: Ledger, monkeypatch):
    known = await long_account(ledger, 30)
    snapshots = Snapshots(ledger.store.readers, log_with("a"))
    with monkeypatch.context() as another:
        another.setattr("services.ledger.event_store.snapshots.program", lambda: "another")
        await snapshots.keep(suspended(known))
    assert not await snapshots.read(["a"])
    assert await fresh(ledger.store, known.account.version) == known
    await snapshots.keep(known)
    assert await snapshots.read(["a"]) == {"a": known}


async def test_an_earlier_snapshot_does_not_replace_a_later_one(ledger: Ledger):
    known = await long_account(ledger, 30)
    snapshots = Snapshots(ledger.store.readers, log_with("a"))
    await snapshots.keep(known)
    await snapshots.keep(await at_version(ledger.store, known, known.account.version - 5))
    assert (await snapshots.read(["a"]))["a"].account.version == known.account.version


async def test_a_snapshot_of_an_event_that_is_not_in_the_log_is_passed_over_and_replaced(ledger: Ledger):
    """As after a restore from an older copy: its version may be a later one."""
    known = await long_account(ledger, 30)
    snapshots = Snapshots(ledger.store.readers, log_with("a"))
    for version in (known.account.version, known.account.version + 7):
        lost = known._replace(account=known.account._replace(version=version), event_id=str(uuid4()))
        await snapshots.keep(suspended(lost))
        assert await snapshots.read(["a"])
        assert await fresh(ledger.store, known.account.version) == known
    await snapshots.keep(known)
    assert await snapshots.read(["a"]) == {"a": known}


UNREADABLE = {
    "no bytes": b"",
    "not compressed": b"state",
    "no pickle": zlib.compress(b"state"),
    "no account": zlib.compress(pickle.dumps("an account")),
    "another account": packed(Account("another")),
    "what must not run": zlib.compress(pickle.dumps(Exit())),
}


@pytest.mark.parametrize("state", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_snapshot_is_a_miss_of_its_account_alone(
    ledger: Ledger, other_ledger: Ledger, state: bytes
):
    known = await long_account(ledger, 30)
    snapshots = Snapshots(ledger.store.readers, log_with("a"))
    await snapshots.keep(known)
    await ledger.store.readers.value("UPDATE ledger.snapshot SET state = $1 WHERE log_id = $2", state, log_with("a"))
    sent = [other_ledger.submit(closing("a", "T-next"), "next")]
    sent += [other_ledger.submit(opening(f"b{number}"), "k") for number in range(20)]
    assert [type(outcome) for outcome in await asyncio.gather(*sent, return_exceptions=True)] == [Answer] * 21
    await snapshots.keep(known)
    assert await snapshots.read(["a"]) == {"a": known}


FORGED = {
    "a state without a code": "state = {}",
    "a state with the code of the true one": "state = substr(state, 1, 32) || {}",
    "the true state of an earlier event": """(version, event_id) = (SELECT version, event_id FROM ledger.event AS e
        WHERE e.log_id = snapshot.log_id AND e.account_id = 'a' AND e.version = snapshot.version - 1)""",
    "the true state as recorded later": "recorded_at = recorded_at + interval '1 minute'",
    "the state of another account": "state = (SELECT state FROM ledger.snapshot WHERE account_id = 'b')",
}
"""What the owner of the database may write."""


@pytest.mark.parametrize("forgery", FORGED.values(), ids=FORGED)
async def test_a_state_that_no_process_of_a_sealed_ledger_has_kept_is_passed_over(
    settings: Settings, tmp_path: Path, forgery: str
):
    files = {"audit_key_file": tmp_path / "key.pem", "seal_key_file": tmp_path / "seal.pem"}
    async with running_ledger(settings.model_copy(update=files)) as sealed:
        store, log_id = sealed.store, log_with("a")
        known = await long_account(sealed, 30)
        snapshots = Snapshots(store.readers, log_id, store.sealer)
        await snapshots.keep(known)
        await snapshots.keep(known._replace(account=known.account._replace(account_id="b")))
        assert await snapshots.read(["a"]) == {"a": known}
        state = rf"'\x{packed(suspended(known).account).hex()}'"
        await store.readers.value(f"UPDATE ledger.snapshot SET {forgery.format(state)}")
        assert not await snapshots.read(["a"])
        assert await fresh(store, known.account.version) == known
        await snapshots.keep(known)
        assert await snapshots.read(["a"]) == {"a": known}


@pytest.mark.parametrize(
    "missing", ["DROP TABLE ledger.snapshot", "REVOKE ALL ON ledger.snapshot FROM hourbook_ledger"]
)
async def test_without_snapshots_everything_goes_on(settings: Settings, database_url: str, missing: str):
    """They can be neither read nor written."""
    async with running_ledger(settings) as ledger:
        superuser = await asyncpg.connect(database_url)
        await superuser.execute(missing)
        await superuser.close()
        known = await long_account(ledger, SNAPSHOT_EVENTS + 20)
        assert await ledger.faults() == []
    async with running_ledger(settings) as restarted:
        again = Recorded.model_validate_json((await restarted.submit(closing("a", "T-next"), "next")).body)
        assert again.version == known.account.version + 1
        assert await restarted.faults() == []


async def test_an_account_that_cannot_be_packed_stops_nobody(ledger: Ledger):
    snapshots = Snapshots(ledger.store.readers, 0)
    nothing = cast("Any", lambda: None)
    await snapshots.keep(KnownAccount(Account("a")._replace(lots=nothing), datetime.now(UTC), str(uuid4())))
    assert await snapshots.read(["a"]) == {}
