"""Snapshots are a cache: with them and without them everything is the same, and a cold account reads a tail."""

import pickle
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given

from contracts.envelope import Recorded
from services.ledger.domain.account import Account
from services.ledger.event_store.snapshots import Snapshot, Snapshots, packed, unpacked
from services.ledger.event_store.store import EventStore
from services.ledger.running import Ledger
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


async def long_account(ledger: Ledger, tasks: int) -> Account:
    """An account with so many closings, and its state in the end."""
    await ledger.submit(opening("a"), "k1")
    await ledger.submit(purchase("a"), "k2")
    answers = [ledger.submit(closing("a", f"T-{n}"), f"close-{n}") for n in range(tasks)]
    last = Recorded.model_validate_json((await answers[-1]).body)
    return await fresh(ledger.store, last.version)


async def fresh(store: EventStore, version: int) -> Account:
    """The account as a process that has just started reads it."""
    account = (await History(store, log_with("a"), WarmAccounts(10)).current(["a"]))["a"].account
    assert account.version == version
    return account


async def kept(store: EventStore) -> Account:
    """The snapshot, as soon as there is one."""
    snapshots = Snapshots(store.readers, log_with("a"))
    while not (found := await snapshots.read(["a"])):
        pass
    return found["a"].account


async def test_a_long_account_is_read_from_a_snapshot_and_a_tail(ledger: Ledger, other_ledger: Ledger):
    account = await long_account(ledger, SNAPSHOT_EVENTS + 20)
    snapshot = await kept(ledger.store)
    assert SNAPSHOT_EVENTS <= snapshot.version <= account.version
    again = Recorded.model_validate_json((await other_ledger.submit(closing("a", "T-next"), "next")).body)
    assert again.version == account.version + 1
    assert again.balance.balance_minutes == account.balance_minutes - 10


async def test_the_tail_is_all_that_is_read_of_the_events(ledger: Ledger):
    account = await long_account(ledger, 30)
    marked = account._replace(suspended=True)
    await Snapshots(ledger.store.readers, log_with("a")).keep(Snapshot(marked, datetime.now(UTC)))
    assert (await fresh(ledger.store, account.version)).suspended


async def test_a_snapshot_of_another_program_is_passed_over_and_replaced(ledger: Ledger, monkeypatch):
    account = await long_account(ledger, 30)
    snapshots = Snapshots(ledger.store.readers, log_with("a"))
    with monkeypatch.context() as another:
        another.setattr("services.ledger.event_store.snapshots.program", lambda: "another")
        await snapshots.keep(Snapshot(account._replace(suspended=True), datetime.now(UTC)))
    assert not await snapshots.read(["a"])
    assert await fresh(ledger.store, account.version) == account
    await snapshots.keep(Snapshot(account, datetime.now(UTC)))
    assert (await snapshots.read(["a"]))["a"].account == account


async def test_an_earlier_snapshot_does_not_replace_a_later_one(ledger: Ledger):
    account = await long_account(ledger, 30)
    snapshots = Snapshots(ledger.store.readers, log_with("a"))
    for version in (account.version, account.version - 5):
        await snapshots.keep(Snapshot(account._replace(version=version), datetime.now(UTC)))
    assert (await snapshots.read(["a"]))["a"].account.version == account.version
